package smtpd.ctl;

import java.nio.charset.StandardCharsets;

/**
 * Text from outside, made harmless for a terminal: control bytes, marks that turn the direction of
 * writing, and whatever else is no visible character become {@code \xHH} of their UTF-8 bytes.
 */
final class Printable {

    private static final char[] HEX = "0123456789abcdef".toCharArray();

    private Printable() {}

    static String of(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c < ' ' || c > '~' || c == '\\') {
                return escaped(text);
            }
        }
        return text;
    }

    private static String escaped(String text) {
        StringBuilder out = new StringBuilder(text.length() + 16);
        for (int i = 0; i < text.length(); ) {
            int point = text.codePointAt(i);
            int length = Character.charCount(point);
            if (point == '\\') {
                out.append("\\\\");
            } else if (isVisible(point)) {
                out.appendCodePoint(point);
            } else {
                String one = text.substring(i, i + length);
                for (byte b : one.getBytes(StandardCharsets.UTF_8)) {
                    out.append("\\x").append(HEX[b >> 4 & 15]).append(HEX[b & 15]);
                }
            }
            i += length;
        }
        return out.toString();
    }

    private static boolean isVisible(int point) {
        return switch (Character.getType(point)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.PRIVATE_USE,
                    Character.UNASSIGNED,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR ->
                    false;
            default -> true;
        };
    }
}
