package smtpd.smtp;

import java.nio.charset.StandardCharsets;
import smtpd.log.Trace;

/**
 * What {@code smtpctl trace smtp} and {@code trace io} show of a session. Call only while the word
 * is on; nothing here costs anything else. Content is counted, never shown, and what may be a
 * password is not printed.
 */
final class SessionTrace {

    private static final String REDACTED = "[redacted]";

    private SessionTrace() {}

    /** A line of the client, as far as it is no secret. */
    static void command(long sid, byte[] line, int from, int to, boolean inAuth) {
        Trace.SMTP.line(sid, "in", shown(line, from, to, inAuth));
    }

    /**
     * A line without its secrets. A client that gets AUTH wrong sends its password all the same:
     * behind blanks, or as lines of an exchange that was refused.
     */
    private static String shown(byte[] line, int from, int to, boolean inAuth) {
        int word = Ascii.skipBlanks(line, from, to);
        int end = Ascii.indexOf(line, word, to, ' ');
        if (Ascii.startsWith(line, word, to, "auth")) {
            return end == to && end - word == 4 ? "AUTH" : "AUTH " + REDACTED;
        }
        boolean isSecret = inAuth && Verb.of(line, word, end) == Verb.UNKNOWN;
        return isSecret ? REDACTED : Ascii.printable(line, from, to);
    }

    /** A line that is no command: nobody knows what it holds. */
    static void badLine(long sid, LineScanner.Found fault) {
        Trace.SMTP.line(sid, "in", "[" + fault + "]");
    }

    /** Lines of replies, each ended by CR LF. */
    static void reply(long sid, byte[] bytes) {
        int from = 0;
        while (from < bytes.length) {
            int end = Ascii.indexOf(bytes, from, bytes.length, '\r');
            String line = new String(bytes, from, end - from, StandardCharsets.UTF_8);
            Trace.SMTP.line(sid, "out", line);
            from = end + 2;
        }
    }

    static void connected(long sid, Client client, SessionConfig config) {
        String tag = config.tag().isEmpty() ? "" : " tag " + config.tag();
        String text = "connection of " + client.text() + " to " + config.label() + tag;
        Trace.SMTP.line(sid, "", text);
    }

    static void state(long sid, Session.State from, Session.State to) {
        Trace.SMTP.line(sid, "", from + " -> " + to);
    }

    static void content(long sid, long octets) {
        Trace.SMTP.line(sid, "in", "[..." + octets + " bytes...]");
        Trace.SMTP.line(sid, "in", "[EOM]");
    }

    static void ended(long sid, String reason) {
        Trace.SMTP.line(sid, "", "end: " + reason);
    }

    /**
     * An event of the connection.
     *
     * @param in bytes that came and are not used up
     * @param out bytes the client has not taken
     */
    static void io(long sid, String event, long in, long out) {
        Trace.IO.line(sid, "", event + " ib=" + in + " ob=" + out);
    }
}
