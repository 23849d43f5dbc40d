package smtpd.log;

import java.time.Instant;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import smtpd.sys.DevLog;

/**
 * Lines to the syslog daemon, facility mail, in the form local daemons read (RFC 3164 4.1.1 without
 * the host): {@code <22>Nov 5 14:02:11 smtpd[4711]: <line>}.
 */
final class SyslogSink implements Sink {
    private static final int FACILITY_MAIL = 2 << 3;
    private static final int PATIENCE_MILLIS = 500;
    private static final String[] MONTHS = {
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
    };

    private final DevLog log;
    private final ZoneId zone;
    private final String ident;
    private final StringBuilder line = new StringBuilder(512);
    private final byte[] datagram = new byte[8192];
    private long second = Long.MIN_VALUE;
    private String stamp = "";
    private long reported;

    /**
     * @param ident name and pid, {@code smtpd[4711]}
     */
    SyslogSink(DevLog log, ZoneId zone, String ident) {
        this.log = log;
        this.zone = zone;
        this.ident = ident;
    }

    @Override
    public void put(int severity, long millis, String text) {
        long lost = log.dropped();
        if (!send(severity, millis, text) || lost == reported) {
            return;
        }
        // It takes lines again: say what it missed.
        reported = lost;
        String missed = LogLine.of("log", "dropped").add("lines", lost).toString();
        send(Severity.WARNING, millis, missed);
    }

    private boolean send(int severity, long millis, String text) {
        line.setLength(0);
        line.append('<').append(FACILITY_MAIL | severity).append('>').append(stamp(millis));
        line.append(ident).append(": ").append(text);
        return log.send(datagram, Ascii.put(line, datagram, 0), PATIENCE_MILLIS);
    }

    /** Built once a second. */
    private String stamp(long millis) {
        long now = Math.floorDiv(millis, 1000L);
        if (now != second) {
            second = now;
            ZonedDateTime time = Instant.ofEpochSecond(now).atZone(zone);
            StringBuilder text = new StringBuilder(MONTHS[time.getMonthValue() - 1]).append(' ');
            pair(text, time.getDayOfMonth(), ' ', ' ');
            pair(text, time.getHour(), '0', ':');
            pair(text, time.getMinute(), '0', ':');
            pair(text, time.getSecond(), '0', ' ');
            stamp = text.toString();
        }
        return stamp;
    }

    private static void pair(StringBuilder to, int number, char pad, char after) {
        if (number < 10) {
            to.append(pad);
        }
        to.append(number).append(after);
    }

    @Override
    public void flush() {}

    @Override
    public void close() {
        log.close();
    }
}
