package smtpd.lka.rule;

import smtpd.imsg.SocketAddr;
import smtpd.mail.MailAddress;

/**
 * What the conditions of a rule look at.
 *
 * @param source the client; {@link SocketAddr#LOCAL} for local enqueue and our own notices
 * @param isInternal produced by an alias or a {@code .forward}, or a notice of ours: its source is
 *     this host, whatever the session was
 * @param isAuthenticated logged in, or local enqueue
 * @param username login, empty when there is none
 * @param dest the address being routed
 */
public record Subject(
        SocketAddr source,
        boolean isInternal,
        boolean isAuthenticated,
        String username,
        String tag,
        MailAddress sender,
        MailAddress dest) {}
