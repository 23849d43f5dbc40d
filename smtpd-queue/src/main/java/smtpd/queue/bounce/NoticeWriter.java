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
    private static final int MAX_RAW = 1_000;
    private static final int MAX_ANSWER = 1_000;
    private static final int MAX_DIAGNOSTIC = 2_000;
    private static final int FOLD = 78;

    /** Characters of a word that is not cut, at most 4 bytes each: a line holds 998. */
    private static final int MAX_WORD = 240;

    private final String serverName;
    private final ZoneId zone;

    /**
     * @param zone in which times are told
     */
    NoticeWriter(String serverName, ZoneId zone) {
        this.serverName = serverName;
        this.zone = zone;
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
        boolean utf8 = first.needs(Need.SMTPUTF8) || !isAscii(first.sender().toString());
        String name = first.smtpname().isEmpty() ? serverName : first.smtpname();
        boolean full =
                kind == BounceType.FAILED
                        && first.dsn().ret() == DsnReturn.FULL
                        && !first.needs(Need.REQUIRETLS)
                        && message.whole() != null;
        byte[] third = full ? message.whole() : message.header();
        String boundary = boundary(notice, third);
        StringBuilder t = new StringBuilder(2048);
        header(t, notice, name, reports, message, utf8, now);
        t.append("Content-Type: multipart/report; report-type=delivery-status;\n boundary=\"")
                .append(boundary)
                .append("\"\n\n");
        StringBuilder text = new StringBuilder(1024);
        text(text, name, original, kind, reports, message);
        part(t, boundary, "text/plain; charset=utf-8", !isAscii(text));
        t.append(text);
        StringBuilder status = new StringBuilder(1024);
        status(status, name, kind, reports, message, utf8);
        t.append('\n');
        part(
                t,
                boundary,
                utf8 ? "message/global-delivery-status" : "message/delivery-status",
                !isAscii(status));
        t.append(status).append('\n');
        String type =
                full
                        ? utf8 ? "message/global" : "message/rfc822"
                        : utf8 ? "message/global-headers" : "text/rfc822-headers";
        part(t, boundary, type, hasHigh(third));
        ByteArrayOutputStream out = new ByteArrayOutputStream(t.length() + third.length + 64);
        out.writeBytes(t.toString().getBytes(StandardCharsets.UTF_8));
        out.writeBytes(third);
        if (third.length == 0 || third[third.length - 1] != '\n') {
            out.write('\n');
        }
        // The line end before a boundary belongs to it: a whole mail keeps its own.
        String end = (full ? "\n--" : "--") + boundary + "--\n";
        out.writeBytes(end.getBytes(StandardCharsets.US_ASCII));
        return out.toByteArray();
    }

    private void header(
            StringBuilder t,
            Msgid notice,
            String name,
            List<Envelope> reports,
            OriginalMessage message,
            boolean utf8,
            Instant now) {
        Envelope first = reports.getFirst();
        int n = reports.size();
        String who = n == 1 ? shown(first).toString() : n + " recipients";
        if (!utf8 && !isAscii(who)) {
            who = "1 recipient";
        }
        t.append("Date: ").append(date(now)).append('\n');
        t.append("From: Mail Delivery System <MAILER-DAEMON@").append(name).append(">\n");
        t.append("To: <").append(first.sender()).append(">\n");
        t.append("Subject: ").append(Wording.subject(first.bounce().type())).append(": ");
        t.append(who).append('\n');
        t.append("Message-ID: <")
                .append(notice)
                .append('.')
                .append(now.getEpochSecond())
                .append('@')
                .append(name)
                .append(">\n");
        String id = clean(message.field("Message-ID"), 250);
        if (id.startsWith("<") && id.endsWith(">") && isAscii(id)) {
            t.append("In-Reply-To: ").append(id).append('\n');
        }
        t.append("Auto-Submitted: auto-replied\nMIME-Version: 1.0\n");
    }

    private static void part(StringBuilder t, String boundary, String type, boolean isHigh) {
        t.append("--").append(boundary).append("\nContent-Type: ").append(type).append('\n');
        if (isHigh) {
            t.append("Content-Transfer-Encoding: 8bit\n");
        }
        t.append('\n');
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
        // Decoding is bounded: a sender could make its field as long and as odd as it likes.
        String raw = message.field("Subject");
        String subject =
                clean(
                        HeaderText.decode(raw.substring(0, Math.min(raw.length(), MAX_RAW))),
                        MAX_SUBJECT);
        if (!subject.isEmpty()) {
            t.append(" \"").append(subject).append('"');
        }
        String arrival = arrival(message);
        if (!arrival.isEmpty()) {
            t.append(" of ").append(arrival);
        }
        t.append(' ').append(Wording.lead(kind, first, host(reports))).append("\n\n");
        for (Envelope report : reports) {
            t.append("  <").append(shown(report)).append(">\n");
            if (kind == BounceType.FAILED || kind == BounceType.DELAYED) {
                Wording.Reason reason = Wording.reason(report);
                wrapped(t, reason.sentence());
                String answer = clean(Wording.answer(report), MAX_ANSWER);
                if (!answer.isEmpty()) {
                    String remote = clean(report.remoteMta(), 255);
                    wrapped(t, remote.isEmpty() ? answer : remote + " said: " + answer);
                }
                if (kind == BounceType.FAILED) {
                    wrapped(t, "What to do: " + reason.advice() + ".");
                }
            }
        }
        t.append('\n');
        if (message.header().length == 0) {
            t.append("The content of your mail is missing here, so none of it is shown.\n\n");
        }
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

    /** The host that took all of these, empty when there were several. */
    private static String host(List<Envelope> reports) {
        String host = reports.getFirst().remoteMta();
        return reports.stream().allMatch(r -> r.remoteMta().equals(host)) ? clean(host, 255) : "";
    }

    /** Lines of at most 78 characters where there are blanks, and never of more than 998 bytes. */
    private static void wrapped(StringBuilder t, String text) {
        fold(t, text, "    ", "    ", 0);
    }

    private static void fold(StringBuilder t, String text, String first, String others, int least) {
        String indent = first;
        String rest = text;
        int from = least;
        while (indent.length() + rest.length() > FOLD) {
            int at = rest.lastIndexOf(' ', FOLD - indent.length());
            if (at <= from) {
                at = rest.indexOf(' ', from + 1);
            }
            if (at < 0 || at > MAX_WORD) {
                at = Math.min(rest.length(), MAX_WORD);
            }
            if (at == rest.length()) {
                break;
            }
            t.append(indent).append(rest, 0, at).append('\n');
            rest = rest.substring(at).stripLeading();
            indent = others;
            from = 0;
        }
        t.append(indent).append(rest).append('\n');
    }

    // ---- part 2

    private void status(
            StringBuilder t,
            String name,
            BounceType kind,
            List<Envelope> reports,
            OriginalMessage message,
            boolean utf8) {
        Envelope first = reports.getFirst();
        t.append("Reporting-MTA: dns; ").append(name).append('\n');
        if (!first.dsn().envid().isEmpty()) {
            field(t, "Original-Envelope-Id", clean(plain(first.dsn().envid()), 100), utf8);
        }
        String arrival = arrival(message);
        if (!arrival.isEmpty()) {
            t.append("Arrival-Date: ").append(arrival).append('\n');
        }
        for (Envelope report : reports) {
            t.append('\n');
            recipient(t, kind, report, utf8);
        }
    }

    private void recipient(StringBuilder t, BounceType kind, Envelope report, boolean utf8) {
        String orcpt = report.dsn().orcpt();
        if (!orcpt.isEmpty()) {
            int semicolon = orcpt.indexOf(';');
            String type = semicolon < 0 ? "rfc822" : orcpt.substring(0, semicolon);
            field(
                    t,
                    "Original-Recipient",
                    type + "; " + clean(plain(orcpt.substring(semicolon + 1)), 500),
                    utf8);
        }
        String recipient = shown(report).toString();
        String form = isAscii(recipient) ? "rfc822; " : "utf-8; ";
        field(t, "Final-Recipient", form + recipient, utf8);
        t.append("Action: ").append(kind.text(3)).append('\n');
        t.append("Status: ").append(statusCode(kind, report)).append('\n');
        boolean remote = !report.remoteMta().isEmpty();
        if (remote) {
            String host = clean(report.remoteMta(), 255);
            int blank = host.indexOf(' ');
            field(t, "Remote-MTA", "dns; " + (blank < 0 ? host : host.substring(0, blank)), utf8);
        }
        String said = Wording.answer(report);
        if (remote && !said.isEmpty()) {
            field(t, "Diagnostic-Code", "smtp; " + clean(said, MAX_DIAGNOSTIC), utf8);
        } else if (!report.errorline().isEmpty()) {
            field(
                    t,
                    "Diagnostic-Code",
                    "X-smtpd; " + clean(report.errorline(), MAX_DIAGNOSTIC),
                    utf8);
        }
        t.append("Last-Attempt-Date: ")
                .append(date(Instant.ofEpochSecond(report.ctime())))
                .append('\n');
        if (kind == BounceType.DELAYED) {
            t.append("Will-Retry-Until: ").append(retryUntil(report)).append('\n');
        }
    }

    private static String statusCode(BounceType kind, Envelope report) {
        String code = Wording.status(report);
        return switch (kind) {
            case FAILED -> code.isEmpty() ? "5.0.0" : code;
            case DELAYED -> code.startsWith("4.") ? code : "4.0.0";
            case DELIVERED, RELAYED, EXPANDED -> "2.0.0";
        };
    }

    private static void field(StringBuilder t, String name, String value, boolean utf8) {
        String line = name + ": " + (utf8 ? value : ascii(value));
        fold(t, line, "", " ", name.length() + 2);
    }

    /** Characters beyond ASCII as {@code \\x{HEX}} (RFC 6533 3). */
    private static String ascii(String text) {
        if (isAscii(text)) {
            return text;
        }
        StringBuilder ascii = new StringBuilder(text.length() + 16);
        text.codePoints()
                .forEach(
                        c -> {
                            if (c < 128) {
                                ascii.append((char) c);
                            } else {
                                ascii.append("\\x{")
                                        .append(Integer.toHexString(c).toUpperCase(Locale.ROOT))
                                        .append('}');
                            }
                        });
        return ascii.toString();
    }

    /** From xtext (RFC 3461 4) to what the sender meant. */
    private static String plain(String xtext) {
        if (xtext.indexOf('+') < 0) {
            return xtext;
        }
        StringBuilder plain = new StringBuilder(xtext.length());
        for (int i = 0; i < xtext.length(); i++) {
            char c = xtext.charAt(i);
            int high = c == '+' && i + 2 < xtext.length() ? hex(xtext.charAt(i + 1)) : -1;
            int low = high < 0 ? -1 : hex(xtext.charAt(i + 2));
            if (low >= 0) {
                plain.append((char) (high * 16 + low));
                i += 2;
            } else {
                plain.append(c);
            }
        }
        return plain.toString();
    }

    private static int hex(char c) {
        return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
    }

    // ---- pieces

    /** The recipient as the sender knows it: a forwarding is not revealed. */
    private static MailAddress shown(Envelope report) {
        return report.has(EnvelopeFlag.INTERNAL) ? report.rcpt() : report.dest();
    }

    private String retryUntil(Envelope report) {
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

    private String date(Instant when) {
        return DATE.format(ZonedDateTime.ofInstant(when, zone));
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
            boolean isLineEnd = c == '\u2028' || c == '\u2029';
            if (c >= ' ' && !(c >= 0x7f && c <= 0x9f) && !bidi && !isLineEnd) {
                clean.append(c);
            }
        }
        int last = clean.length() - 1;
        if (last >= 0 && Character.isHighSurrogate(clean.charAt(last))) {
            clean.setLength(last); // half of a character
        }
        return clean.toString().strip();
    }

    private static boolean isAscii(CharSequence text) {
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

    private static String boundary(Msgid notice, byte[] third) {
        String boundary = "=_" + notice;
        for (int i = 0; contains(third, boundary); i++) {
            boundary = "=_" + notice + i;
        }
        return boundary;
    }

    private static boolean contains(byte[] bytes, String ascii) {
        for (int i = 0; i + ascii.length() <= bytes.length; i++) {
            int n = 0;
            while (n < ascii.length() && bytes[i + n] == ascii.charAt(n)) {
                n++;
            }
            if (n == ascii.length()) {
                return true;
            }
        }
        return false;
    }
}
