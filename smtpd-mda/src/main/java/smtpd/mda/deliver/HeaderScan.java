package smtpd.mda.deliver;

import java.nio.charset.StandardCharsets;
import java.util.Locale;
import smtpd.mail.MailAddress;

/**
 * Looks once through the header of a mail: has it been in this mailbox before, is it marked as
 * spam.
 *
 * <p>The header ends at the first line with neither a colon nor a leading blank, or after 1 MiB.
 * The address given at RCPT counts as well as the final one: a loop over an address forward carries
 * only the first.
 */
final class HeaderScan {

    static final int MAX_HEADER = 1 << 20;
    private static final int MAX_FIELD = 1024;
    private static final String DELIVERED_TO = "delivered-to";

    private final String dest;
    private final String rcpt;
    private final byte[] field = new byte[MAX_FIELD];
    private int length;
    private boolean colon;
    private boolean blankStart;
    private boolean lineStart = true;
    private int seen;
    private boolean ended;
    private boolean looped;
    private boolean spam;

    HeaderScan(MailAddress dest, MailAddress rcpt) {
        this.dest = fold(dest.toString());
        this.rcpt = fold(rcpt.toString());
    }

    /** Takes the next bytes of the content; false when no more are wanted. */
    boolean feed(byte[] bytes, int offset, int count) {
        for (int i = offset; i < offset + count && !ended; i++) {
            take(bytes[i]);
        }
        return !ended;
    }

    /** The content is at its end: the last line counts without its line feed. */
    void end() {
        if (!ended && !lineStart) {
            take((byte) '\n');
        }
        field();
        ended = true;
    }

    boolean isLooped() {
        return looped;
    }

    boolean isSpam() {
        return spam;
    }

    private void take(byte b) {
        if (++seen > MAX_HEADER) {
            field();
            ended = true;
            return;
        }
        if (lineStart) {
            lineStart = false;
            blankStart = b == ' ' || b == '\t';
            colon = false;
            if (!blankStart) {
                field();
            }
        }
        if (b == '\n') {
            lineStart = true;
            ended = !colon && !blankStart;
            return;
        }
        colon |= b == ':';
        if (length < MAX_FIELD) {
            field[length] = b;
        }
        length++;
    }

    private void field() {
        int size = length;
        length = 0;
        if (size == 0 || size > MAX_FIELD) {
            return; // longer than any address: not ours
        }
        byte first = field[0];
        if (first == 'x' || first == 'X') {
            String line =
                    new String(field, 0, size, StandardCharsets.UTF_8).toLowerCase(Locale.ROOT);
            spam |= line.equals("x-spam: yes") || line.equals("x-spam-flag: yes");
        } else if (first == 'd' || first == 'D') {
            deliveredTo(new String(field, 0, size, StandardCharsets.UTF_8));
        }
    }

    private void deliveredTo(String line) {
        int at = line.indexOf(':');
        if (at < 0 || !line.substring(0, at).strip().equalsIgnoreCase(DELIVERED_TO)) {
            return;
        }
        String value = fold(line.substring(at + 1).strip());
        if (value.startsWith("<") && value.endsWith(">")) {
            value = value.substring(1, value.length() - 1);
        }
        looped |= value.equals(dest) || value.equals(rcpt);
    }

    private static String fold(String address) {
        return address.toLowerCase(Locale.ROOT);
    }
}
