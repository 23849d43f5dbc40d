package smtpd.envelope;

/** Which agent an envelope is for. The ordinal is its number on the wire. */
public enum EnvelopeType {
    /** A mailbox or command of this machine. */
    MDA,
    /** Another host. */
    MTA,
    /** A failure report that is still to be written. */
    BOUNCE
}
