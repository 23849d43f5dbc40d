package smtpd.lka.rule;

import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;
import smtpd.imsg.SocketAddr;
import smtpd.table.Netaddr;

/**
 * What this host is called and which addresses are its own.
 *
 * @param names lower case
 */
public record LocalNames(Set<String> names, Set<Netaddr> addresses) {

    /** All of it is this host, though only 127.0.0.1 is named on an interface. */
    private static final Netaddr LOOPBACK = Netaddr.parse("127.0.0.0/8").orElseThrow();

    public LocalNames {
        names = Set.copyOf(names);
        addresses = Set.copyOf(addresses);
    }

    /** Asks the kernel for the addresses of all interfaces. */
    public static LocalNames of(String serverName) {
        Set<String> names = new HashSet<>();
        String name = serverName.toLowerCase(Locale.ROOT);
        names.add("localhost");
        names.add(name);
        int dot = name.indexOf('.');
        if (dot > 0) {
            names.add(name.substring(0, dot));
        }
        Set<Netaddr> addresses = new HashSet<>();
        try {
            for (NetworkInterface card : NetworkInterface.networkInterfaces().toList()) {
                for (InetAddress address : card.inetAddresses().toList()) {
                    addresses.add(Netaddr.ofBytes(address.getAddress()));
                }
            }
        } catch (SocketException e) {
            addresses.add(Netaddr.ofBytes(InetAddress.getLoopbackAddress().getAddress()));
        }
        return new LocalNames(names, addresses);
    }

    /** A name of ours, or an address of ours, bare or as a literal. */
    boolean isLocalDomain(String domain) {
        String folded = domain.toLowerCase(Locale.ROOT);
        return names.contains(folded)
                || Netaddr.parseAddress(folded).filter(this::isOwn).isPresent();
    }

    boolean isOwn(SocketAddr address) {
        return address.isLocal() || isOwn(Netaddr.ofBytes(address.ip()));
    }

    private boolean isOwn(Netaddr address) {
        return addresses.contains(address) || LOOPBACK.contains(address);
    }
}
