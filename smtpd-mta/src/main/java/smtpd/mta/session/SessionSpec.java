package smtpd.mta.session;

import java.net.InetAddress;
import java.net.InetSocketAddress;

/**
 * Whom to call and how, fixed when the session starts.
 *
 * @param id session id of the log
 * @param remote address and port
 * @param source local address to bind; null = the system chooses
 * @param hostName name of the remote host, for texts
 * @param helo name we greet with
 * @param lmtp LMTP (RFC 2033) instead of SMTP
 * @param smarthost named by the administrator, not found by MX
 * @param mailMax mails of one session
 * @param rcptMax recipients of one mail
 * @param keepAliveMillis how long an idle session stays
 * @param pauseMillis rest between two mails
 * @param maxFailures refused recipients in a row that end the session; 0 = none
 * @param joined the next mail's commands may ride in the write that ends the content before
 */
public record SessionSpec(
        long id,
        InetSocketAddress remote,
        InetAddress source,
        String hostName,
        String helo,
        boolean lmtp,
        boolean smarthost,
        int mailMax,
        int rcptMax,
        long keepAliveMillis,
        long pauseMillis,
        int maxFailures,
        boolean joined,
        Timeouts timeouts) {

    /** {@code name [address]}, as texts and reports name the host. */
    public String peer() {
        return hostName + " [" + remote.getAddress().getHostAddress() + "]";
    }
}
