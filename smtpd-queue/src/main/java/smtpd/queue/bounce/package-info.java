/**
 * Notices of what happened to mail (RFC 3461, 3464): bounce envelopes that take the place of what
 * failed, and the one message that reports all of them to the sender.
 *
 * <p>Runs in the queue process, on its loop. Asks lka into which envelopes a return path expands
 * and commits a notice like any other mail. A bounce never bounces; what cannot be reported now is
 * tried again; a notice exists exactly once, whatever dies in between.
 */
package smtpd.queue.bounce;
