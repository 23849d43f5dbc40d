package smtpd.envelope;

import java.util.EnumSet;
import java.util.Set;

/** Reads the values that are words out of a fixed list. Every method refuses anything else. */
final class EnvelopeWords {

    private EnvelopeWords() {}

    static EnvelopeType type(String word) {
        for (EnvelopeType t : EnvelopeType.values()) {
            if (t.text().equalsIgnoreCase(word)) {
                return t;
            }
        }
        throw new IllegalArgumentException(word);
    }

    static MdaMethod method(String word) {
        for (MdaMethod m : MdaMethod.values()) {
            if (m.text().equalsIgnoreCase(word)) {
                return m;
            }
        }
        throw new IllegalArgumentException(word);
    }

    static BounceType bounce(String word) {
        for (BounceType b : BounceType.values()) {
            if (b.text(2).equalsIgnoreCase(word) || b.text(3).equalsIgnoreCase(word)) {
                return b;
            }
        }
        throw new IllegalArgumentException(word);
    }

    static DsnReturn ret(String word) {
        for (DsnReturn r : DsnReturn.values()) {
            if (r.name().equalsIgnoreCase(word)) {
                return r;
            }
        }
        throw new IllegalArgumentException(word);
    }

    static boolean isRaw(String word) {
        if (!word.equalsIgnoreCase("raw")) {
            throw new IllegalArgumentException(word);
        }
        return true;
    }

    static Set<EnvelopeFlag> flags(String words) {
        EnumSet<EnvelopeFlag> set = EnumSet.noneOf(EnvelopeFlag.class);
        for (String word : words(words)) {
            boolean known = word.equalsIgnoreCase("enqueued");
            for (EnvelopeFlag f : EnvelopeFlag.values()) {
                known |= f.text().equalsIgnoreCase(word) && (set.contains(f) || set.add(f));
            }
            demand(known, word);
        }
        return set;
    }

    static Set<RelayFlag> relayFlags(String words) {
        EnumSet<RelayFlag> set = EnumSet.noneOf(RelayFlag.class);
        for (String word : words(words)) {
            boolean known = false;
            for (RelayFlag f : RelayFlag.values()) {
                known |= f.text().equalsIgnoreCase(word) && (set.contains(f) || set.add(f));
            }
            if (!known) {
                throw new IllegalArgumentException("mta-relay-flags: bad value");
            }
        }
        return set;
    }

    static Set<Need> needs(String words) {
        EnumSet<Need> set = EnumSet.noneOf(Need.class);
        for (String word : words(words)) {
            boolean known = false;
            for (Need n : Need.values()) {
                known |= n.text().equalsIgnoreCase(word) && (set.contains(n) || set.add(n));
            }
            demand(known, word);
        }
        return set;
    }

    private static void demand(boolean known, String word) {
        if (!known) {
            throw new IllegalArgumentException(word);
        }
    }

    /** {@code suspended UID SECONDS}. */
    static Hold hold(String value) {
        String[] w = words(value);
        demand(w.length == 3 && w[0].equalsIgnoreCase("suspended"), value);
        return new Hold(number(w[1]), number(w[2]));
    }

    /** {@code SIZE CRC32C LINES}. */
    static ContentFacts content(String value) {
        String[] w = words(value);
        demand(w.length == 3 && w[1].length() == 8, value);
        return new ContentFacts(number(w[0]), Integer.parseUnsignedInt(w[1], 16), number(w[2]));
    }

    private static long number(String digits) {
        long n = Long.parseLong(digits);
        demand(n >= 0 && digits.charAt(0) >= '0' && digits.charAt(0) <= '9', digits);
        return n;
    }

    /** Splits at blank, comma and bar. */
    static String[] words(String text) {
        java.util.ArrayList<String> words = new java.util.ArrayList<>(4);
        int from = 0;
        for (int i = 0; i <= text.length(); i++) {
            boolean isEnd = i == text.length();
            char c = isEnd ? ' ' : text.charAt(i);
            if (c == ' ' || c == '\t' || c == ',' || c == '|') {
                if (i > from) {
                    words.add(text.substring(from, i));
                }
                from = i + 1;
            }
        }
        return words.toArray(new String[0]);
    }
}
