package smtpd.mta.session;

/**
 * One RCPT of a transaction.
 *
 * @param evpid the envelope it answers for
 * @param address without brackets
 * @param dsnNotify NOTIFY value as received (RFC 3461); empty when not given
 * @param orcpt ORCPT value as received; empty when not given
 */
public record Recipient(long evpid, String address, String dsnNotify, String orcpt) {

    String domain() {
        return address.substring(address.lastIndexOf('@') + 1);
    }
}
