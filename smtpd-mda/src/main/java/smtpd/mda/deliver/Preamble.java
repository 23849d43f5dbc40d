package smtpd.mda.deliver;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import smtpd.mail.MailAddress;

/** The lines written in front of the stored content; every method but LMTP gets both. */
final class Preamble {

    private static final String[] DAYS = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    private static final String[] MONTHS = {
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
    };

    private Preamble() {}

    /**
     * {@code Return-Path} (RFC 5321 4.4, with brackets also for a bounce) and {@code Delivered-To},
     * which names the address given at RCPT.
     */
    static byte[] headers(Job job) {
        return ("Return-Path: <" + job.sender() + ">\n" + deliveredTo(job))
                .getBytes(StandardCharsets.UTF_8);
    }

    /** {@code Delivered-To} alone: an LMTP server writes the return path itself. */
    static byte[] lmtpHeaders(Job job) {
        return deliveredTo(job).getBytes(StandardCharsets.UTF_8);
    }

    private static String deliveredTo(Job job) {
        return "Delivered-To: " + job.rcpt() + "\n";
    }

    /** The line that begins a mail of an mbox, in local time, the day padded with a blank. */
    static byte[] fromLine(MailAddress sender, Instant now, ZoneId zone) {
        ZonedDateTime time = now.atZone(zone);
        StringBuilder line = new StringBuilder(64).append("From ");
        String from = sender.isNull() ? "MAILER-DAEMON" : sender.toString();
        for (int i = 0; i < from.length(); i++) {
            char c = from.charAt(i);
            line.append(c <= ' ' || c == 0x7f ? '_' : c);
        }
        line.append(' ').append(DAYS[time.getDayOfWeek().ordinal()]);
        line.append(' ').append(MONTHS[time.getMonthValue() - 1]).append(' ');
        if (time.getDayOfMonth() < 10) {
            line.append(' ');
        }
        line.append(time.getDayOfMonth()).append(' ');
        two(line, time.getHour()).append(':');
        two(line, time.getMinute()).append(':');
        two(line, time.getSecond()).append(' ').append(time.getYear()).append('\n');
        return line.toString().getBytes(StandardCharsets.UTF_8);
    }

    private static StringBuilder two(StringBuilder out, int number) {
        return number < 10 ? out.append('0').append(number) : out.append(number);
    }

    /** Whether an address could end a header line: refused at SMTP, looked at again here. */
    static boolean breaksLine(MailAddress address) {
        return breaksLine(address.local()) || breaksLine(address.domain());
    }

    private static boolean breaksLine(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '\r' || c == '\n' || c == 0) {
                return true;
            }
        }
        return false;
    }
}
