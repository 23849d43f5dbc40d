package smtpd.ctl;

import java.util.List;
import java.util.OptionalLong;

/**
 * The words of {@code trace} and {@code profile} with their bits. The same as {@code
 * smtpd.log.Trace} has, which would bring the logging library with it; a test compares them.
 */
final class TraceWords {

    /** Words of every generation, each at the place of its bit. */
    private static final List<String> TRACES =
            List.of(
                    "debug",
                    "imsg",
                    "io",
                    "smtp incoming",
                    "filters filter mfa",
                    "mta transfer",
                    "bounce bounces",
                    "scheduler",
                    "lookup",
                    "stat stats",
                    "rules",
                    "mproc msg-size",
                    "expand",
                    "tables table",
                    "queue");

    private static final List<String> PROFILES = List.of("imsg", "queue");

    private TraceWords() {}

    static OptionalLong trace(String word) {
        return word.equals("all") ? OptionalLong.of(bits(TRACES) & ~1L) : bit(TRACES, word);
    }

    static OptionalLong profile(String word) {
        return word.equals("all") ? OptionalLong.of(bits(PROFILES)) : bit(PROFILES, word);
    }

    /** First words only, for people. */
    static String traces() {
        return first(TRACES);
    }

    static String profiles() {
        return first(PROFILES);
    }

    private static long bits(List<String> words) {
        return (1L << words.size()) - 1;
    }

    private static OptionalLong bit(List<String> words, String wanted) {
        for (int i = 0; i < words.size(); i++) {
            for (String word : words.get(i).split(" ")) {
                if (word.equals(wanted)) {
                    return OptionalLong.of(1L << i);
                }
            }
        }
        return OptionalLong.empty();
    }

    private static String first(List<String> words) {
        StringBuilder text = new StringBuilder();
        for (String each : words) {
            text.append(each.split(" ")[0]).append(' ');
        }
        return text.append("all").toString();
    }
}
