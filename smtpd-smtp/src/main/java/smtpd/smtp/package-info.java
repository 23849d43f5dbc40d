/**
 * The SMTP server: listeners, sessions, the way of a mail from the client to the queue.
 *
 * <p>Runs in the smtp process as {@code _smtpd}: it faces the Internet, owns the sockets and
 * descriptors it was given and nothing else, opens no file and no connection. Clients call in by
 * TCP or by the local submission socket; it asks lka for names and recipients and the queue for
 * storage, and never makes an envelope itself. All state belongs to the event loop; content above
 * 128 KiB is written by a small executor.
 *
 * <p>When a peer process dies, what it owed becomes a 4yz answer and the session goes on. When this
 * process dies, clients are reset and the listening sockets wait in the parent; no mail that got
 * its 250 is touched.
 */
package smtpd.smtp;
