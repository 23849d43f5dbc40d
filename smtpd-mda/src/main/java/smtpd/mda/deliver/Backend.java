package smtpd.mda.deliver;

/**
 * One mail that has only to be written.
 *
 * <p>The steps run one after the other on a thread that is the recipient: they call the kernel
 * through {@code smtpd.sys} and touch memory, nothing else. No log, no thread, no lock that another
 * thread holds. A thread with several mails takes each step for all of them before the next, so
 * that what waits for the disk waits for all at once.
 */
interface Backend {

    /** Writes what can be written without waiting for the disk. */
    default void start(Desk desk) {}

    /** Brings it to the disk, and gives it its name. */
    default void sync(Desk desk) {}

    /** What is left to do, and how it ended; on any failure the mailbox is as it was. */
    Verdict finish(Desk desk);
}
