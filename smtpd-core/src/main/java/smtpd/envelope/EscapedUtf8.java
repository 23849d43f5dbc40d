package smtpd.envelope;

import java.nio.charset.StandardCharsets;

/**
 * UTF-8 that survives bytes which are not: such a byte becomes the lone surrogate U+DC80 + (byte -
 * 0x80) and turns back into that byte when written. No other lone surrogate makes a byte, so that
 * no line end can be smuggled in by one.
 */
final class EscapedUtf8 {

    private EscapedUtf8() {}

    static String decode(byte[] bytes, int offset, int length) {
        int end = offset + length;
        int i = offset;
        while (i < end && bytes[i] >= 0) {
            i++;
        }
        if (i == end) {
            return new String(bytes, offset, length, StandardCharsets.ISO_8859_1);
        }
        StringBuilder out = new StringBuilder(length);
        i = offset;
        while (i < end) {
            int size = sequence(bytes, i, end);
            if (size == 0) {
                out.append((char) (0xdc00 | (bytes[i] & 0xff)));
                i++;
            } else {
                out.append(new String(bytes, i, size, StandardCharsets.UTF_8));
                i += size;
            }
        }
        return out.toString();
    }

    /** Size of the well-formed sequence at {@code i} (RFC 3629 4), 0 = none. */
    private static int sequence(byte[] bytes, int i, int end) {
        int b = bytes[i] & 0xff;
        if (b < 0x80) {
            return 1;
        }
        int size =
                b >= 0xc2 && b < 0xe0
                        ? 2
                        : b >= 0xe0 && b < 0xf0 ? 3 : b >= 0xf0 && b < 0xf5 ? 4 : 0;
        if (size == 0 || i + size > end) {
            return 0;
        }
        for (int k = 1; k < size; k++) {
            if ((bytes[i + k] & 0xc0) != 0x80) {
                return 0;
            }
        }
        int second = bytes[i + 1] & 0xff;
        boolean bad =
                (b == 0xe0 && second < 0xa0)
                        || (b == 0xed && second > 0x9f)
                        || (b == 0xf0 && second < 0x90)
                        || (b == 0xf4 && second > 0x8f);
        return bad ? 0 : size;
    }

    /** Bytes that {@link #encode} makes of the text. */
    static int length(String text) {
        int n = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c < 0x80) {
                n++;
            } else if (c < 0x800) {
                n += 2;
            } else if (isPair(text, i)) {
                n += 4;
                i++;
            } else if (Character.isSurrogate(c)) {
                n++;
            } else {
                n += 3;
            }
        }
        return n;
    }

    private static boolean isPair(String text, int i) {
        return Character.isHighSurrogate(text.charAt(i))
                && i + 1 < text.length()
                && Character.isLowSurrogate(text.charAt(i + 1));
    }

    /** Writes at {@code at}, where {@link #length} bytes are free; returns the end. */
    static int encode(String text, byte[] to, int at) {
        int p = at;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c < 0x80) {
                to[p++] = (byte) c;
            } else if (c < 0x800) {
                to[p++] = (byte) (0xc0 | (c >> 6));
                to[p++] = (byte) (0x80 | (c & 0x3f));
            } else if (isPair(text, i)) {
                int cp = Character.toCodePoint(c, text.charAt(++i));
                to[p++] = (byte) (0xf0 | (cp >> 18));
                to[p++] = (byte) (0x80 | ((cp >> 12) & 0x3f));
                to[p++] = (byte) (0x80 | ((cp >> 6) & 0x3f));
                to[p++] = (byte) (0x80 | (cp & 0x3f));
            } else if (Character.isSurrogate(c)) {
                to[p++] = c >= 0xdc80 && c <= 0xdcff ? (byte) c : (byte) '?';
            } else {
                to[p++] = (byte) (0xe0 | (c >> 12));
                to[p++] = (byte) (0x80 | ((c >> 6) & 0x3f));
                to[p++] = (byte) (0x80 | (c & 0x3f));
            }
        }
        return p;
    }
}
