package smtpd.conf;

import java.time.Duration;
import java.util.Optional;
import smtpd.mail.MailAddress;
import smtpd.table.TableRef;

/** What happens to mail a rule accepts. Envelopes keep {@link #name()}. */
public sealed interface Action {

    /**
     * The declared name, or for a classic rule {@code @} and 16 hex digits made from what the
     * action does: equal actions share it, and it survives reordering and restart.
     */
    String name();

    /** Life of its mail in the queue; absent: {@link Config#expire()}. */
    Optional<Duration> ttl();

    Retry retry();

    /**
     * Delivery on this host.
     *
     * @param userbase mapping user to {@code uid:gid:home}; absent: the system accounts
     * @param user deliver as this account, whoever the recipient is
     */
    record Local(
            String name,
            Delivery delivery,
            Expansion expansion,
            Optional<TableRef> userbase,
            Optional<String> user,
            Optional<Duration> ttl,
            Retry retry)
            implements Action {}

    /**
     * Delivery to another host.
     *
     * @param auth mapping from the label of the URL to credentials
     * @param source local addresses to send from
     * @param helo name at EHLO
     * @param heloTable mapping from source address to that name; wins when a source is bound
     * @param rewrite replaces the given parts of a sender that is not empty
     */
    record Remote(
            String name,
            Route route,
            TlsPolicy tls,
            Optional<TableRef> auth,
            Optional<TableRef> source,
            Optional<String> helo,
            Optional<TableRef> heloTable,
            Optional<MailAddress> rewrite,
            Optional<Duration> ttl,
            Retry retry)
            implements Action {}
}
