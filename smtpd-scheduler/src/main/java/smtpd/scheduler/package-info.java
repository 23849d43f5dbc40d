/**
 * When an envelope is tried, and in which batch. Knows ids and times alone: no sender, recipient or
 * content.
 *
 * <p>Called by: the queue (mail that became durable, results, what a returned agent holds) and
 * control (pause, listings, operations on ids). Calls: the queue, which alone can turn an id into
 * an envelope, and control with answers. Never talks to smtp, mta or mda.
 *
 * <p>Runs in the scheduler process as {@code _smtpd}, without a file, a network or a second thread:
 * everything lives on the event loop. A million envelopes are columns of ints, not objects; work on
 * many rows is cut into turns, so that new mail passes between.
 *
 * <p>When it fails: state is memory only, and the queue tells everything again. When the queue
 * dies, all is kept, no batch is sent, and what was in flight is matched with what the agents
 * really hold.
 */
package smtpd.scheduler;
