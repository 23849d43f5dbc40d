/**
 * One SMTP or LMTP conversation with one remote host: connect, greet, mail after mail, quit.
 *
 * <p>Called by {@code smtpd.mta.route}, which decides where to connect and which mail comes next;
 * calls Netty only. Runs in the mta process, on its event loop; content of large mails is read on
 * the content executor. Privilege: outgoing sockets, descriptors handed over by the queue.
 *
 * <p>Everything the peer sends is hostile: a reply is bounded in lines, bytes and time, and one
 * that cannot be right ends the session. Nothing here is permanent but a clear reply of the peer to
 * this very mail; whatever else ends a session leaves its mails deferred or untouched.
 */
package smtpd.mta.session;
