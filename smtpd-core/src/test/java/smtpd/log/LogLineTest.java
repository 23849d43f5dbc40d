package smtpd.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class LogLineTest {
    @Test
    void lineHasTheLayoutThatLogParsersKnow() {
        assertThat(
                        LogLine.of(0x1234L, "smtp", "connected")
                                .add("address", "192.0.2.1")
                                .add("host", "client.example")
                                .add("port", 25)
                                .toString())
                .isEqualTo(
                        "0000000000001234 smtp connected address=192.0.2.1 host=client.example"
                                + " port=25");
        assertThat(LogLine.of("parent", "start").add("tag", (String) null).toString())
                .isEqualTo("0000000000000000 parent start");
    }

    @Test
    void valuesAreQuotedOnlyWhenTheyMustBe() {
        LogLine line =
                LogLine.of(1, "mta", "delivery")
                        .id("evpid", 0xabcdef0123456789L)
                        .msgid("msgid", 0xabcdef01)
                        .address("from", "")
                        .address("to", "a@b.example")
                        .address("rcpt", "\"a b\"@c")
                        .quoted("relay", "192.0.2.1")
                        .add("empty", "")
                        .add("text", "a=b \"c\" \\ \n \r \u00e4 \ud83d\ude00 \ud800")
                        .duration("delay", 3602);
        assertThat(line.toString().substring(17))
                .isEqualTo(
                        "mta delivery evpid=abcdef0123456789 msgid=abcdef01 from=<>"
                                + " to=<a@b.example> rcpt=\"<\\\"a b\\\"@c>\" relay=\"192.0.2.1\""
                                + " empty=\"\" text=\"a=b \\\"c\\\" \\\\ \\n \\x0d \\xc3\\xa4"
                                + " \\xf0\\x9f\\x98\\x80 \\x3f\" delay=1h2s delay_s=3602");
    }

    @Test
    void durationsReadAsPeopleSayThem() {
        StringBuilder text = new StringBuilder();
        for (long seconds : new long[] {0, 59, 60, 3600, 90_061, -5}) {
            LogLine.appendDuration(text, seconds);
            text.append(' ');
        }
        assertThat(text.toString()).isEqualTo("0s 59s 1m 1h 1d1h1m1s 0s ");
    }

    @Test
    void anEndlessValueIsCutInsideItsQuotesAtAnEscapeBoundary() {
        String line =
                LogLine.of(1, "smtp", "failed-command")
                        .quoted("command", "\u0001".repeat(5_000))
                        .quoted("result", "500 5.5.2")
                        .toString();
        assertThat(line.length()).isLessThanOrEqualTo(LogLine.MAX_BYTES).isGreaterThan(1_970);
        assertThat(line).endsWith("\\x01\" truncated=1").doesNotContain("result");
    }

    /** Any sequence of values, however hostile, is read back by a strict parser. */
    @Test
    void everyLineIsReadBackByAStrictParser() {
        long seed = Long.getLong("seed", 1);
        Random random = new Random(seed);
        for (int round = 0; round < 1_000; round++) {
            LogLine line = LogLine.of(random.nextLong(), "smtp", "event");
            int keys = random.nextInt(8);
            Map<String, String> put = new LinkedHashMap<>();
            for (int k = 0; k < keys; k++) {
                String value = hostile(random);
                String key = "k" + k;
                switch (random.nextInt(4)) {
                    case 0 -> line.add(key, value);
                    case 1 -> line.quoted(key, value);
                    case 2 -> line.add(key, random.nextLong());
                    default -> line.duration(key, random.nextInt(1 << 20));
                }
                put.put(key, value);
            }
            String text = line.toString();
            assertThat(text.length()).as("seed %d", seed).isLessThanOrEqualTo(2000);
            assertThat(text.chars().allMatch(c -> c >= 0x20 && c < 0x7f))
                    .as("seed %d", seed)
                    .isTrue();
            Map<String, String> read = parse(text);
            boolean isCut = read.remove("truncated") != null;
            read.keySet().removeIf(key -> key.endsWith("_s"));
            if (!isCut) {
                assertThat(read.keySet()).as("seed %d", seed).isEqualTo(put.keySet());
            } else {
                assertThat(put.keySet()).as("seed %d", seed).containsAll(read.keySet());
            }
        }
    }

    private static String hostile(Random random) {
        int length = random.nextInt(20) == 0 ? random.nextInt(3_000) : random.nextInt(30);
        StringBuilder value = new StringBuilder();
        for (int i = 0; i < length; i++) {
            value.append(
                    switch (random.nextInt(5)) {
                        case 0 -> (char) random.nextInt(0x20);
                        case 1 -> "\"\\= \n".charAt(random.nextInt(5));
                        case 2 -> (char) random.nextInt(0x10000);
                        default -> (char) ('a' + random.nextInt(26));
                    });
        }
        return value.toString();
    }

    /** Three words, then key=value; a quoted value ends at the first bare quote. */
    private static Map<String, String> parse(String line) {
        Map<String, String> found = new LinkedHashMap<>();
        assertThat(line).startsWith(line.substring(0, 16) + " smtp event");
        int at = 16 + " smtp event".length();
        while (at < line.length()) {
            assertThat(line.charAt(at)).isEqualTo(' ');
            int equals = line.indexOf('=', at);
            String key = line.substring(at + 1, equals);
            assertThat(key).matches("[a-z][a-z0-9_]*");
            int end = equals + 1;
            if (end < line.length() && line.charAt(end) == '"') {
                end++;
                while (line.charAt(end) != '"') {
                    end += line.charAt(end) == '\\' ? 2 : 1;
                }
                end++;
            } else {
                while (end < line.length() && line.charAt(end) != ' ') {
                    assertThat(line.charAt(end)).isNotIn('"', '=', '\\');
                    end++;
                }
            }
            assertThat(found.put(key, line.substring(equals + 1, end))).isNull();
            at = end;
        }
        return found;
    }
}
