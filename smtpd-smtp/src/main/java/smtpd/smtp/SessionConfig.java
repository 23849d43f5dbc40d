package smtpd.smtp;

import java.nio.charset.StandardCharsets;
import smtpd.conf.Config;
import smtpd.conf.Limit;
import smtpd.conf.Listener;

/**
 * What one listener of one configuration lets its sessions do. A session keeps the one it began
 * with.
 *
 * @param configId the configuration
 * @param label the listener, for logs
 * @param name our name at banner, EHLO, in Received and where an address has no domain
 * @param tag label for rules
 * @param maskSource leave the client out of Received
 * @param dsn RFC 3461 is offered
 * @param local the submission socket: peers are users of this machine and count as logged in
 * @param maxMails accepted in one session
 * @param maxRecipients of one mail
 * @param maxPerSource sessions from one address; 0 unlimited
 * @param maxMessageBytes largest mail
 * @param inlineBytes content up to this travels in the commit
 * @param extensions the lines of an EHLO answer behind the greeting
 */
record SessionConfig(
        long configId,
        String label,
        String name,
        String tag,
        boolean maskSource,
        boolean dsn,
        boolean local,
        int maxMails,
        int maxRecipients,
        int maxPerSource,
        long maxMessageBytes,
        int inlineBytes,
        byte[] extensions) {

    private static final int MAX_INLINE = 192 << 10;

    /** A listener for TCP. */
    static SessionConfig of(Config config, Listener listener) {
        return make(
                config,
                listener.on() + ":" + listener.port(),
                listener.hostname().orElse(config.serverName()),
                listener.tag(),
                listener.maskSource(),
                listener.dsn(),
                false);
    }

    /** The submission socket. */
    static SessionConfig local(Config config) {
        Listener.Socket socket = config.submission();
        String tag = socket.tag().isEmpty() ? "local" : socket.tag();
        return make(
                config,
                "socket",
                config.serverName(),
                tag,
                socket.maskSource(),
                socket.dsn(),
                true);
    }

    private static SessionConfig make(
            Config config,
            String label,
            String name,
            String tag,
            boolean maskSource,
            boolean dsn,
            boolean local) {
        int maxMails = config.limits().intOf(Limit.SMTP_MAX_MAILS);
        int maxRecipients = config.limits().intOf(Limit.SMTP_MAX_RCPT);
        return new SessionConfig(
                config.configId(),
                label,
                name,
                tag,
                maskSource,
                dsn,
                local,
                maxMails,
                maxRecipients,
                config.limits().intOf(Limit.SMTP_MAX_SESSION_PER_HOST),
                config.maxMessageBytes(),
                (int) Math.min(config.queue().inlineContentBytes(), MAX_INLINE),
                extensions(config.maxMessageBytes(), dsn, maxMails, maxRecipients));
    }

    private static byte[] extensions(long size, boolean dsn, int maxMails, int maxRecipients) {
        StringBuilder lines = new StringBuilder(200);
        lines.append("250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250-SIZE ").append(size);
        lines.append(dsn ? "\r\n250-DSN" : "");
        lines.append("\r\n250-PIPELINING\r\n250-CHUNKING\r\n250-SMTPUTF8\r\n250-LIMITS MAILMAX=");
        lines.append(maxMails).append(" RCPTMAX=").append(maxRecipients);
        lines.append("\r\n250 HELP\r\n");
        return lines.toString().getBytes(StandardCharsets.US_ASCII);
    }
}
