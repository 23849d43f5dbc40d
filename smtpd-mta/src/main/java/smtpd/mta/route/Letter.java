package smtpd.mta.route;

import smtpd.envelope.Evpid;

/**
 * One envelope in our hands.
 *
 * @param rcpt recipient as given
 * @param dest recipient after expansion, the address of RCPT
 * @param dsnNotify NOTIFY value, empty when not given
 * @param orcpt ORCPT value, empty when not given
 * @param ctime creation, Unix seconds
 * @param retry tries before this one
 */
public record Letter(
        Evpid evpid,
        String rcpt,
        String dest,
        String dsnNotify,
        String orcpt,
        long ctime,
        int retry) {

    String domain() {
        return dest.substring(dest.lastIndexOf('@') + 1).toLowerCase(java.util.Locale.ROOT);
    }
}
