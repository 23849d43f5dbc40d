package smtpd.log;

import java.nio.charset.StandardCharsets;
import org.slf4j.Logger;

/**
 * Builds one event line: {@code <sid> <who> <event> key=value ...}. Pure printable ASCII, one line,
 * at most 2000 bytes; what a peer sent stands inside quotes as soon as it holds anything a parser
 * could stumble over, so a hostile value can neither forge a key nor a second line.
 *
 * <p>Not thread-safe; one builder, one line, one call of {@link #info} or its sisters.
 */
public final class LogLine {
    /** Longest line in bytes; syslog daemons cut near 2 KiB. */
    public static final int MAX_BYTES = 2000;

    private static final String CUT = " truncated=1";
    private static final int ROOM = MAX_BYTES - CUT.length() - 1;
    private static final char[] HEX = "0123456789abcdef".toCharArray();

    private final StringBuilder line = new StringBuilder(256);
    private boolean isCut;

    private LogLine(long sid, String who, String event) {
        hex(sid);
        line.append(' ').append(who).append(' ').append(event);
    }

    /**
     * Starts a line.
     *
     * @param sid the session, 0 when the event belongs to none
     * @param who {@code smtp mta mda mfa lka queue scheduler bounce control parent table}
     * @param event one word, or words joined by {@code -}
     */
    public static LogLine of(long sid, String who, String event) {
        return new LogLine(sid, who, event);
    }

    /** A line of no session. */
    public static LogLine of(String who, String event) {
        return new LogLine(0, who, event);
    }

    /** Quoted only when it must be; a null value leaves the key out. */
    public LogLine add(String key, Object value) {
        return value == null ? this : text(key, value.toString(), false);
    }

    /** Always in quotes, for the keys that parsers of existing logs expect so. */
    public LogLine quoted(String key, Object value) {
        return text(key, value == null ? "" : value.toString(), true);
    }

    /** An address in angle brackets; an empty or null one is {@code <>}. */
    public LogLine address(String key, Object address) {
        return text(key, address == null ? "<>" : "<" + address + ">", false);
    }

    public LogLine add(String key, long value) {
        if (begin(key)) {
            line.append(value);
            cutNumber(key);
        }
        return this;
    }

    public LogLine add(String key, int value) {
        return add(key, (long) value);
    }

    public LogLine add(String key, boolean value) {
        return add(key, value ? 1L : 0L);
    }

    /** Sixteen hex digits: session and envelope ids. */
    public LogLine id(String key, long value) {
        if (begin(key)) {
            hex(value);
            cutNumber(key);
        }
        return this;
    }

    /** Eight hex digits: message ids. */
    public LogLine msgid(String key, int value) {
        if (begin(key)) {
            for (int shift = 28; shift >= 0; shift -= 4) {
                line.append(HEX[value >>> shift & 15]);
            }
            cutNumber(key);
        }
        return this;
    }

    /** For people and for scripts: {@code delay=1h2s delay_s=3602}. */
    public LogLine duration(String key, long seconds) {
        if (begin(key)) {
            appendDuration(line, seconds);
            line.append(' ').append(key).append("_s=").append(seconds);
            cutNumber(key);
        }
        return this;
    }

    /** {@code 1h2s}, {@code 3d4h5m}, {@code 0s}. */
    public static void appendDuration(StringBuilder to, long seconds) {
        long left = Math.max(0, seconds);
        int start = to.length();
        left = unit(to, left, 86_400, 'd');
        left = unit(to, left, 3_600, 'h');
        left = unit(to, left, 60, 'm');
        if (left > 0 || to.length() == start) {
            to.append(left).append('s');
        }
    }

    private static long unit(StringBuilder to, long seconds, int size, char letter) {
        if (seconds >= size) {
            to.append(seconds / size).append(letter);
        }
        return seconds % size;
    }

    public void info(Logger log) {
        if (log.isInfoEnabled()) {
            log.info(line.toString());
        }
    }

    public void warn(Logger log) {
        if (log.isWarnEnabled()) {
            log.warn(line.toString());
        }
    }

    public void error(Logger log) {
        if (log.isErrorEnabled()) {
            log.error(line.toString());
        }
    }

    public void debug(Logger log) {
        if (log.isDebugEnabled()) {
            log.debug(line.toString());
        }
    }

    /** The line as far as it is built. */
    @Override
    public String toString() {
        return line.toString();
    }

    /**
     * The rules for one value without a line around it: in quotes when empty or when it holds
     * anything but harmless printable ASCII.
     */
    static void appendValue(StringBuilder to, String value) {
        if (!isQuoteNeeded(value)) {
            to.append(value);
            return;
        }
        to.append('"');
        appendEscaped(to, value, Integer.MAX_VALUE);
        to.append('"');
    }

    private LogLine text(String key, String value, boolean isQuoted) {
        if (!begin(key)) {
            return this;
        }
        if (!isQuoted && !isQuoteNeeded(value)) {
            int left = ROOM - line.length();
            if (value.length() > left) {
                line.append(value, 0, Math.max(0, left));
                cut();
            } else {
                line.append(value);
            }
            return this;
        }
        line.append('"');
        boolean isWhole = appendEscaped(line, value, ROOM);
        line.append('"');
        if (!isWhole) {
            cut();
        }
        return this;
    }

    /** False when the line is full: the key is left out and the line says that it was cut. */
    private boolean begin(String key) {
        if (isCut) {
            return false;
        }
        if (line.length() + key.length() + 3 > ROOM) {
            cut();
            return false;
        }
        line.append(' ').append(key).append('=');
        return true;
    }

    /** A number is never shown in part: it would be another number. */
    private void cutNumber(String key) {
        if (line.length() > ROOM) {
            line.setLength(line.lastIndexOf(" " + key + "="));
            cut();
        }
    }

    private void cut() {
        line.append(CUT);
        isCut = true;
    }

    private static boolean isQuoteNeeded(String value) {
        int length = value.length();
        if (length == 0) {
            return true;
        }
        for (int i = 0; i < length; i++) {
            char c = value.charAt(i);
            if (c <= ' ' || c >= 0x7f || c == '"' || c == '=' || c == '\\') {
                return true;
            }
        }
        return false;
    }

    /** Stops before an escape that would pass {@code limit}; false when it had to. */
    static boolean appendEscaped(StringBuilder to, String value, int limit) {
        for (int i = 0; i < value.length(); i++) {
            int mark = to.length();
            char c = value.charAt(i);
            if (c >= ' ' && c < 0x7f) {
                if (c == '"' || c == '\\') {
                    to.append('\\');
                }
                to.append(c);
            } else if (c == '\n') {
                to.append("\\n");
            } else if (c < 0x80) {
                hexByte(to, c);
            } else {
                int width = Character.isSurrogatePair(c, next(value, i)) ? 2 : 1;
                byte[] bytes = value.substring(i, i + width).getBytes(StandardCharsets.UTF_8);
                for (byte b : bytes) {
                    hexByte(to, b & 0xff);
                }
                i += width - 1;
            }
            if (to.length() > limit) {
                to.setLength(mark);
                return false;
            }
        }
        return true;
    }

    private static char next(String value, int at) {
        return at + 1 < value.length() ? value.charAt(at + 1) : 0;
    }

    private static void hexByte(StringBuilder to, int value) {
        to.append("\\x").append(HEX[value >>> 4 & 15]).append(HEX[value & 15]);
    }

    private void hex(long value) {
        appendId(line, value);
    }

    /** Sixteen hex digits. */
    static void appendId(StringBuilder to, long value) {
        for (int shift = 60; shift >= 0; shift -= 4) {
            to.append(HEX[(int) (value >>> shift) & 15]);
        }
    }
}
