/**
 * The backend that keeps mail in memory: for tests and benchmarks, and for relays that may forget.
 *
 * <p>Called by the queue process through {@link smtpd.queue.backend.QueueBackend}; calls nothing
 * but anonymous memory files for content that goes as a descriptor. No privilege, no file. When the
 * process ends all mail is gone.
 */
package smtpd.queue.ram;
