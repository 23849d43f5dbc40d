package smtpd.envelope;

import java.util.HexFormat;

/**
 * The number of a message: 32 random bits, never 0 and never 0xffffffff, printed as 8 lower-case
 * hex digits.
 *
 * @param value the 32 bits
 */
public record Msgid(int value) implements Comparable<Msgid> {

    /** Stands for "no message" where an id is optional. */
    public static final Msgid NONE = new Msgid(0);

    public boolean isNone() {
        return value == 0;
    }

    /**
     * Reads up to 8 hex digits, case ignored, leading zeros may be missing.
     *
     * @throws NumberFormatException when the text is no such number
     */
    public static Msgid parse(String hex) {
        if (hex.isEmpty() || hex.length() > 8) {
            throw new NumberFormatException("not a message id: " + hex);
        }
        return new Msgid(Integer.parseUnsignedInt(hex, 16));
    }

    /** The two hex digits that name the bucket of this message in the spool. */
    public String bucket() {
        return toString().substring(0, 2);
    }

    @Override
    public int compareTo(Msgid other) {
        return Integer.compareUnsigned(value, other.value);
    }

    @Override
    public String toString() {
        return HexFormat.of().toHexDigits(value);
    }
}
