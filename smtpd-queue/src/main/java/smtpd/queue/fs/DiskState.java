package smtpd.queue.fs;

import java.time.Duration;
import java.time.InstantSource;
import smtpd.queue.backend.QueueBackend.Health;
import smtpd.queue.backend.QueueBackend.Stored;
import smtpd.queue.backend.SpoolConfig;
import smtpd.sys.Errno;
import smtpd.sys.Space;
import smtpd.sys.SysException;

/** Whether new mail can be taken: room, folders, and what the last failures mean for a while. */
final class DiskState {

    private static final Duration AFTER_IO_ERROR = Duration.ofSeconds(5);
    private static final Duration AFTER_NO_DESCRIPTOR = Duration.ofSeconds(1);

    private final SpoolConfig config;
    private final InstantSource clock;
    private final Store store;
    private volatile long pausedUntil;
    private volatile Health health = new Health(-1, -1, true, "");

    DiskState(SpoolConfig config, InstantSource clock, Store store) {
        this.config = config;
        this.clock = clock;
        this.store = store;
    }

    Health health() {
        return health;
    }

    /** Milliseconds that new mail has to wait; 0 = none. */
    long pause() {
        long until = pausedUntil;
        return until == 0 ? 0 : Math.max(0, until - clock.millis());
    }

    /** What a failed call means: always temporary. */
    Stored.Temporary failed(SysException e) {
        boolean isFull = e.errno() == Errno.ENOSPC || e.errno() == Errno.EDQUOT;
        Duration wait = AFTER_IO_ERROR;
        if (e.errno() == Errno.EMFILE || e.errno() == Errno.ENFILE) {
            wait = AFTER_NO_DESCRIPTOR;
            pause(wait);
        } else if (isSync(e) || e.errno() == Errno.EIO) {
            // The kernel may have dropped the pages: the file is given up, never synced again.
            pause(wait);
        }
        return new Stored.Temporary(e.getMessage(), wait, isFull);
    }

    private static boolean isSync(SysException e) {
        return e.call().startsWith("fdatasync")
                || e.call().startsWith("fsync")
                || e.call().startsWith("syncfs");
    }

    private void pause(Duration wait) {
        pausedUntil = clock.millis() + wait.toMillis();
    }

    /**
     * Looks again; each second and after a failure.
     *
     * @return whether the answer to "can mail be taken" changed
     */
    synchronized boolean look() {
        Health old = health;
        health = now();
        return old.accepting() != health.accepting() || !old.reason().equals(health.reason());
    }

    private Health now() {
        String wrong = store.spool.check();
        if (wrong != null) {
            store.problems.add("storage", "folder=spool", wrong);
            return new Health(-1, -1, false, "storage");
        }
        store.problems.solved("folder=spool");
        Space space;
        try {
            space = store.files.space(store.spool.queue());
        } catch (SysException e) {
            return new Health(-1, -1, false, "storage");
        }
        long inodes = space.totalInodes() == 0 ? -1 : space.freeInodes();
        String reason = "";
        if (space.isReadOnly()) {
            reason = "storage";
        } else if (isShort(space.freeBytes(), space.totalBytes())
                || space.freeBytes() < config.minFreeBytes()) {
            reason = "space";
        } else if (inodes >= 0 && isShort(inodes, space.totalInodes())) {
            reason = "inodes";
        } else if (pause() > 0) {
            reason = "io";
        }
        return new Health(space.freeBytes(), inodes, reason.isEmpty(), reason);
    }

    /** Nothing left is full, whatever the limit: the C original read it as "not reported". */
    private boolean isShort(long free, long total) {
        return free <= 0 || free * 100.0 / Math.max(total, 1) < config.minFreePercent();
    }
}
