package smtpd.log;

import java.util.Locale;
import java.util.OptionalInt;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The subsystems that can be traced, with the bits of the classic mask and the words of every
 * generation. Each is a logger that is off until {@link Logging#trace}; call {@link #isOn} before
 * building any text. Trace lines leave at severity info, so that a syslog without debug shows them.
 */
public enum Trace {
    DEBUG(0x1),
    IMSG(0x2),
    IO(0x4),
    SMTP(0x8),
    FILTERS(0x10),
    MTA(0x20),
    BOUNCE(0x40),
    SCHEDULER(0x80),
    LOOKUP(0x100),
    STAT(0x200),
    RULES(0x400),
    MPROC(0x800),
    EXPAND(0x1000),
    TABLES(0x2000),
    QUEUE(0x4000);

    static final String LOGGERS = "smtpd.trace.";

    private final int bit;
    private final String word;

    /** The switch itself: logback holds whether it is on, as for every logger of the process. */
    @SuppressWarnings("ImmutableEnumChecker")
    private final Logger log;

    Trace(int bit) {
        this.bit = bit;
        this.word = name().toLowerCase(Locale.ROOT);
        this.log = LoggerFactory.getLogger("smtpd.trace." + word);
    }

    /** Its bit in the mask that crosses between processes. */
    public int bit() {
        return bit;
    }

    /** The word {@code smtpctl trace} takes. */
    public String word() {
        return word;
    }

    String logger() {
        return LOGGERS + word;
    }

    /**
     * The bits of a word of any generation; {@code all} is everything but debug.
     *
     * @return empty when there is no such word
     */
    public static OptionalInt mask(String word) {
        String today = today(word);
        int mask = 0;
        for (Trace trace : values()) {
            if (word.equals("all") ? trace != DEBUG : trace.word.equals(today)) {
                mask |= trace.bit;
            }
        }
        return mask == 0 ? OptionalInt.empty() : OptionalInt.of(mask);
    }

    private static String today(String word) {
        return switch (word) {
            case "incoming" -> "smtp";
            case "filter", "mfa" -> "filters";
            case "transfer" -> "mta";
            case "bounces" -> "bounce";
            case "stats" -> "stat";
            case "msg-size" -> "mproc";
            case "table" -> "tables";
            default -> word;
        };
    }

    /** Whether anybody wants its lines: a field read. */
    public boolean isOn() {
        return log.isInfoEnabled();
    }

    /**
     * Writes {@code trace=smtp sid=... dir=in text="..."}; the caller has left secrets out.
     *
     * @param direction {@code in}, {@code out}, or empty when it has none
     */
    public void line(long sid, String direction, String text) {
        StringBuilder line = new StringBuilder(96).append("trace=").append(word).append(" sid=");
        LogLine.appendId(line, sid);
        if (!direction.isEmpty()) {
            line.append(" dir=").append(direction);
        }
        line.append(" text=\"");
        LogLine.appendEscaped(line, text, LogLine.MAX_BYTES - 1);
        log.info(line.append('"').toString());
    }
}
