package smtpd.envelope;

/** What the next hop must offer, or what the sender waived, for this mail. */
public enum Need {
    /** RFC 6152. */
    EIGHTBITMIME("8bitmime"),
    /** RFC 6531. */
    SMTPUTF8("smtputf8"),
    /** RFC 8689 4.2.1. */
    REQUIRETLS("requiretls"),
    /** RFC 8689 5: TLS-Required: No. */
    TLSOPTIONAL("tlsoptional");

    private final String text;

    Need(String text) {
        this.text = text;
    }

    /** The word of the envelope text. */
    public String text() {
        return text;
    }
}
