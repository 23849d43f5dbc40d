package smtpd.mda.deliver;

/**
 * One delivery that has only to be written.
 *
 * <p>{@link #deliver} runs on a thread that is the recipient: it calls the kernel through {@link
 * Posix} and touches memory, nothing else. No log, no thread, no lock that another thread holds.
 */
interface Backend {

    /** Writes the mail; on any failure the mailbox is as it was. */
    Verdict deliver(Posix posix);
}
