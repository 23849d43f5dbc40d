package smtpd.parent;

import java.io.IOException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import smtpd.conf.Config;
import smtpd.conf.ConfigError;
import smtpd.conf.Listener;

/**
 * Which addresses of this machine a {@code listen on} means: of an interface, of a group of
 * interfaces, a literal, or those of a host name, in this order.
 */
final class ListenAddresses {

    /** Nothing to listen on; the text is for whoever wrote the line. */
    static final class None extends Exception {
        private static final long serialVersionUID = 1L;

        None(String message) {
            super(message);
        }
    }

    private static final String EGRESS = "egress";
    private static final int RTF_UP = 1;
    private static final int RTF_REJECT = 0x200;
    private static final String NO_ADDRESS = "0".repeat(32);

    private final Path root;

    /**
     * @param root {@code /}, or a folder with {@code proc/net}, {@code sys/class/net} and {@code
     *     etc/iproute2} of its own
     */
    ListenAddresses(Path root) {
        this.root = root;
    }

    /** One error for each listener that has no address. */
    List<ConfigError> problems(Config config) {
        List<ConfigError> problems = new ArrayList<>();
        for (Listener listener : config.listeners()) {
            try {
                of(listener);
            } catch (None e) {
                problems.add(
                        new ConfigError(
                                ConfigError.Severity.ERROR, listener.at(), e.getMessage(), ""));
            }
        }
        return problems;
    }

    /**
     * All of them, each once.
     *
     * @throws None when there is none
     */
    Set<InetAddress> of(Listener listener) throws None {
        Set<InetAddress> wanted = new LinkedHashSet<>();
        for (InetAddress address : found(listener.on())) {
            boolean isFour = address.getAddress().length == 4;
            if (listener.family() == Listener.Family.ANY
                    || (listener.family() == Listener.Family.INET4) == isFour) {
                wanted.add(address);
            }
        }
        if (wanted.isEmpty()) {
            String family =
                    listener.family() == Listener.Family.ANY
                            ? ""
                            : listener.family().name().toLowerCase(Locale.ROOT) + " ";
            throw new None("no " + family + "address on \"" + listener.on() + "\"");
        }
        return wanted;
    }

    private Collection<InetAddress> found(String on) throws None {
        try {
            // Not the addresses of today's interfaces: those that come later are served too.
            if (on.equals("all")) {
                return List.of(
                        InetAddress.getByAddress(new byte[4]),
                        InetAddress.getByAddress(new byte[16]));
            }
            NetworkInterface card = NetworkInterface.getByName(on);
            if (card != null) {
                return Collections.list(card.getInetAddresses());
            }
            Collection<String> group = group(on);
            if (!group.isEmpty()) {
                return ofAll(group);
            }
            if (on.equals(EGRESS)) {
                throw new None("no interface has a default route, so \"egress\" is none");
            }
            // The loopback addresses whatever the hosts file says, which often knows one alone.
            if (on.equals("localhost")) {
                byte[] six = new byte[16];
                six[15] = 1;
                return List.of(
                        InetAddress.getByAddress(new byte[] {127, 0, 0, 1}),
                        InetAddress.getByAddress(six));
            }
            return List.of(InetAddress.getAllByName(on));
        } catch (SocketException | UnknownHostException e) {
            throw new None("\"" + on + "\" is not an interface, group, address or resolvable name");
        }
    }

    private static List<InetAddress> ofAll(Collection<String> cards) throws SocketException {
        List<InetAddress> all = new ArrayList<>();
        for (String name : cards) {
            NetworkInterface card = NetworkInterface.getByName(name);
            if (card != null) {
                all.addAll(Collections.list(card.getInetAddresses()));
            }
        }
        return all;
    }

    // ---- groups

    /** Names of the interfaces of a group; empty when there is no such group. */
    private Collection<String> group(String name) throws SocketException {
        return switch (name) {
            case EGRESS -> egress();
            case "lo0" -> loopback();
            default -> numbered(name);
        };
    }

    /** Interfaces with a default route. */
    Set<String> egress() {
        Set<String> cards = new TreeSet<>();
        for (String[] route : rows("proc/net/route")) {
            // Iface Destination Gateway Flags RefCnt Use Metric Mask
            if (route.length > 7
                    && route[1].equals("00000000")
                    && route[7].equals("00000000")
                    && (flags(route[3]) & RTF_UP) != 0) {
                cards.add(route[0]);
            }
        }
        for (String[] route : rows("proc/net/ipv6_route")) {
            // destination prefix source prefix next-hop metric references uses flags device
            if (route.length > 9
                    && route[0].equals(NO_ADDRESS)
                    && route[1].equals("00")
                    && (flags(route[8]) & (RTF_UP | RTF_REJECT)) == RTF_UP) {
                cards.add(route[9]);
            }
        }
        return cards;
    }

    private static long flags(String hex) {
        try {
            return Long.parseLong(hex, 16);
        } catch (NumberFormatException e) {
            return 0;
        }
    }

    private static Set<String> loopback() throws SocketException {
        Set<String> cards = new TreeSet<>();
        for (NetworkInterface card : NetworkInterface.networkInterfaces().toList()) {
            if (card.isLoopback()) {
                cards.add(card.getName());
            }
        }
        return cards;
    }

    /** Groups of ip-link(8): a number for each interface, names for the numbers. */
    private Set<String> numbered(String name) {
        Set<String> cards = new TreeSet<>();
        for (String[] row : rows("etc/iproute2/group")) {
            if (row.length > 1 && row[1].equals(name)) {
                cards.addAll(members(row[0]));
            }
        }
        return cards;
    }

    private List<String> members(String number) {
        List<String> cards = new ArrayList<>();
        try (var entries = Files.newDirectoryStream(root.resolve("sys/class/net"))) {
            for (Path card : entries) {
                for (String[] row : rows("sys/class/net/" + card.getFileName() + "/netdev_group")) {
                    if (row[0].equals(number)) {
                        cards.add(card.getFileName().toString());
                    }
                }
            }
        } catch (IOException e) {
            return cards; // without a /sys there are no groups
        }
        return cards;
    }

    /** Words of each line; none when there is no such file, as on a host without IPv6. */
    private List<String[]> rows(String file) {
        List<String[]> rows = new ArrayList<>();
        try {
            for (String line :
                    Files.readAllLines(root.resolve(file), StandardCharsets.ISO_8859_1)) {
                if (!line.isBlank()) {
                    rows.add(line.strip().split("\\s+", -1));
                }
            }
        } catch (IOException e) {
            return rows;
        }
        return rows;
    }
}
