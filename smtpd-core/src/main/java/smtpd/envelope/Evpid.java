package smtpd.envelope;

import java.util.HexFormat;

/**
 * The number of an envelope: the message id in the high half, a random low half unique in that
 * message. Printed as 16 lower-case hex digits. A low half of 0 names the message itself in tools.
 *
 * @param value the 64 bits
 */
public record Evpid(long value) implements Comparable<Evpid> {

    public static Evpid of(Msgid msgid, int low) {
        return new Evpid(((long) msgid.value() << 32) | (low & 0xffffffffL));
    }

    public static Evpid ofMessage(Msgid msgid) {
        return of(msgid, 0);
    }

    /**
     * Reads 9 to 16 hex digits, case ignored.
     *
     * @throws NumberFormatException when the text is no such number
     */
    public static Evpid parse(String hex) {
        if (hex.length() <= 8 || hex.length() > 16) {
            throw new NumberFormatException("not an envelope id: " + hex);
        }
        return new Evpid(Long.parseUnsignedLong(hex, 16));
    }

    public Msgid msgid() {
        return new Msgid((int) (value >>> 32));
    }

    public int low() {
        return (int) value;
    }

    @Override
    public int compareTo(Evpid other) {
        return Long.compareUnsigned(value, other.value);
    }

    @Override
    public String toString() {
        return HexFormat.of().toHexDigits(value);
    }
}
