package smtpd.mda.deliver;

import java.nio.charset.StandardCharsets;

/**
 * Keeps the last non-empty line a command printed, at most 255 bytes, whatever it prints.
 *
 * <p>Memory is bounded: a command may print without end.
 */
final class OutputTail {

    static final int MAX = 255;

    private final byte[] line = new byte[MAX];
    private int length;
    private boolean blank = true;
    private byte[] last = new byte[0];

    void feed(byte[] bytes, int offset, int count) {
        for (int i = offset; i < offset + count; i++) {
            byte b = bytes[i];
            if (b == '\n') {
                endLine();
                continue;
            }
            blank &= b == ' ' || b == '\t' || b == '\r';
            if (length < MAX) {
                line[length++] = b;
            }
        }
    }

    private void endLine() {
        if (!blank) {
            last = java.util.Arrays.copyOf(line, length);
        }
        length = 0;
        blank = true;
    }

    /** The line as printable text: others than printable ASCII and UTF-8 as C-style escapes. */
    String text() {
        endLine();
        return printable(last, last.length);
    }

    /** Makes bytes from outside harmless to logs, envelopes and notices; cut at 255 bytes. */
    static String printable(byte[] bytes, int count) {
        int end = count;
        while (end > 0 && (bytes[end - 1] == '\r' || bytes[end - 1] == ' ')) {
            end--;
        }
        StringBuilder out = new StringBuilder(end + 16);
        int used = 0;
        for (int i = 0; i < end; ) {
            int size = utf8Size(bytes, i, end);
            String piece;
            if (size > 1) {
                piece = new String(bytes, i, size, StandardCharsets.UTF_8);
                int point = piece.codePointAt(0);
                if (Character.isISOControl(point) || point == 0x2028 || point == 0x2029) {
                    piece = escape(bytes[i]);
                    size = 1;
                }
            } else {
                piece = bytes[i] >= 0x20 && bytes[i] < 0x7f ? plain(bytes[i]) : escape(bytes[i]);
            }
            int cost = size > 1 ? size : piece.length();
            if (used + cost > MAX) {
                break;
            }
            used += cost;
            out.append(piece);
            i += size;
        }
        return out.toString();
    }

    private static String plain(byte b) {
        return switch (b) {
            case '"' -> "\\\"";
            case '\\' -> "\\\\";
            default -> String.valueOf((char) b);
        };
    }

    private static String escape(byte b) {
        return switch (b) {
            case '\t' -> "\\t";
            case '\r' -> "\\r";
            case '\n' -> "\\n";
            default -> {
                int value = b & 0xff;
                yield "\\x"
                        + Character.forDigit(value >> 4, 16)
                        + Character.forDigit(value & 15, 16);
            }
        };
    }

    /** Length of a well-formed UTF-8 sequence at {@code i}; 1 for anything else. */
    private static int utf8Size(byte[] bytes, int i, int end) {
        int b = bytes[i] & 0xff;
        int size = b < 0xc2 ? 1 : b < 0xe0 ? 2 : b < 0xf0 ? 3 : b < 0xf5 ? 4 : 1;
        if (i + size > end) {
            return 1;
        }
        for (int k = 1; k < size; k++) {
            if ((bytes[i + k] & 0xc0) != 0x80) {
                return 1;
            }
        }
        if (size > 1) {
            String decoded = new String(bytes, i, size, StandardCharsets.UTF_8);
            if (decoded.indexOf('\ufffd') >= 0) {
                return 1; // surrogate or overlong
            }
        }
        return size;
    }
}
