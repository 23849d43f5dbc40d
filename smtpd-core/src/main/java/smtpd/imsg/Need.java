package smtpd.imsg;

/** Bits: what the next hop must offer for a message. */
public final class Need {

    public static final int EIGHT_BIT_MIME = 1;

    /** All envelopes need SMTPUTF8 (RFC 6531). */
    public static final int SMTPUTF8 = 1 << 1;

    /** Only envelopes with a non-ASCII address need SMTPUTF8. */
    public static final int SMTPUTF8_BY_ADDRESS = 1 << 2;

    public static final int REQUIRE_TLS = 1 << 3;
    public static final int TLS_OPTIONAL = 1 << 4;

    private Need() {}
}
