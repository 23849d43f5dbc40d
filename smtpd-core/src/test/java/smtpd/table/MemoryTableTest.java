package smtpd.table;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

final class MemoryTableTest {

    private static MemoryTable list(String... entries) {
        return new MemoryTable(
                new TableRef("t"),
                TableKind.LIST,
                Arrays.stream(entries).map(TableEntry::item).toList(),
                '+');
    }

    private static boolean has(Table table, Service service, String key) {
        return table.find(service, key) instanceof Lookup.Found;
    }

    @Test
    void starMatchesAcrossDotsWithBacktracking() {
        MemoryTable table = list("*.example.org", "a*b*c", "Plain.Example");
        assertThat(has(table, Service.DOMAIN, "a.b.example.org")).isTrue();
        assertThat(has(table, Service.DOMAIN, "example.org")).isFalse();
        assertThat(has(table, Service.DOMAIN, "axbxbxc")).isTrue();
        assertThat(has(table, Service.DOMAIN, "plain.EXAMPLE")).isTrue();
    }

    @Test
    void globAgreesWithAReference() {
        long seed = Long.getLong("seed", 1);
        Random random = new Random(seed);
        for (int round = 0; round < 20_000; round++) {
            String pattern = random(random, "ab.*", 8);
            String text = random(random, "ab.", 10);
            StringBuilder regex = new StringBuilder();
            for (int i = 0; i < pattern.length(); i++) {
                char c = pattern.charAt(i);
                regex.append(c == '*' ? ".*" : Pattern.quote(String.valueOf(c)));
            }
            assertThat(Glob.matches(pattern, text))
                    .as("seed %d pattern %s text %s", seed, pattern, text)
                    .isEqualTo(Pattern.matches(regex.toString(), text));
        }
    }

    @Test
    void globCannotBeMadeToRunForever() {
        String pattern = "*a".repeat(250) + "b";
        assertThat(Glob.matches(pattern, "a".repeat(250))).isFalse();
    }

    private static String random(Random random, String alphabet, int max) {
        StringBuilder text = new StringBuilder();
        int length = random.nextInt(max);
        for (int i = 0; i < length; i++) {
            text.append(alphabet.charAt(random.nextInt(alphabet.length())));
        }
        return text.toString();
    }

    @Test
    void addressPatternsMatchAsTheirForm() {
        MemoryTable table =
                list("bob@Example.org", "@corp.example", "carol", "x@*.example.net", "@*.wild");
        assertThat(has(table, Service.MAILADDR, "BOB@example.ORG")).isTrue();
        assertThat(has(table, Service.MAILADDR, "bob@example.com")).isFalse();
        assertThat(has(table, Service.MAILADDR, "any@corp.example")).isTrue();
        assertThat(has(table, Service.MAILADDR, "any@sub.corp.example")).isFalse();
        assertThat(has(table, Service.MAILADDR, "carol@anywhere")).isTrue();
        assertThat(has(table, Service.MAILADDR, "x@a.b.example.net")).isTrue();
        assertThat(has(table, Service.MAILADDR, "y@a.example.net")).isFalse();
        assertThat(has(table, Service.MAILADDR, "any@sub.wild")).isTrue();
        assertThat(has(table, Service.MAILADDR, "@")).isFalse();
    }

    @Test
    void aTagIsIgnoredUnlessThePatternHasOne() {
        MemoryTable table = list("bob@x.example", "ann+lists@x.example", "eve");
        assertThat(has(table, Service.MAILADDR, "bob+any@x.example")).isTrue();
        assertThat(has(table, Service.MAILADDR, "ann+lists@x.example")).isTrue();
        assertThat(has(table, Service.MAILADDR, "ann+other@x.example")).isFalse();
        assertThat(has(table, Service.MAILADDR, "ann@x.example")).isFalse();
        assertThat(has(table, Service.MAILADDR, "eve+t@y.example")).isTrue();
    }

    @Test
    void theEmptySenderMatchesOnlyItsOwnPatternAndEverything() {
        assertThat(has(list("<>"), Service.MAILADDR, "@")).isTrue();
        assertThat(has(list("<>"), Service.MAILADDR, "a@b")).isFalse();
        assertThat(has(list("@"), Service.MAILADDR, "@")).isTrue();
        assertThat(has(list("@"), Service.MAILADDR, "a@b")).isTrue();
        assertThat(has(list("@x.example", "a"), Service.MAILADDR, "@")).isFalse();
    }

    @Test
    void networksMatchByPrefixAndFamily() {
        MemoryTable table =
                list(
                        "192.0.2.0/24",
                        "10.1.2.3",
                        "2001:db8::/33",
                        "[2001:db9::1]",
                        "Local",
                        "0.0.0.0/32");
        assertThat(has(table, Service.NETADDR, "192.0.2.255")).isTrue();
        assertThat(has(table, Service.NETADDR, "192.0.3.0")).isFalse();
        assertThat(has(table, Service.NETADDR, "::ffff:192.0.2.7")).isTrue();
        assertThat(has(table, Service.NETADDR, "10.1.2.3")).isTrue();
        assertThat(has(table, Service.NETADDR, "2001:db8:7fff::1")).isTrue();
        assertThat(has(table, Service.NETADDR, "2001:db8:8000::1")).isFalse();
        assertThat(has(table, Service.NETADDR, "2001:db9:0:0::1")).isTrue();
        assertThat(has(table, Service.NETADDR, "IPv6:2001:db9::1")).isTrue();
        assertThat(has(table, Service.NETADDR, "local")).isTrue();
        assertThat(has(table, Service.NETADDR, "::")).isFalse();
        assertThat(has(list("0.0.0.0/0"), Service.NETADDR, "203.0.113.9")).isTrue();
        assertThat(has(list("0.0.0.0/0"), Service.NETADDR, "2001:db8::1")).isFalse();
    }

    @Test
    void networkSetAgreesWithTheNetworksOneByOne() {
        long seed = Long.getLong("seed", 1);
        Random random = new Random(seed);
        for (int round = 0; round < 2000; round++) {
            String[] entries = new String[5];
            for (int i = 0; i < entries.length; i++) {
                entries[i] =
                        random.nextInt(4)
                                + "."
                                + random.nextInt(256)
                                + ".0.0/"
                                + random.nextInt(33);
            }
            String key = random.nextInt(4) + "." + random.nextInt(256) + ".0." + random.nextInt(2);
            Netaddr single = Netaddr.parseAddress(key).orElseThrow();
            boolean any =
                    Arrays.stream(entries)
                            .anyMatch(e -> Netaddr.parse(e).orElseThrow().contains(single));
            assertThat(has(list(entries), Service.NETADDR, key))
                    .as("seed %d %s in %s", seed, key, Arrays.toString(entries))
                    .isEqualTo(any);
        }
    }

    @Test
    void addressTextsAreReadAndPrintedByTheStandard() {
        assertThat(Netaddr.parse("2001:DB8:0:0:1:0:0:1"))
                .map(Netaddr::toString)
                .contains("2001:db8::1:0:0:1");
        assertThat(Netaddr.parse("::")).map(Netaddr::toString).contains("::");
        assertThat(Netaddr.parse("::1/128")).map(Netaddr::toString).contains("::1");
        assertThat(Netaddr.parse("fe80::1%eth0")).map(Netaddr::toString).contains("fe80::1%eth0");
        assertThat(Netaddr.parse("::ffff:192.0.2.1")).map(Netaddr::toString).contains("192.0.2.1");
        assertThat(Netaddr.parse("::ffff:192.0.2.0/120"))
                .map(Netaddr::toString)
                .contains("192.0.2.0/24");
        assertThat(Netaddr.parse("1:2:3:4:5:6:7:8"))
                .map(Netaddr::toString)
                .contains("1:2:3:4:5:6:7:8");
        for (String bad :
                new String[] {
                    "",
                    "1",
                    "1.2.3",
                    "1.2.3.4.5",
                    "256.1.1.1",
                    "01.2.3.4",
                    "1.2.3.4/33",
                    "1.2.3.4/",
                    "1.2.3.4/x",
                    ":",
                    ":1",
                    "1:",
                    ":::",
                    "1::2::3",
                    "1:2:3:4:5:6:7",
                    "1:2:3:4:5:6:7:8:9",
                    "12345::",
                    "g::",
                    "::1/129",
                    "[::1",
                    "1.2.3.4%x",
                    "::1%",
                    "1:2:3:4:5:6:7:1.2.3.4",
                    "1:2:3:4:5:6:7:8::",
                    "::1.2.3",
                    " 1.2.3.4",
                    "1.2.3.-4"
                }) {
            assertThat(Netaddr.parse(bad)).as(bad).isEmpty();
        }
    }

    @Test
    void aMappingAnswersWithItsValue() {
        MemoryTable table =
                new MemoryTable(
                        new TableRef("m"),
                        TableKind.MAPPING,
                        java.util.List.of(
                                TableEntry.pair("Root", "alice, \"|prog #1\" # all of it"),
                                TableEntry.pair("::1", "here.example")),
                        '+');
        assertThat(table.find(Service.ALIAS, "ROOT"))
                .isEqualTo(new Lookup.Found("alice, \"|prog #1\""));
        assertThat(table.find(Service.ADDRNAME, "0:0:0:0:0:0:0:1"))
                .isEqualTo(new Lookup.Found("here.example"));
        assertThat(table.find(Service.ALIAS, "bob")).isEqualTo(Lookup.NOT_FOUND);
        assertThat(table.find(Service.DOMAIN, "x")).isInstanceOf(Lookup.Failed.class);
        assertThat(table.entries()).containsExactly("Root", "::1");
    }

    @Test
    void keysThatCannotBeAskedFailInsteadOfSayingNo() {
        assertThat(list("a").find(Service.STRING, "x".repeat(1024)))
                .isInstanceOf(Lookup.Failed.class);
        assertThat(list("a").find(Service.STRING, "a\nb")).isInstanceOf(Lookup.Failed.class);
    }
}
