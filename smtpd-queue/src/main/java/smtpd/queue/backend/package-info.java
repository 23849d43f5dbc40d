/**
 * What the queue process asks of storage: bytes and ids, and one method that commits everything at
 * once, so that plain files, memory, a journal or a remote store fit behind it. Nothing above this
 * interface may assume that anything has a path.
 *
 * <p>Runs in the queue process as its account. Storage has no permanent failure: every trouble is
 * {@code Stored.Temporary} or {@code Unreadable}.
 */
package smtpd.queue.backend;
