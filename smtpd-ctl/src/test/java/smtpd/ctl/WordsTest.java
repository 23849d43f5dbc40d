package smtpd.ctl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class WordsTest {

    private static Verb verb(String line) {
        return Words.match(List.of(line.split(" "))).verb();
    }

    private static String refusal(String line) {
        try {
            return "matched " + verb(line);
        } catch (Failure e) {
            assertThat(e.status()).isEqualTo(Exit.COMMAND_LINE);
            return e.getMessage();
        }
    }

    private static List<String> keywords(Verb verb) {
        List<String> words = new ArrayList<>();
        for (String word : verb.pattern().split(" ")) {
            words.add(
                    switch (word) {
                        case "<id>", "<ids>", "<evpid>" -> "2fd2c1f2a1b3c4d5";
                        case "<msgid>" -> "2fd2c1f2";
                        case "<number>" -> "12";
                        case "<word>", "<words>" -> "imsg";
                        default -> word;
                    });
        }
        return words;
    }

    @Test
    void theSpellingsOfTheClassicManualWork() {
        assertThat(verb("sh ro")).isEqualTo(Verb.SHOW_ROUTES);
        assertThat(verb("sh q")).isEqualTo(Verb.SHOW_QUEUE);
        assertThat(verb("trace transfer")).isEqualTo(Verb.TRACE);
        assertThat(verb("t transfer")).isEqualTo(Verb.TRACE);
        assertThat(verb("profile imsg")).isEqualTo(Verb.PROFILE);
        assertThat(verb("schedule all")).isEqualTo(Verb.SCHEDULE_ALL);
        assertThat(verb("sc 2fd2c1f2")).isEqualTo(Verb.SCHEDULE);
        assertThat(verb("m")).isEqualTo(Verb.MONITOR);
        assertThat(verb("log v")).isEqualTo(Verb.LOG_VERBOSE);
        assertThat(verb("pause e all")).isEqualTo(Verb.PAUSE_ENVELOPES);
        assertThat(verb("pause mt")).isEqualTo(Verb.PAUSE_MTA);
        assertThat(verb("st")).isEqualTo(Verb.STOP);
        // A newer command does not take a prefix from a classic one.
        assertThat(verb("sh h")).isEqualTo(Verb.SHOW_HOSTS);
    }

    @Test
    void anAmbiguousPrefixListsWhatItCouldMean() {
        assertThat(refusal("sh s")).isEqualTo("possibilities are:\nshow stats\nshow status");
        assertThat(refusal("pause m")).isEqualTo("possibilities are:\npause mda\npause mta");
        assertThat(refusal("show nonsense"))
                .startsWith("possibilities are:\nshow envelope\n")
                .contains("\nshow routes");
        assertThat(refusal("show queue 2fd2c1f2 more")).startsWith("invalid command");
        assertThat(refusal("show")).contains("\nshow queue");
        assertThatThrownBy(() -> Words.match(List.of())).isInstanceOf(Failure.class);
        assertThatThrownBy(() -> Words.match(List.of(""))).isInstanceOf(Failure.class);
    }

    /**
     * Each prefix of each word of each command: that command, another by exact match, or a list.
     */
    @Test
    void everyPrefixOfEveryCommandIsUniqueExactOrRefused() {
        for (Verb verb : Verb.values()) {
            List<String> full = keywords(verb);
            assertThat(Words.match(full).verb()).isEqualTo(verb);
            for (int at = 0; at < full.size(); at++) {
                if (verb.pattern().split(" ")[at].startsWith("<")) {
                    continue;
                }
                for (int length = 1; length < full.get(at).length(); length++) {
                    String prefix = full.get(at).substring(0, length);
                    List<String> typed = new ArrayList<>(full);
                    typed.set(at, prefix);
                    Set<String> classic = siblings(full, at, prefix, true);
                    Set<String> all = siblings(full, at, prefix, false);
                    try {
                        Words.Match match = Words.match(typed);
                        String meant = match.verb().pattern().split(" ")[at];
                        boolean isClassics = classic.size() == 1 && classic.contains(meant);
                        boolean isParameter = meant.startsWith("<");
                        assertThat(isClassics || isParameter || all.equals(Set.of(meant)))
                                .as("%s means %s", typed, match.verb())
                                .isTrue();
                    } catch (Failure e) {
                        assertThat(e.getMessage()).startsWith("possibilities are:");
                        if (all.size() > 1 && classic.size() != 1) {
                            assertThat(e.getMessage().lines().skip(1).map(WordsTest::last))
                                    .containsExactlyInAnyOrderElementsOf(all);
                        }
                    }
                }
            }
        }
    }

    private static String last(String line) {
        return line.substring(line.lastIndexOf(' ') + 1);
    }

    /** Keywords at this place that begin so. */
    private static Set<String> siblings(
            List<String> full, int at, String prefix, boolean classicOnly) {
        Map<String, Boolean> found = new HashMap<>();
        for (Verb verb : Verb.values()) {
            List<String> other = keywords(verb);
            String[] pattern = verb.pattern().split(" ");
            if (other.size() > at
                    && other.subList(0, at).equals(full.subList(0, at))
                    && !pattern[at].startsWith("<")
                    && other.get(at).startsWith(prefix)) {
                found.merge(other.get(at), verb.isClassic(), Boolean::logicalOr);
            }
        }
        Set<String> words = new TreeSet<>(found.keySet());
        if (classicOnly) {
            words.removeIf(word -> !found.get(word));
        }
        return words;
    }

    @Test
    void idsAreToldByTheirLength() {
        assertThat(refusal("remove 2fd2")).contains("remove <ids>");
        assertThat(refusal("remove 00000000")).contains("remove <ids>");
        assertThat(refusal("remove 2fd2c1f2 all")).contains("remove <ids>");
        assertThat(refusal("show envelope 2fd2c1f2")).contains("show envelope <evpid>");
        assertThat(verb("discover 2FD2C1F2")).isEqualTo(Verb.DISCOVER);
        assertThat(verb("resume route 12")).isEqualTo(Verb.RESUME_ROUTE);
        assertThat(refusal("resume route -1")).contains("resume route <number>");
        assertThat(refusal("resume route 0")).contains("resume route <number>");
        assertThat(Words.match(List.of("remove", "2fd2c1f2", "2fd2c1f3a1b3c4d5")).arguments())
                .hasSize(2);
    }
}
