package smtpd.mta.session;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Reads replies from a hostile peer (RFC 5321 4.2): {@code NNN-text} lines end with {@code NNN
 * text} or a bare {@code NNN}; CR LF or LF ends a line. Bounded in lines and bytes; what breaks the
 * bounds is garbage and the session must end.
 */
final class ReplyParser {

    static final int MAX_LINE = 4_096;
    static final int MAX_LINES = 100;
    static final int MAX_REPLY = 64 * 1024;
    static final int MAX_TEXT = 2_047;

    private final byte[] line = new byte[MAX_LINE];
    private int lineLength;

    private byte[] text = new byte[256];
    private int textLength;
    private byte[] raw = new byte[0];
    private int rawLength;
    private boolean keepRaw;

    private int code;
    private int lines;
    private int bytes;
    private String esc = "";
    private String garbage;

    /** Keeps the lines of the next reply, without their code, for {@link #rawLines()}. */
    void keepLines() {
        keepRaw = true;
        rawLength = 0;
    }

    /** Text of the lines of the last reply read after {@link #keepLines()}, each ended by LF. */
    String rawLines() {
        String result = new String(raw, 0, rawLength, StandardCharsets.ISO_8859_1);
        raw = new byte[0];
        rawLength = 0;
        return result;
    }

    /** Why the input cannot be a reply; null while it can. Once set it stays. */
    String garbage() {
        return garbage;
    }

    /** A new connection: half a reply of the one before is nothing to it. */
    void forget() {
        reset();
        raw = new byte[0];
        rawLength = 0;
    }

    /**
     * Takes bytes up to the end of one reply.
     *
     * @return the reply; null when more input is needed or {@link #garbage()} is set
     */
    Reply read(ByteBuf in) {
        while (garbage == null && in.isReadable()) {
            int lf = in.indexOf(in.readerIndex(), in.writerIndex(), (byte) '\n');
            int end = lf < 0 ? in.writerIndex() : lf;
            int length = end - in.readerIndex();
            if (lineLength + length > MAX_LINE) {
                garbage = "line too long";
                return null;
            }
            in.readBytes(line, lineLength, length);
            lineLength += length;
            if (lf < 0) {
                return null;
            }
            in.skipBytes(1);
            if (lineLength > 0 && line[lineLength - 1] == '\r') {
                lineLength--;
            }
            if (takeLine()) {
                Reply reply = new Reply(code, esc, text());
                reset();
                return reply;
            }
            lineLength = 0;
        }
        return null;
    }

    /** True when the line was the last one of its reply. */
    private boolean takeLine() {
        bytes += lineLength + 2;
        if (lineLength < 3) {
            garbage = "line too short";
            return false;
        }
        if (++lines > MAX_LINES || bytes > MAX_REPLY) {
            garbage = "too many lines";
            return false;
        }
        int value = code(line);
        char separator = lineLength == 3 ? ' ' : (char) (line[3] & 0xff);
        if (value < 0 || (separator != ' ' && separator != '-')) {
            garbage = "code out of range";
            return false;
        }
        if (lines > 1 && value != code) {
            garbage = "codes differ";
            return false;
        }
        code = value;
        append();
        if (keepRaw) {
            keep();
        }
        return separator == ' ';
    }

    private static int code(byte[] line) {
        int first = line[0] - '0';
        int second = line[1] - '0';
        int third = line[2] - '0';
        boolean valid =
                first >= 2 && first <= 5 && second >= 0 && second <= 9 && third >= 0 && third <= 9;
        return valid ? first * 100 + second * 10 + third : -1;
    }

    private void append() {
        int start = Math.min(4, lineLength);
        int status = statusLength(start);
        if (lines == 1) {
            for (int i = 0; i < 3; i++) {
                put(line[i]);
            }
            if (status > 0) {
                esc =
                        (char) line[0]
                                + new String(
                                        line, start + 1, status - 1, StandardCharsets.US_ASCII);
            }
        } else if (status > 0 && repeatsStatus(start, status)) {
            // Servers repeat the enhanced code on every line; one is enough for a reader.
            start += status;
            while (start < lineLength && line[start] == ' ') {
                start++;
            }
        }
        if (start < lineLength) {
            put((byte) ' ');
            for (int i = start; i < lineLength && textLength <= MAX_TEXT; i++) {
                put(line[i]);
            }
        }
    }

    /**
     * Length of an enhanced status code {@code d.ddd.ddd} at {@code at} that ends there; else 0.
     */
    private int statusLength(int at) {
        int i = at;
        if (i + 5 > lineLength || (line[i] != '2' && line[i] != '4' && line[i] != '5')) {
            return 0;
        }
        i++;
        for (int part = 0; part < 2; part++) {
            if (i >= lineLength || line[i] != '.') {
                return 0;
            }
            int digits = ++i;
            while (i < lineLength && line[i] >= '0' && line[i] <= '9') {
                i++;
            }
            if (i == digits || i - digits > 3) {
                return 0;
            }
        }
        return i == lineLength || line[i] == ' ' ? i - at : 0;
    }

    private boolean repeatsStatus(int start, int length) {
        if (esc.length() != length) {
            return false;
        }
        for (int i = 1; i < length; i++) {
            if (esc.charAt(i) != line[start + i]) {
                return false;
            }
        }
        return true;
    }

    private void put(byte value) {
        if (textLength > MAX_TEXT) {
            return;
        }
        if (textLength == text.length) {
            text = Arrays.copyOf(text, Math.min(text.length * 2, MAX_TEXT + 1));
        }
        text[textLength++] = value;
    }

    private void keep() {
        int length = Math.max(0, lineLength - 4);
        if (rawLength + length + 1 > raw.length) {
            raw = Arrays.copyOf(raw, Math.max(512, (rawLength + length + 1) * 2));
        }
        if (length > 0) {
            System.arraycopy(line, 4, raw, rawLength, length);
        }
        rawLength += length;
        raw[rawLength++] = '\n';
    }

    private String text() {
        boolean cut = textLength > MAX_TEXT;
        int length = cut ? MAX_TEXT - 3 : textLength;
        boolean ascii = true;
        for (int i = 0; i < length; i++) {
            int value = text[i];
            if (value < 0) {
                ascii = false;
            } else if (value < 0x20 || value == 0x7f) {
                text[i] = '?';
            }
        }
        if (!ascii) {
            length = Utf8.clean(text, length);
        }
        String result = new String(text, 0, length, StandardCharsets.UTF_8);
        return cut ? result + "..." : result;
    }

    private void reset() {
        lineLength = 0;
        textLength = 0;
        lines = 0;
        bytes = 0;
        esc = "";
        keepRaw = false;
        if (text.length > 256) {
            text = new byte[256];
        }
    }
}
