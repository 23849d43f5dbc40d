package smtpd.queue;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.zip.CRC32C;
import smtpd.envelope.Envelope;
import smtpd.envelope.EnvelopeText;

/**
 * The text of an envelope when its content is known: what lka wrote, and one line more. Writing all
 * of it anew would be the dearest step of a commit.
 */
final class Completion {

    /** {@code end: 8f2c03d1} and its line end. */
    private static final int END = 14;

    private Completion() {}

    /**
     * @param complete the same envelope with its content, and perhaps needs
     * @return exactly what {@link EnvelopeText#dump} gives
     */
    static byte[] text(Transaction.Staged staged, Envelope complete) {
        Envelope before = staged.envelope();
        byte[] text = staged.text();
        int end = text.length - END;
        boolean isOneLineMore =
                end > 0
                        && text[end] == 'e'
                        && text[end - 1] == '\n'
                        && before.content() == null
                        && before.kept().isEmpty()
                        && before.needs().equals(complete.needs());
        if (!isOneLineMore) {
            return EnvelopeText.dump(complete);
        }
        byte[] line = ("content: " + complete.content() + "\n").getBytes(StandardCharsets.US_ASCII);
        byte[] whole = Arrays.copyOf(text, text.length + line.length);
        System.arraycopy(line, 0, whole, end, line.length);
        CRC32C sum = new CRC32C();
        sum.update(whole, 0, end + line.length);
        byte[] last =
                ("end: " + HexFormat.of().toHexDigits((int) sum.getValue()) + "\n")
                        .getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(last, 0, whole, end + line.length, END);
        return whole.length > EnvelopeText.MAX_WRITTEN ? EnvelopeText.dump(complete) : whole;
    }
}
