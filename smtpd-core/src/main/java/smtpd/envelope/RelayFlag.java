package smtpd.envelope;

/** What a relay asks of the connection, on top of what its URL says. */
public enum RelayFlag {
    /** The certificate of the next hop must verify. */
    VERIFY("verify"),
    /** No delivery without TLS. */
    TLS("tls");

    private final String text;

    RelayFlag(String text) {
        this.text = text;
    }

    /** The word of the envelope text. */
    public String text() {
        return text;
    }
}
