package smtpd.smtp;

import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;

/**
 * The date of our Received fields (RFC 5322 3.3): local time, numeric zone, day without leading
 * zero. Made once a second, not once a mail.
 */
final class MailDate {

    private static final String[] DAYS = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    private static final String[] MONTHS = {
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
    };

    private final ZoneId zone;
    private long second = Long.MIN_VALUE;
    private String text = "";

    MailDate(ZoneId zone) {
        this.zone = zone;
    }

    /** {@code Thu, 1 Jan 2026 09:05:00 +0100}. */
    String at(long epochSecond) {
        if (epochSecond != second) {
            text = format(Instant.ofEpochSecond(epochSecond).atZone(zone));
            second = epochSecond;
        }
        return text;
    }

    private static String format(ZonedDateTime t) {
        StringBuilder date = new StringBuilder(32);
        date.append(DAYS[t.getDayOfWeek().getValue() - 1]).append(", ").append(t.getDayOfMonth());
        date.append(' ').append(MONTHS[t.getMonthValue() - 1]).append(' ').append(t.getYear());
        two(date.append(' '), t.getHour());
        two(date.append(':'), t.getMinute());
        two(date.append(':'), t.getSecond());
        ZoneOffset offset = t.getOffset();
        int minutes = Math.abs(offset.getTotalSeconds() / 60);
        date.append(offset.getTotalSeconds() < 0 ? " -" : " +");
        two(date, minutes / 60);
        two(date, minutes % 60);
        return date.toString();
    }

    private static void two(StringBuilder to, int n) {
        to.append((char) ('0' + n / 10)).append((char) ('0' + n % 10));
    }
}
