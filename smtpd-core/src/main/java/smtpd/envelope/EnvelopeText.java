package smtpd.envelope;

/**
 * The text form of an envelope: {@code name: value} lines in the spool and between processes. The
 * last line is the CRC32C of all before it, so that a torn file is recognised. Reading never
 * throws.
 */
public final class EnvelopeText {

    /** Longest text that is read, in bytes. */
    public static final int MAX_STORED = 64 * 1024;

    /** Longest text that is made, not counting kept lines of unknown names, in bytes. */
    public static final int MAX_WRITTEN = 16 * 1024;

    static final int MAX_ERRORLINE = 2047;

    private EnvelopeText() {}

    /** The text with all our fields. */
    public static byte[] dump(Envelope envelope) {
        return new EnvelopeWriter(false).write(envelope);
    }

    /** The text without any field that the C original would call corrupt. */
    public static byte[] dumpClassic(Envelope envelope) {
        return new EnvelopeWriter(true).write(envelope);
    }

    /**
     * Reads what lies in the spool.
     *
     * @param serverName stands in for a missing {@code smtpname}
     * @param now Unix seconds; a {@code ctime} more than ten years ahead is damage
     */
    public static Verdict parse(byte[] text, String serverName, long now) {
        return new EnvelopeParser(text, serverName, now).verdict();
    }

    /**
     * Reads what another process of ours sent: there is no clock and no server name to compare
     * with.
     */
    public static Verdict parse(byte[] text) {
        return parse(text, "localhost", Long.MAX_VALUE - EnvelopeParser.TEN_YEARS);
    }
}
