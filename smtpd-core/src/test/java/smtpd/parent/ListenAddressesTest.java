package smtpd.parent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import smtpd.conf.Config;
import smtpd.conf.ConfigBundle;
import smtpd.conf.ConfigException;
import smtpd.conf.ConfigParser;
import smtpd.conf.Instance;
import smtpd.conf.Listener;

class ListenAddressesTest {

    private static final String ROUTES =
            "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";

    @TempDir Path root;

    private final ListenAddresses ours = new ListenAddresses(Path.of("/"));

    private static Config config(String line) {
        try {
            return ConfigParser.parse(
                    ConfigBundle.ofText(
                            1,
                            Instance.at(Path.of("/tmp/x")),
                            "mx.example",
                            "conf",
                            line + "\naccept for local deliver to mbox\n"));
        } catch (ConfigException e) {
            throw new AssertionError(e.errors().toString(), e);
        }
    }

    private static Listener listener(String line) {
        return config(line).listeners().getFirst();
    }

    private static Set<String> texts(Set<InetAddress> addresses) {
        Set<String> texts = new java.util.LinkedHashSet<>();
        addresses.forEach(a -> texts.add(a.getHostAddress()));
        return texts;
    }

    private static NetworkInterface loopback() throws IOException {
        return NetworkInterface.networkInterfaces()
                .filter(
                        card -> {
                            try {
                                return card.isLoopback();
                            } catch (IOException e) {
                                return false;
                            }
                        })
                .findFirst()
                .orElseThrow();
    }

    @Test
    void anInterfaceIsAllOfItsAddresses() throws Exception {
        NetworkInterface card = loopback();
        assertThat(ours.of(listener("listen on " + card.getName() + " port 2525")))
                .containsExactlyInAnyOrderElementsOf(Collections.list(card.getInetAddresses()))
                .contains(InetAddress.getByAddress(new byte[] {127, 0, 0, 1}));
    }

    @Test
    void lo0IsTheLoopbackInterfaceWhateverItsNameIs() throws Exception {
        assumeTrue(NetworkInterface.getByName("lo0") == null, "this host has an lo0");
        assertThat(ours.of(listener("listen on lo0")))
                .containsExactlyInAnyOrderElementsOf(
                        Collections.list(loopback().getInetAddresses()));
    }

    @Test
    void allIsTheWildcardOfBothFamilies() throws Exception {
        assertThat(texts(ours.of(listener("listen on all"))))
                .containsExactly("0.0.0.0", "0:0:0:0:0:0:0:0");
        assertThat(texts(ours.of(listener("listen on all inet4")))).containsExactly("0.0.0.0");
    }

    @Test
    void literalsAndNamesAreThemselves() throws Exception {
        assertThat(texts(ours.of(listener("listen on 127.0.0.9")))).containsExactly("127.0.0.9");
        assertThat(texts(ours.of(listener("listen on \"::1\""))))
                .containsExactly("0:0:0:0:0:0:0:1");
        assertThat(texts(ours.of(listener("listen on localhost"))))
                .containsExactly("127.0.0.1", "0:0:0:0:0:0:0:1");
        assertThat(texts(ours.of(listener("listen on localhost inet6"))))
                .containsExactly("0:0:0:0:0:0:0:1");
    }

    @Test
    void egressIsWhateverHasADefaultRoute() throws IOException {
        Path net = Files.createDirectories(root.resolve("proc/net"));
        Files.writeString(
                net.resolve("route"),
                ROUTES
                        + "eth7\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
                        + "eth8\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
                        + "eth9\t00000000\t010200C0\t0002\t0\t0\t0\t00000000\t0\t0\t0\n"
                        + "tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000080\t0\t0\t0\n");
        String none = "0".repeat(32);
        String next = "fd000000000000000000000000000001";
        Files.writeString(
                net.resolve("ipv6_route"),
                none
                        + " 00 "
                        + none
                        + " 00 "
                        + next
                        + " 00000400 00000002 00000000 00000003 wg1\n"
                        + none
                        + " 00 "
                        + none
                        + " 00 "
                        + none
                        + " ffffffff 00000001 00000000 00200200       lo\n"
                        + next
                        + " 40 "
                        + none
                        + " 00 "
                        + none
                        + " 00000100 00000001 00000000 00000001 eth8\n");
        assertThat(new ListenAddresses(root).egress()).containsExactly("eth7", "wg1");
    }

    @Test
    void egressWithoutARouteIsAnError() {
        assertThatThrownBy(() -> new ListenAddresses(root).of(listener("listen on egress")))
                .isInstanceOf(ListenAddresses.None.class)
                .hasMessage("no interface has a default route, so \"egress\" is none");
    }

    @Test
    void aGroupOfIpLinkIsTheInterfacesThatBearItsNumber() throws Exception {
        String name = loopback().getName();
        Files.createDirectories(root.resolve("etc/iproute2"));
        Files.writeString(root.resolve("etc/iproute2/group"), "# names\n0\tdefault\n7\tinside\n");
        Path card = Files.createDirectories(root.resolve("sys/class/net/" + name));
        Files.writeString(card.resolve("netdev_group"), "7\n");
        Path other = Files.createDirectories(root.resolve("sys/class/net/other0"));
        Files.writeString(other.resolve("netdev_group"), "0\n");
        assertThat(new ListenAddresses(root).of(listener("listen on inside")))
                .containsExactlyInAnyOrderElementsOf(
                        Collections.list(loopback().getInetAddresses()));
    }

    @Test
    void whatIsNothingHereIsNamedWithItsLine() {
        assertThat(
                        ours.problems(
                                config(
                                        """
                                        listen on localhost
                                        listen on nothing.invalid port 26
                                        listen on 127.0.0.1 port 27 inet6""")))
                .extracting(Object::toString)
                .isEqualTo(
                        List.of(
                                "conf:2: \"nothing.invalid\" is not an interface, group, address or"
                                        + " resolvable name",
                                "conf:3: no inet6 address on \"127.0.0.1\""));
        assertThat(Optional.of(ours.problems(config("listen on all")))).hasValue(List.of());
    }
}
