package smtpd.conf;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;

/** "Did you mean": the words of a set that a misspelt one is close to. */
final class Nearest {

    private static final int MAX_LISTED = 8;

    private Nearest() {}

    /** {@code did you mean "x"?}, or {@code ... "x" or "y"?}; empty when nothing is near. */
    static String suggestion(String word, Collection<String> candidates) {
        List<String> near = near(word, candidates);
        return switch (near.size()) {
            case 0 -> "";
            case 1 -> "did you mean \"" + near.getFirst() + "\"?";
            default -> "did you mean \"" + near.get(0) + "\" or \"" + near.get(1) + "\"?";
        };
    }

    /** A suggestion, or else what is valid, at most eight. */
    static String suggestionOrList(String word, Collection<String> valid) {
        String near = suggestion(word, valid);
        return near.isEmpty() ? expected(valid) : near;
    }

    /** {@code expected one of a, b, ...}. */
    static String expected(Collection<String> valid) {
        if (valid.isEmpty()) {
            return "";
        }
        StringBuilder text =
                new StringBuilder(valid.size() == 1 ? "expected " : "expected one of ");
        int count = 0;
        for (String word : valid) {
            if (count == MAX_LISTED) {
                return text.append(", ...").toString();
            }
            text.append(count++ == 0 ? "" : ", ").append(word);
        }
        return text.toString();
    }

    private static List<String> near(String word, Collection<String> candidates) {
        int limit = word.length() <= 4 ? 1 : 2;
        record Scored(String word, int distance) {}
        List<Scored> scored = new ArrayList<>();
        for (String candidate : candidates) {
            int distance = distance(word, candidate, limit);
            if (distance <= limit && distance < candidate.length()) {
                scored.add(new Scored(candidate, distance));
            }
        }
        scored.sort(Comparator.comparingInt(Scored::distance).thenComparing(Scored::word));
        return scored.stream().limit(2).map(Scored::word).toList();
    }

    /** Damerau-Levenshtein (optimal string alignment); anything above {@code limit} is one more. */
    static int distance(String a, String b, int limit) {
        if (Math.abs(a.length() - b.length()) > limit) {
            return limit + 1;
        }
        int[] beforeLast = new int[b.length() + 1];
        int[] last = new int[b.length() + 1];
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            last[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int change = a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1;
                int best = Math.min(Math.min(row[j - 1], last[j]) + 1, last[j - 1] + change);
                if (i > 1
                        && j > 1
                        && a.charAt(i - 1) == b.charAt(j - 2)
                        && a.charAt(i - 2) == b.charAt(j - 1)) {
                    best = Math.min(best, beforeLast[j - 2] + 1);
                }
                row[j] = best;
            }
            int[] free = beforeLast;
            beforeLast = last;
            last = row;
            row = free;
        }
        return Math.min(last[b.length()], limit + 1);
    }
}
