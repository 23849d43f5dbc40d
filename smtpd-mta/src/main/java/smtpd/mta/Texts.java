package smtpd.mta;

import java.nio.charset.StandardCharsets;

/** Texts that must fit a field. */
final class Texts {

    private Texts() {}

    /** At most so many bytes of UTF-8, no character cut in two; what was cut ends in dots. */
    static String cut(String text, int maxBytes) {
        if (text.length() * 3 <= maxBytes) {
            return text;
        }
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        if (bytes.length <= maxBytes) {
            return text;
        }
        int end = maxBytes - 3;
        while (end > 0 && (bytes[end] & 0xc0) == 0x80) {
            end--;
        }
        return new String(bytes, 0, end, StandardCharsets.UTF_8) + "...";
    }
}
