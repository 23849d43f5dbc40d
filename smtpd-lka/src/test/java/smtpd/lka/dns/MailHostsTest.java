package smtpd.lka.dns;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import smtpd.imsg.DnsStatus;
import smtpd.imsg.Resolved;
import smtpd.imsg.ReverseName;
import smtpd.imsg.SocketAddr;
import smtpd.table.Netaddr;

class MailHostsTest {

    private static final String ZONE =
            """
            two.example. IN MX 20 b.example.
            two.example. IN MX 10 a.example.
            a.example. IN A 192.0.2.1
            a.example. IN AAAA 2001:db8::1
            b.example. IN A 192.0.2.2
            shared.example. IN MX 10 a.example.
            shared.example. IN MX 20 same.example.
            same.example. IN A 192.0.2.1
            plain.example. IN A 192.0.2.3
            text.example. IN TXT "nothing else"
            null.example. IN MX 0 .
            mixed.example. IN MX 0 .
            mixed.example. IN MX 10 b.example.
            barren.example. IN MX 10 text.example.
            barren.example. IN MX 20 gone.example.
            alias.example. IN CNAME two.example.
            aliased.example. IN MX 5 balias.example.
            balias.example. IN CNAME b.example.
            literal.example. IN MX 5 192.0.2.9.
            xn--bcher-kva.example. IN MX 5 b.example.
            loop1.example. IN CNAME loop2.example.
            loop2.example. IN CNAME loop1.example.
            """;
    private static final String REVERSE =
            """
            1.2.0.192.in-addr.arpa. IN PTR wrong.example.
            1.2.0.192.in-addr.arpa. IN PTR a.example.
            2.2.0.192.in-addr.arpa. IN PTR a.example.
            4.2.0.192.in-addr.arpa. IN PTR bad\\032name.example.
            """;

    @TempDir static Path folder;
    private static Nsd nsd;
    private static Loop loop;
    private static MailHosts hosts;
    private static ReverseNames reverse;

    @BeforeAll
    static void start() throws IOException {
        assumeTrue(Nsd.isInstalled(), "nsd is not installed");
        StringBuilder zone = new StringBuilder(ZONE);
        for (int i = 0; i < 30; i++) {
            zone.append("many.example. IN MX ")
                    .append(i)
                    .append(" m")
                    .append(i)
                    .append(".example.\n");
            for (int j = 1; j <= 30; j++) {
                zone.append("m%d.example. IN A 10.0.%d.%d\n".formatted(i, i, j));
            }
        }
        nsd =
                Nsd.start(
                        folder,
                        Map.of("example.", zone.toString(), "2.0.192.in-addr.arpa.", REVERSE));
        loop = new Loop();
        Path hostsFile = folder.resolve("hosts");
        Files.writeString(hostsFile, "192.0.2.77 listed.example short # comment\n::1 localhost\n");
        HostsFile listed = new HostsFile(hostsFile, Runnable::run, Runnable::run, System::nanoTime);
        StubResolver resolver =
                new StubResolver(
                        NameServers.fixed(List.of(nsd.address())),
                        new StubResolver.Patience(Duration.ofSeconds(2), Duration.ofSeconds(6), 3),
                        loop.executor(),
                        System::nanoTime,
                        Meter.NONE);
        hosts = new MailHosts(resolver, listed, Families.BOTH);
        reverse = new ReverseNames(resolver, listed);
    }

    @AfterAll
    static void stop() {
        if (nsd != null) {
            loop.close();
            nsd.close();
        }
    }

    @Test
    void exchangersComeInOrderOfPreferenceWithBothFamilies() {
        Resolved answer = mx("two.example");
        assertThat(answer.status()).isEqualTo(DnsStatus.OK);
        assertThat(lines(answer))
                .containsExactly(
                        "10 a.example 2001:db8:0:0:0:0:0:1",
                        "10 a.example 192.0.2.1",
                        "20 b.example 192.0.2.2");
        assertThat(answer.incomplete()).isFalse();
    }

    @Test
    void upperCaseAndFinalDotAreTheSameDomain() {
        assertThat(lines(mx("TWO.Example."))).isEqualTo(lines(mx("two.example")));
    }

    @Test
    void domainWithoutMxIsItsOwnExchanger() {
        assertThat(lines(mx("plain.example"))).containsExactly("0 plain.example 192.0.2.3");
    }

    @Test
    void domainWithNeitherMxNorAddressIsNotFoundForNow() {
        assertThat(mx("text.example").status()).isEqualTo(DnsStatus.NOT_FOUND);
        assertThat(mx("barren.example").status()).isEqualTo(DnsStatus.NOT_FOUND);
    }

    @Test
    void nullMxTakesNoMailAndANullBesideOthersIsDropped() {
        assertThat(mx("null.example").status()).isEqualTo(DnsStatus.NULL_MX);
        assertThat(lines(mx("mixed.example"))).containsExactly("10 b.example 192.0.2.2");
    }

    @Test
    void unknownDomainIsNoName() {
        assertThat(mx("nowhere.example").status()).isEqualTo(DnsStatus.NO_NAME);
    }

    @Test
    void refusedZoneIsRetryAndNeverFallsBackToTheAddress() {
        assertThat(mx("somewhere.test").status()).isEqualTo(DnsStatus.RETRY);
    }

    @Test
    void aliasesAreFollowed() {
        assertThat(lines(mx("alias.example"))).isEqualTo(lines(mx("two.example")));
        assertThat(lines(mx("aliased.example"))).containsExactly("5 balias.example 192.0.2.2");
    }

    @Test
    void aliasLoopIsRetry() {
        assertThat(mx("loop1.example").status()).isEqualTo(DnsStatus.RETRY);
    }

    @Test
    void exchangeThatIsAnAddressIsTaken() {
        assertThat(lines(mx("literal.example"))).containsExactly("5 192.0.2.9 192.0.2.9");
    }

    @Test
    void sameAddressIsListedOnceWithTheBestPreference() {
        assertThat(lines(mx("shared.example")))
                .containsExactly("10 a.example 2001:db8:0:0:0:0:0:1", "10 a.example 192.0.2.1");
    }

    @Test
    void internationalDomainIsAskedByItsALabels() {
        assertThat(lines(mx("b\u00fccher.example"))).containsExactly("5 b.example 192.0.2.2");
    }

    @Test
    void literalsNeedNoQuestion() {
        assertThat(lines(mx("[192.0.2.8]"))).containsExactly("-1 [192.0.2.8] 192.0.2.8");
        assertThat(lines(mx("[ipv6:2001:db8::8]")))
                .containsExactly("-1 [ipv6:2001:db8::8] 2001:db8:0:0:0:0:0:8");
        assertThat(mx("[192.0.2.300]").status()).isEqualTo(DnsStatus.INVALID);
        assertThat(mx("[bad]").status()).isEqualTo(DnsStatus.INVALID);
    }

    @Test
    void malformedNamesAreInvalid() {
        for (String bad :
                List.of(
                        "",
                        ".",
                        "a..example",
                        "x".repeat(64) + ".example",
                        "a b.example",
                        "a/b.example")) {
            assertThat(mx(bad).status()).as(bad).isEqualTo(DnsStatus.INVALID);
        }
        assertThat(mx("abcd.".repeat(60) + "example").status()).isEqualTo(DnsStatus.INVALID);
    }

    @Test
    void onlyTheBestTwentyExchangersAndTwentyAddressesEachAreUsed() {
        Resolved answer = mx("many.example");
        assertThat(answer.hosts()).hasSize(400);
        assertThat(answer.hosts().getLast().preference()).isEqualTo(19);
    }

    @Test
    void hostIsAskedByAddressOnlyAndHasNoPreference() {
        assertThat(lines(host("b.example"))).containsExactly("-1 b.example 192.0.2.2");
        assertThat(host("two.example").status()).isEqualTo(DnsStatus.NOT_FOUND);
        assertThat(lines(host("192.0.2.5"))).containsExactly("-1 192.0.2.5 192.0.2.5");
    }

    @Test
    void hostsFileServesHostsButNotMailDomains() {
        assertThat(lines(host("LISTED.example"))).containsExactly("-1 listed.example 192.0.2.77");
        assertThat(lines(host("localhost"))).containsExactly("-1 localhost 0:0:0:0:0:0:0:1");
        assertThat(mx("listed.example").status()).isEqualTo(DnsStatus.NO_NAME);
    }

    @Test
    void ownPreferenceIsFoundAmongTheExchangers() {
        assertThat(preference("two.example", "B.example")).isEqualTo("OK 20");
        assertThat(preference("two.example", "other.example")).isEqualTo("OK -1");
        assertThat(preference("nowhere.example", "b.example")).isEqualTo("NO_NAME -1");
        assertThat(preference("somewhere.test", "b.example")).isEqualTo("RETRY -1");
    }

    @Test
    void reverseNameIsTheOneThatMapsBack() {
        assertThat(reverse("192.0.2.1"))
                .isEqualTo(new ReverseName(DnsStatus.OK, "a.example", true));
    }

    @Test
    void reverseNameOfSomebodyElseStaysUnconfirmed() {
        assertThat(reverse("192.0.2.2"))
                .isEqualTo(new ReverseName(DnsStatus.OK, "a.example", false));
    }

    @Test
    void reverseNameWithUnsafeBytesIsDiscarded() {
        assertThat(reverse("192.0.2.4")).isEqualTo(new ReverseName(DnsStatus.NOT_FOUND, "", false));
        assertThat(reverse("192.0.2.200").status()).isEqualTo(DnsStatus.NOT_FOUND);
    }

    @Test
    void reverseNameComesFromTheHostsFileFirst() {
        assertThat(reverse("192.0.2.77"))
                .isEqualTo(new ReverseName(DnsStatus.OK, "listed.example", true));
    }

    @Test
    void reverseNameWhenNobodyAnswersForTheZoneIsRetry() {
        assertThat(reverse("198.51.100.1").status()).isEqualTo(DnsStatus.RETRY);
    }

    private static Resolved mx(String domain) {
        return loop.answer(then -> hosts.mx(domain, then));
    }

    private static Resolved host(String name) {
        return loop.answer(then -> hosts.host(name, then));
    }

    private static String preference(String domain, String own) {
        return loop.answer(
                then ->
                        hosts.preference(
                                domain,
                                own,
                                (status, number) -> then.accept(status + " " + number)));
    }

    private static ReverseName reverse(String address) {
        byte[] bytes = Netaddr.parseAddress(address).orElseThrow().toBytes();
        return loop.answer(then -> reverse.name(new SocketAddr(bytes, 0, 0), then));
    }

    private static List<String> lines(Resolved answer) {
        return answer.hosts().stream()
                .map(h -> h.preference() + " " + h.host() + " " + h.address().host())
                .toList();
    }
}
