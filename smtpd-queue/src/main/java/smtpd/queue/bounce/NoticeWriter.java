package smtpd.queue.bounce;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import smtpd.envelope.BounceType;
import smtpd.envelope.DsnReturn;
import smtpd.envelope.Envelope;
import smtpd.envelope.EnvelopeFlag;
import smtpd.envelope.Msgid;
import smtpd.envelope.Need;
import smtpd.mail.MailAddress;

/**
 * Writes a notice: multipart/report (RFC 6522) with a text for people, the delivery status for
 * programs (RFC 3464), and the original's header or the whole of it. Lines end in LF, as stored.
 */
final class NoticeWriter {

    private static final DateTimeFormatter DATE =
            DateTimeFormatter.ofPattern("EEE, d MMM yyyy HH:mm:ss Z", Locale.ENGLISH);
    private static final int MAX_SUBJECT = 80;
    private static final int FOLD = 78;

    private final String serverName;

    NoticeWriter(String serverName) {
        this.serverName = serverName;
    }

    /**
     * @param notice id of the message being written
     * @param original id of the message it is about
     * @param reports bounce envelopes of one group, at least one
     */
    byte[] write(
            Msgid notice,
            Msgid original,
            List<Envelope> reports,
            OriginalMessage message,
            Instant now) {
        Envelope first = reports.getFirst();
        BounceType kind = first.bounce().type();
        boolean utf8 =
                first.needs(Need.SMTPUTF8) || reports.stream().anyMatch(NoticeWriter::isUtf8);
        String name = first.smtpname().isEmpty() ? serverName : first.smtpname();
        String boundary = boundary(notice, message);
        String who = reports.size() == 1 ? shown(first).toString() : reports.size() + " recipients";
        boolean full =
                kind == BounceType.FAILED
                        && first.dsn().ret() == DsnReturn.FULL
                        && !first.needs(Need.REQUIRETLS)
                        && message.whole() != null;
        StringBuilder t = new StringBuilder(2048);
        t.append("Date: ").append(date(now)).append('\n');
        t.append("From: Mail Delivery System <MAILER-DAEMON@").append(name).append(">\n");
        t.append("To: <").append(first.sender()).append(">\n");
        t.append("Subject: ").append(Wording.subject(kind)).append(": ").append(who).append('\n');
        t.append("Message-ID: <")
                .append(notice)
                .append('.')
                .append(now.getEpochSecond())
                .append('@')
                .append(name)
                .append(">\n");
        String id = clean(message.field("Message-ID"), 250);
        if (id.startsWith("<") && id.endsWith(">")) {
            t.append("In-Reply-To: ").append(id).append('\n');
        }
        t.append("Auto-Submitted: auto-replied\nMIME-Version: 1.0\n");
        t.append("Content-Type: multipart/report; report-type=delivery-status;\n boundary=\"")
                .append(boundary)
                .append("\"\n\n");
        t.append("--").append(boundary).append('\n');
        t.append("Content-Type: text/plain; charset=utf-8\n");
        if (hasHighText(message, reports)) {
            t.append("Content-Transfer-Encoding: 8bit\n");
        }
        t.append('\n');
        text(t, name, original, kind, reports, message);
        t.append("\n--").append(boundary).append('\n');
        t.append("Content-Type: message/")
                .append(utf8 ? "global-" : "")
                .append("delivery-status\n\n");
        status(t, name, kind, reports, message, utf8);
        t.append("\n--").append(boundary).append('\n');
        boolean high = hasHigh(full ? message.whole() : message.header());
        String type =
                full
                        ? utf8 ? "message/global" : "message/rfc822"
                        : utf8 ? "message/global-headers" : "text/rfc822-headers";
        t.append("Content-Type: ").append(type).append('\n');
        if (high) {
            t.append("Content-Transfer-Encoding: 8bit\n");
        }
        t.append('\n');
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(t.toString().getBytes(StandardCharsets.UTF_8));
        byte[] part = full ? message.whole() : message.header();
        out.writeBytes(part);
        if (part.length == 0 || part[part.length - 1] != '\n') {
            out.write('\n');
        }
        out.writeBytes(("\n--" + boundary + "--\n").getBytes(StandardCharsets.US_ASCII));
        return out.toByteArray();
    }

    // ---- part 1

    private void text(
            StringBuilder t,
            String name,
            Msgid original,
            BounceType kind,
            List<Envelope> reports,
            OriginalMessage message) {
        Envelope first = reports.getFirst();
        t.append("This is the mail system of ")
                .append(name)
                .append(". Please do not answer this mail.\n\n");
        t.append("Your mail");
        String subject = clean(HeaderText.decode(message.field("Subject")), MAX_SUBJECT);
        if (!subject.isEmpty()) {
            t.append(" \"").append(subject).append('"');
        }
        String arrival = arrival(message);
        if (!arrival.isEmpty()) {
            t.append(" of ").append(arrival);
        }
        t.append(' ').append(Wording.lead(kind, first)).append("\n\n");
        for (Envelope report : reports) {
            t.append("  <").append(shown(report)).append(">\n");
            if (kind == BounceType.FAILED || kind == BounceType.DELAYED) {
                Wording.Reason reason = Wording.reason(report);
                t.append("    ").append(reason.sentence()).append('\n');
                String answer = answer(report);
                if (!answer.isEmpty()) {
                    t.append("    ");
                    if (!report.remoteMta().isEmpty()) {
                        t.append(clean(report.remoteMta(), 255)).append(" said: ");
                    }
                    t.append(answer).append('\n');
                }
                if (kind == BounceType.FAILED) {
                    t.append("    What to do: ").append(reason.advice()).append(".\n");
                }
            }
        }
        t.append('\n');
        if (kind == BounceType.FAILED) {
            t.append("It will not be tried again. If you need help, write to\npostmaster@")
                    .append(name)
                    .append(" and quote the mail id ")
                    .append(original)
                    .append(".\n");
        } else if (kind == BounceType.DELAYED) {
            t.append("You need do nothing. It is tried again until ")
                    .append(retryUntil(first))
                    .append(";\nthen you get one more report.\n");
        }
    }

    // ---- part 2

    private static void status(
            StringBuilder t,
            String name,
            BounceType kind,
            List<Envelope> reports,
            OriginalMessage message,
            boolean utf8) {
        Envelope first = reports.getFirst();
        t.append("Reporting-MTA: dns; ").append(name).append('\n');
        if (!first.dsn().envid().isEmpty()) {
            field(t, "Original-Envelope-Id", first.dsn().envid());
        }
        String arrival = arrival(message);
        if (!arrival.isEmpty()) {
            t.append("Arrival-Date: ").append(arrival).append('\n');
        }
        for (Envelope report : reports) {
            t.append('\n');
            String orcpt = report.dsn().orcpt();
            if (!orcpt.isEmpty()) {
                int semicolon = orcpt.indexOf(';');
                field(
                        t,
                        "Original-Recipient",
                        semicolon < 0
                                ? "rfc822; " + orcpt
                                : orcpt.substring(0, semicolon)
                                        + "; "
                                        + orcpt.substring(semicolon + 1));
            }
            String recipient = shown(report).toString();
            field(
                    t,
                    "Final-Recipient",
                    (utf8 && isUtf8(report) ? "utf-8; " : "rfc822; ") + recipient);
            t.append("Action: ").append(kind.text(3)).append('\n');
            t.append("Status: ").append(statusCode(kind, report)).append('\n');
            boolean remote = !report.remoteMta().isEmpty();
            if (remote) {
                String host = report.remoteMta();
                int blank = host.indexOf(' ');
                field(t, "Remote-MTA", "dns; " + (blank < 0 ? host : host.substring(0, blank)));
            }
            if (!report.errorline().isEmpty()) {
                field(
                        t,
                        "Diagnostic-Code",
                        (remote ? "smtp; " : "X-smtpd; ") + clean(report.errorline(), 2000));
            }
            t.append("Last-Attempt-Date: ")
                    .append(date(Instant.ofEpochSecond(report.ctime())))
                    .append('\n');
            if (kind == BounceType.DELAYED) {
                t.append("Will-Retry-Until: ").append(retryUntil(report)).append('\n');
            }
        }
    }

    private static String statusCode(BounceType kind, Envelope report) {
        String esc = enhancedStatus(report);
        if (kind == BounceType.FAILED) {
            return esc.isEmpty() ? "5.0.0" : esc;
        }
        if (kind == BounceType.DELAYED) {
            return esc.startsWith("4.") ? esc : "4.0.0";
        }
        return "2.0.0";
    }

    /**
     * The envelope's own fields hold one digit of subject and detail; a longer status such as
     * 5.1.10 stands in the error line.
     */
    private static String enhancedStatus(Envelope report) {
        String stored = report.dsn().enhancedStatus();
        String line = report.errorline();
        int end = line.indexOf(' ', 4);
        if (stored.isEmpty() || end < 0 || line.charAt(3) != ' ') {
            return stored;
        }
        String told = line.substring(4, end);
        boolean isStatus =
                told.startsWith(stored.substring(0, 2))
                        && told.chars().filter(c -> c == '.').count() == 2
                        && told.chars().allMatch(c -> c == '.' || c >= '0' && c <= '9');
        return isStatus ? told : stored;
    }

    private static void field(StringBuilder t, String name, String value) {
        String line = name + ": " + value;
        while (line.length() > FOLD) {
            int at = line.lastIndexOf(' ', FOLD);
            if (at <= name.length() + 2) {
                break;
            }
            t.append(line, 0, at).append("\n ");
            line = line.substring(at + 1);
        }
        t.append(line).append('\n');
    }

    // ---- pieces

    /** The recipient as the sender knows it: a forwarding is not revealed. */
    private static MailAddress shown(Envelope report) {
        return report.has(EnvelopeFlag.INTERNAL) ? report.rcpt() : report.dest();
    }

    /** The error line; codes of 1xx and 6xx are ours, not a reply, and go. */
    private static String answer(Envelope report) {
        String line = clean(report.errorline(), 1000);
        boolean ours = line.length() > 4 && (line.charAt(0) == '1' || line.charAt(0) == '6');
        return ours ? line.substring(4) : line;
    }

    private static String retryUntil(Envelope report) {
        long until =
                report.ctime()
                        - report.bounce().delay().toSeconds()
                        + report.bounce().expire().toSeconds();
        return date(Instant.ofEpochSecond(until));
    }

    /** Date of the topmost Received field, which this daemon wrote. */
    private static String arrival(OriginalMessage message) {
        String received = message.field("Received");
        int semicolon = received.lastIndexOf(';');
        return semicolon < 0 ? "" : clean(received.substring(semicolon + 1).strip(), 60);
    }

    private static String date(Instant when) {
        return DATE.format(ZonedDateTime.ofInstant(when, ZoneId.systemDefault()));
    }

    /** Untrusted text on one line: no control, no bidirectional marks. */
    private static String clean(String text, int max) {
        StringBuilder clean = new StringBuilder(Math.min(text.length(), max));
        for (int i = 0; i < text.length() && clean.length() < max; i++) {
            char c = text.charAt(i);
            boolean bidi =
                    (c >= '\u202a' && c <= '\u202e')
                            || (c >= '\u2066' && c <= '\u2069')
                            || c == '\u200e'
                            || c == '\u200f'
                            || c == '\u061c';
            if (c >= ' ' && !(c >= 0x7f && c <= 0x9f) && !bidi) {
                clean.append(c);
            }
        }
        return clean.toString().strip();
    }

    private static boolean isUtf8(Envelope report) {
        return !isAscii(shown(report).toString()) || !isAscii(report.sender().toString());
    }

    private static boolean isAscii(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) > 127) {
                return false;
            }
        }
        return true;
    }

    private static boolean hasHigh(byte[] bytes) {
        for (byte b : bytes) {
            if (b < 0) {
                return true;
            }
        }
        return false;
    }

    private static boolean hasHighText(OriginalMessage message, List<Envelope> reports) {
        return !isAscii(HeaderText.decode(message.field("Subject")))
                || reports.stream().anyMatch(r -> isUtf8(r) || !isAscii(r.errorline()));
    }

    private static String boundary(Msgid notice, OriginalMessage message) {
        byte[] text = message.whole() != null ? message.whole() : message.header();
        String original = new String(text, StandardCharsets.ISO_8859_1);
        String boundary = "=_" + notice;
        for (int i = 0; original.contains(boundary); i++) {
            boundary = "=_" + notice + i;
        }
        return boundary;
    }
}
