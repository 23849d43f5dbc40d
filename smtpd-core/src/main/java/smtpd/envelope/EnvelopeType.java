package smtpd.envelope;

/** Which agent an envelope is for. The ordinal is its number on the wire. */
public enum EnvelopeType {
    /** A mailbox or command of this machine. */
    MDA("mda"),
    /** Another host. */
    MTA("mta"),
    /** A failure report that is still to be written. */
    BOUNCE("bounce");

    private final String text;

    EnvelopeType(String text) {
        this.text = text;
    }

    /** The word of the envelope text. */
    public String text() {
        return text;
    }
}
