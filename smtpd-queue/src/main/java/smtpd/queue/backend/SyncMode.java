package smtpd.queue.backend;

/** How a commit in plain files becomes durable. */
public enum SyncMode {
    /** Each file and folder is synced by itself, several commits in parallel. */
    FILE,
    /** All that was written at a moment shares one sync of the file system. */
    GROUP,
    /** Not at all: for benchmarks and memory disks. */
    NONE
}
