package smtpd.envelope;

/** How much of the mail a failure report returns (RFC 3461 4.3). */
public enum DsnReturn {
    HDRS,
    FULL
}
