package smtpd.imsg;

/** How a question to the DNS ended. */
public enum DnsStatus {
    OK,
    /** Trouble of the network or of a server: ask again later. */
    RETRY,
    /** The name is no domain name or no usable literal. */
    INVALID,
    /** The domain does not exist. */
    NO_NAME,
    /** The domain exists but has no mail host and no address. */
    NOT_FOUND,
    /** RFC 7505: the domain takes no mail. */
    NULL_MX
}
