package smtpd.smtp;

import java.nio.charset.StandardCharsets;

/** Character classes of RFC 5321 and comparisons on bytes, so that a command needs no String. */
final class Ascii {

    private static final byte LETTER_DIGIT = 1;
    private static final byte ATEXT = 2;
    private static final byte[] CLASS = classes();

    private Ascii() {}

    private static byte[] classes() {
        byte[] table = new byte[256];
        for (int c = 0; c < 128; c++) {
            if (isDigit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')) {
                table[c] = LETTER_DIGIT | ATEXT;
            } else if ("!#$%&'*+-/=?^_`{|}~".indexOf(c) >= 0) {
                table[c] = ATEXT;
            }
        }
        return table;
    }

    static boolean isLetterOrDigit(int c) {
        return (CLASS[c & 0xff] & LETTER_DIGIT) != 0;
    }

    static boolean isDigit(int c) {
        return c >= '0' && c <= '9';
    }

    /** RFC 5322 3.2.3 atext. */
    static boolean isAtext(int c) {
        return (CLASS[c & 0xff] & ATEXT) != 0;
    }

    static int lower(int c) {
        return c >= 'A' && c <= 'Z' ? c + 32 : c;
    }

    /**
     * The bytes equal a word, letters compared without case.
     *
     * @param word in lower case
     */
    static boolean is(byte[] a, int from, int to, String word) {
        return to - from == word.length() && startsWith(a, from, to, word);
    }

    /** The bytes begin with a word given in lower case, letters compared without case. */
    static boolean startsWith(byte[] a, int from, int to, String word) {
        int length = word.length();
        if (to - from < length) {
            return false;
        }
        for (int i = 0; i < length; i++) {
            if (lower(a[from + i]) != word.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    /** First index of {@code c} in the range, or {@code to}. */
    static int indexOf(byte[] a, int from, int to, int c) {
        int i = from;
        while (i < to && a[i] != c) {
            i++;
        }
        return i;
    }

    static int skipBlanks(byte[] a, int from, int to) {
        int i = from;
        while (i < to && a[i] == ' ') {
            i++;
        }
        return i;
    }

    static boolean hasHighBit(byte[] a, int from, int to) {
        int bits = 0;
        for (int i = from; i < to; i++) {
            bits |= a[i];
        }
        return bits < 0;
    }

    /** Text that has been checked: ASCII, or well-formed UTF-8. */
    static String text(byte[] a, int from, int to) {
        return hasHighBit(a, from, to)
                ? new String(a, from, to - from, StandardCharsets.UTF_8)
                : new String(a, from, to - from, StandardCharsets.ISO_8859_1);
    }

    /** Any bytes for a log line: everything outside printable ASCII is {@code ?}. */
    static String printable(byte[] a, int from, int to) {
        StringBuilder text = new StringBuilder(to - from);
        for (int i = from; i < to; i++) {
            text.append(a[i] >= 32 && a[i] < 127 ? (char) a[i] : '?');
        }
        return text.toString();
    }
}
