/**
 * The queue process: it alone draws ids, makes mail durable, and turns an id into an envelope.
 *
 * <p>Runs as {@code _smtpq} with the spool as its only reach. lka hands it envelopes, smtp content
 * and commits, the scheduler what is due, mta and mda results; control asks for listings. Storage
 * lies behind {@link smtpd.queue.backend.QueueBackend}. A storage error is always temporary: the
 * client hears 451 or 452, a result stays with its agent until it is stored, an unreadable envelope
 * is tried again later. When the process dies, everything that was not durable is forgotten and
 * what was is loaded again.
 */
package smtpd.queue;
