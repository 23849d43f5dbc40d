package smtpd.lka.dns;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;

/**
 * The address families worth asking for.
 *
 * @param ipv4 ask for A
 * @param ipv6 ask for AAAA
 */
public record Families(boolean ipv4, boolean ipv6) {

    public static final Families BOTH = new Families(true, true);

    /**
     * Those this host has an address of, loopback and link-local left out; both when it has none.
     */
    public static Families ofThisHost() {
        boolean four = false;
        boolean six = false;
        try {
            for (var card : NetworkInterface.networkInterfaces().toList()) {
                for (InetAddress address : card.inetAddresses().toList()) {
                    if (!address.isLoopbackAddress() && !address.isLinkLocalAddress()) {
                        boolean isFour = address instanceof Inet4Address;
                        four |= isFour;
                        six |= !isFour;
                    }
                }
            }
        } catch (SocketException e) {
            return BOTH;
        }
        return four || six ? new Families(four, six) : BOTH;
    }
}
