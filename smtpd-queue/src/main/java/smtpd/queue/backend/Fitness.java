package smtpd.queue.backend;

import smtpd.envelope.Evpid;

/**
 * Tells whether a stored text can be read: a backend itself never parses. Asked before a
 * quarantined text comes back, on any thread.
 */
@FunctionalInterface
public interface Fitness {

    /** Why it cannot be read; null when it can. */
    String unfit(Evpid id, byte[] stored);
}
