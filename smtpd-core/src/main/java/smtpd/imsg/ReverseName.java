package smtpd.imsg;

/**
 * Answer to ReverseLookup.
 *
 * @param status OK, NOT_FOUND or RETRY
 * @param name the name without trailing dot; empty when there is none
 * @param forwardConfirmed one of the name's addresses is the asked one
 */
public record ReverseName(DnsStatus status, @Max(255) String name, boolean forwardConfirmed)
        implements LkaToSmtp, LkaToMta {}
