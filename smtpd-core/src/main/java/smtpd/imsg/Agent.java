package smtpd.imsg;

/** Who takes envelopes that are due. */
public enum Agent {
    MTA,
    MDA,
    /** The notice writer inside the queue. */
    BOUNCE
}
