package smtpd.smtp;

import java.util.Locale;

/**
 * Walks {@code KEY[=value]} parameters behind a path (RFC 5321 4.1.2 esmtp-param). What a key means
 * is up to {@link MailParameters} and {@link RecipientParameters}.
 */
final class Parameters {

    private static final int MAX_SHOWN_KEY = 40;

    private final byte[] a;
    private final int to;
    private int i;
    private int keyFrom;
    private int keyTo;
    private int valueFrom;
    private int valueTo;

    Parameters(byte[] a, int from, int to) {
        this.a = a;
        this.i = from;
        this.to = to;
    }

    /** Moves to the next parameter; false at the end. */
    boolean next() {
        i = Ascii.skipBlanks(a, i, to);
        if (i == to) {
            return false;
        }
        int end = Ascii.indexOf(a, i, to, ' ');
        keyFrom = i;
        keyTo = Ascii.indexOf(a, i, end, '=');
        valueFrom = keyTo == end ? -1 : keyTo + 1;
        valueTo = end;
        i = end;
        return true;
    }

    boolean is(String key) {
        return Ascii.is(a, keyFrom, keyTo, key);
    }

    boolean hasValue() {
        return valueFrom >= 0;
    }

    boolean valueIs(String word) {
        return hasValue() && Ascii.is(a, valueFrom, valueTo, word);
    }

    byte[] bytes() {
        return a;
    }

    int valueFrom() {
        return valueFrom;
    }

    int valueTo() {
        return valueTo;
    }

    int valueLength() {
        return hasValue() ? valueTo - valueFrom : 0;
    }

    String value() {
        return Ascii.text(a, valueFrom, valueTo);
    }

    /**
     * RFC 3461 4: printable ASCII without {@code +} and {@code =}, or {@code +} and two upper-case
     * hex digits; at least one character.
     *
     * @param utf8 well-formed UTF-8 is fine too
     */
    static boolean isXtext(byte[] a, int from, int to, boolean utf8) {
        int i = from;
        while (i < to) {
            int c = a[i];
            if (c == '+') {
                if (i + 2 >= to || !isUpperHex(a[i + 1]) || !isUpperHex(a[i + 2])) {
                    return false;
                }
                i += 3;
            } else if (c < 0) {
                int length = utf8 ? Utf8.length(a, i, to) : 0;
                if (length == 0) {
                    return false;
                }
                i += length;
            } else if (c > ' ' && c != '=' && c != 0x7f) {
                i++;
            } else {
                return false;
            }
        }
        return to > from;
    }

    private static boolean isUpperHex(int c) {
        return Ascii.isDigit(c) || (c >= 'A' && c <= 'F');
    }

    private boolean isKey() {
        for (int k = keyFrom; k < keyTo; k++) {
            if (!Ascii.isLetterOrDigit(a[k]) && a[k] != '-') {
                return false;
            }
        }
        return keyTo > keyFrom;
    }

    private String key() {
        return Ascii.text(a, keyFrom, keyTo).toUpperCase(Locale.ROOT);
    }

    /** Unknown, or belongs to an extension not offered to this session. */
    Reply unsupported() {
        return isKey() && keyTo - keyFrom <= MAX_SHOWN_KEY
                ? Reply.of(555, "5.5.4", "Unsupported parameter: " + key())
                : Reply.UNSUPPORTED_PARAMETER;
    }

    Reply bad() {
        return Reply.of(501, "5.5.4", "Bad " + key() + " parameter");
    }

    Reply twice() {
        return Reply.of(501, "5.5.4", key() + " given twice");
    }
}
