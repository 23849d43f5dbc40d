/**
 * The process that delivers to this host's mailboxes.
 *
 * <p>Called by queue (mail to deliver, acknowledgements), lka (who is this user, where is this
 * host) and control; calls queue (results, hold, release), lka and {@code smtpd.mda.deliver}. Runs
 * as mda, the one child that stays uid 0, with a cut bounding set, because only from there can a
 * thread become any recipient; as the user who started a private instance. It parses nothing
 * hostile: envelopes are the queue's, content is copied.
 *
 * <p>One event loop owns users, their queues and the results; a delivery blocks a session thread
 * and comes back as an event. A result is kept until the queue has stored it. When mda dies, what
 * was under way is tried again.
 */
package smtpd.mda;
