package smtpd.conf;

/** What a relay action demands of the connection beyond what its URL says. */
public enum TlsPolicy {
    /** STARTTLS when offered, certificate not looked at. */
    OPPORTUNISTIC,
    /** No TLS, no mail; certificate not looked at. */
    REQUIRED,
    /** No verified TLS, no mail. */
    VERIFIED
}
