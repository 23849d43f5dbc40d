package smtpd.envelope;

import java.util.HexFormat;

/**
 * What is known of the content of a message, kept in each of its envelopes since any may be the
 * last one alive.
 *
 * @param size plain size in bytes
 * @param crc32c CRC32C (Castagnoli) of the plain content
 * @param lines number of LF in it
 */
public record ContentFacts(long size, int crc32c, long lines) {

    public ContentFacts {
        if (size < 0 || lines < 0) {
            throw new IllegalArgumentException("negative content size or lines");
        }
    }

    /** {@code SIZE CRC32C LINES}, as in the envelope text. */
    @Override
    public String toString() {
        return size + " " + HexFormat.of().toHexDigits(crc32c) + " " + lines;
    }
}
