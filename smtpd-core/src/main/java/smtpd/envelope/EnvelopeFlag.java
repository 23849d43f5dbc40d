package smtpd.envelope;

/** Facts about how an envelope came in. */
public enum EnvelopeFlag {
    /** The session had authenticated. */
    AUTHENTICATED("authenticated"),
    /** Entered by the bouncer: a report of ours. */
    BOUNCE("bounce"),
    /** The result of a forward. */
    INTERNAL("internal");

    private final String text;

    EnvelopeFlag(String text) {
        this.text = text;
    }

    /** The word of the envelope text. */
    public String text() {
        return text;
    }
}
