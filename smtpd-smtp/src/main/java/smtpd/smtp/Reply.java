package smtpd.smtp;

import java.nio.charset.StandardCharsets;

/**
 * One answer to a client, ready as bytes in both forms: with the enhanced status code (RFC 2034),
 * and without it for a session that said HELO.
 */
final class Reply {

    static final Reply OK = of(250, "2.0.0", "Ok");
    static final Reply MAIL_OK = of(250, "2.1.0", "Ok");
    static final Reply RCPT_OK = of(250, "2.1.5", "Destination address valid: Recipient ok");
    static final Reply RESET = of(250, "2.0.0", "Reset state");
    static final Reply BYE = of(221, "2.0.0", "Bye");
    static final Reply CANNOT_VERIFY = of(252, "2.0.0", "Cannot verify, try RCPT");
    static final Reply HELP =
            new Reply(
                    214,
                    "2.0.0",
                    "Commands: HELO EHLO MAIL RCPT DATA BDAT RSET NOOP QUIT VRFY HELP STARTTLS"
                            + " AUTH",
                    "This is smtpd");
    static final Reply START_INPUT = of(354, "", "Enter mail, end with \".\" on a line by itself");

    static final Reply NOT_CRLF = of(500, "5.5.2", "Lines must end in CR LF");
    static final Reply INVALID_CHARACTER = of(500, "5.5.2", "Invalid character in command");
    static final Reply LINE_TOO_LONG = of(500, "5.5.2", "Line too long");
    static final Reply EMPTY_COMMAND = of(500, "5.5.2", "Empty command");
    static final Reply UNRECOGNIZED = of(500, "5.5.2", "Command unrecognized");
    static final Reply MAIL_SERVER = of(500, "5.5.1", "This is a mail server");
    static final Reply NOT_IMPLEMENTED = of(502, "5.5.1", "Command not implemented");
    static final Reply NO_EXPN = of(502, "5.5.1", "EXPN not available");
    static final Reply NO_STARTTLS = of(502, "5.5.1", "STARTTLS not available");
    static final Reply NO_AUTH = of(502, "5.5.1", "AUTH not available");
    static final Reply ALREADY_AUTHENTICATED = of(503, "5.5.1", "Already authenticated");
    static final Reply HELO_SYNTAX = of(501, "", "Syntax: HELO domain");
    static final Reply EHLO_SYNTAX = of(501, "", "Syntax: EHLO domain");
    static final Reply HELO_NAME = of(501, "", "Invalid domain name");

    static final Reply SAY_EHLO = of(503, "5.5.1", "Say EHLO first");
    static final Reply MAIL_GIVEN = of(503, "5.5.1", "MAIL already given");
    static final Reply SEND_RSET = of(503, "5.5.1", "Transaction failed, send RSET");
    static final Reply NEED_MAIL = of(503, "5.5.1", "Need MAIL first");
    static final Reply NOT_AFTER_BDAT = of(503, "5.5.1", "Not after BDAT");
    static final Reply NEED_RCPT = of(503, "5.5.1", "Need RCPT first");
    static final Reply NOT_IN_TRANSACTION = of(503, "5.5.1", "Not during a mail transaction");
    static final Reply NO_VALID_RECIPIENTS = of(554, "5.5.1", "No valid recipients");

    static final Reply SENDER_SYNTAX = of(501, "5.1.7", "Sender address syntax error");
    static final Reply RECIPIENT_SYNTAX = of(501, "5.1.3", "Recipient address syntax error");
    static final Reply NEEDS_SMTPUTF8 = of(553, "5.6.7", "Non-ASCII address needs SMTPUTF8");
    static final Reply UNSUPPORTED_PARAMETER = of(555, "5.5.4", "Unsupported parameter");

    static final Reply TOO_MANY_MESSAGES = of(452, "4.7.0", "Too many messages in this session");
    static final Reply TOO_MANY_RECIPIENTS = of(452, "4.5.3", "Too many recipients");
    static final Reply TOO_BIG = of(552, "5.3.4", "Message too big");
    static final Reply HEADER_TOO_BIG = of(552, "5.3.4", "Message header too big");
    static final Reply FULL = of(452, "4.3.1", "Mail system full");
    static final Reply TEMPORARY = of(451, "4.3.0", "Temporary failure");
    static final Reply TRANSACTION_LOST = of(451, "4.3.0", "Transaction lost, start again");
    static final Reply BARE = of(550, "5.6.0", "Message contains a bare CR or LF");
    static final Reply NUL = of(550, "5.6.0", "Message contains a NUL byte");
    static final Reply CONTENT_LINE_TOO_LONG = of(500, "5.6.0", "Line too long");
    static final Reply LOOP = of(554, "5.4.6", "Routing loop detected");

    private final int code;
    private final String esc;
    private final String text;
    private final byte[] enhanced;
    private final byte[] plain;

    private Reply(int code, String esc, String text, String firstLine) {
        this.code = code;
        this.esc = esc;
        this.text = text;
        this.plain = encode(code, "", text, firstLine);
        this.enhanced = esc.isEmpty() ? plain : encode(code, esc, text, firstLine);
    }

    /**
     * A reply of one line.
     *
     * @param esc enhanced status code; empty where the protocol has none
     * @param text without CR and LF
     */
    static Reply of(int code, String esc, String text) {
        return new Reply(code, esc, text, "");
    }

    /** {@code 250 2.0.0 MSGID Message accepted for delivery}. */
    static Reply accepted(String msgid) {
        return of(250, "2.0.0", msgid + " Message accepted for delivery");
    }

    static Reply chunk(long octets) {
        return of(250, "2.0.0", octets + " octets received");
    }

    /** 421, which always closes; the name stands in front of the text. */
    static Reply closing(String esc, String name, String text) {
        return of(421, esc, name + " " + text);
    }

    /**
     * A line made by another process, checked again: one line, 4yz or 5yz, at most 512 bytes, no
     * control bytes.
     *
     * @param line {@code CODE [ESC] TEXT}; the code may be missing
     * @param fallback the reply when the line says nothing usable
     */
    static Reply foreign(String line, String esc, Reply fallback) {
        if (line.length() < 5
                || (line.charAt(0) != '4' && line.charAt(0) != '5')
                || !Ascii.isDigit(line.charAt(1))
                || !Ascii.isDigit(line.charAt(2))
                || line.charAt(3) != ' ') {
            return fallback;
        }
        int code = Integer.parseInt(line.substring(0, 3));
        String text = clean(line.substring(4));
        String found = escOf(text);
        if (!found.isEmpty()) {
            text = text.substring(found.length()).stripLeading();
        } else {
            found = esc.isEmpty() ? line.charAt(0) + ".0.0" : esc;
        }
        if (text.isEmpty() || found.charAt(0) != line.charAt(0)) {
            return fallback;
        }
        return of(code, found, text);
    }

    private static String clean(String text) {
        StringBuilder clean = new StringBuilder(text.length());
        for (int i = 0; i < text.length() && clean.length() < 480; i++) {
            char c = text.charAt(i);
            clean.append(c < 32 || (c >= 0x7f && c < 0xa0) ? '?' : c);
        }
        return clean.toString();
    }

    private static String escOf(String text) {
        int blank = text.indexOf(' ');
        String word = blank < 0 ? text : text.substring(0, blank);
        int dots = 0;
        for (int i = 0; i < word.length(); i++) {
            char c = word.charAt(i);
            if (c == '.') {
                dots++;
            } else if (!Ascii.isDigit(c)) {
                return "";
            }
        }
        return dots == 2 && word.length() >= 5 && word.length() <= 9 && word.charAt(1) == '.'
                ? word
                : "";
    }

    private static byte[] encode(int code, String esc, String text, String firstLine) {
        StringBuilder line = new StringBuilder(text.length() + 64);
        if (!firstLine.isEmpty()) {
            line.append(code).append('-').append(esc).append(esc.isEmpty() ? "" : " ");
            line.append(firstLine).append("\r\n");
        }
        line.append(code).append(' ').append(esc).append(esc.isEmpty() ? "" : " ");
        return line.append(text).append("\r\n").toString().getBytes(StandardCharsets.UTF_8);
    }

    int code() {
        return code;
    }

    String esc() {
        return esc;
    }

    String text() {
        return text;
    }

    /** The bytes on the wire, with CR LF; nobody changes them. */
    byte[] bytes(boolean withEnhancedCode) {
        return withEnhancedCode ? enhanced : plain;
    }

    /** 2yz, 3yz. */
    boolean isPositive() {
        return code < 400;
    }

    boolean isPermanent() {
        return code >= 500;
    }

    /** 421 says goodbye (RFC 5321 3.8): whoever hears it finds the connection closed. */
    boolean isClosing() {
        return code == 421;
    }

    /** Counts against a client that sends nonsense: 500 to 504 and 555. */
    boolean isBadCommand() {
        return (code >= 500 && code <= 504) || code == 555;
    }

    /** {@code CODE [ESC] TEXT}, as logs show it. */
    @Override
    public String toString() {
        return esc.isEmpty() ? code + " " + text : code + " " + esc + " " + text;
    }
}
