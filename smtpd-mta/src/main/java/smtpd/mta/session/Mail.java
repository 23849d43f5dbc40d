package smtpd.mta.session;

/**
 * What all recipients of a transaction share.
 *
 * @param sender without brackets, empty for the null sender
 * @param size bytes with CR LF line ends, for {@code SIZE=} (RFC 1870)
 * @param ret RET value as received (RFC 3461); empty when not given
 * @param envid ENVID value as received; empty when not given
 * @param content stored bytes
 */
public record Mail(
        String sender,
        long size,
        boolean eightBit,
        boolean utf8,
        String ret,
        String envid,
        Content content) {}
