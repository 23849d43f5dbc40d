package smtpd.queue.bounce;

import java.io.ByteArrayOutputStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

/** Encoded words of a header field as text (RFC 2047). */
final class HeaderText {

    private HeaderText() {}

    /** What cannot be decoded stays as it is. */
    static String decode(String value) {
        StringBuilder text = new StringBuilder();
        int at = 0;
        boolean afterWord = false;
        while (at < value.length()) {
            int start = value.indexOf("=?", at);
            if (start < 0) {
                return text.append(value, at, value.length()).toString();
            }
            int charsetEnd = value.indexOf('?', start + 2);
            int encodingEnd = charsetEnd < 0 ? -1 : value.indexOf('?', charsetEnd + 1);
            int end = encodingEnd < 0 ? -1 : value.indexOf("?=", encodingEnd + 1);
            String between = value.substring(at, start);
            // Blanks between two encoded words are not part of the text (RFC 2047 6.2).
            if (!(afterWord && between.isBlank())) {
                text.append(between);
            }
            String word =
                    end < 0
                            ? null
                            : decodeWord(
                                    value.substring(start + 2, charsetEnd),
                                    value.substring(charsetEnd + 1, encodingEnd),
                                    value.substring(encodingEnd + 1, end));
            if (word == null) {
                text.append("=?");
                at = start + 2;
                afterWord = false;
            } else {
                text.append(word);
                at = end + 2;
                afterWord = true;
            }
        }
        return text.toString();
    }

    private static String decodeWord(String charset, String encoding, String data) {
        try {
            Charset set = Charset.forName(charset.replaceFirst("\\*.*", ""));
            byte[] bytes =
                    encoding.equalsIgnoreCase("B")
                            ? Base64.getDecoder().decode(data.getBytes(StandardCharsets.US_ASCII))
                            : encoding.equalsIgnoreCase("Q") ? quoted(data) : null;
            return bytes == null ? null : new String(bytes, set);
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    private static byte[] quoted(String data) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int i = 0; i < data.length(); i++) {
            char c = data.charAt(i);
            if (c == '=' && i + 2 < data.length()) {
                bytes.write(Integer.parseInt(data.substring(i + 1, i + 3), 16));
                i += 2;
            } else {
                bytes.write(c == '_' ? ' ' : c);
            }
        }
        return bytes.toByteArray();
    }
}
