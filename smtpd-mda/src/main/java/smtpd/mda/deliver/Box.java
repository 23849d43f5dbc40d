package smtpd.mda.deliver;

import smtpd.sys.At;
import smtpd.sys.Errno;
import smtpd.sys.Fd;
import smtpd.sys.FileInfo;
import smtpd.sys.Open;
import smtpd.sys.SysException;

/**
 * The three folders of one maildir, open. A thread keeps them for its next mails, for a second at
 * most and while the path still leads here: a user may put another maildir in its place.
 */
final class Box {

    private static final int FLAGS = Open.RDONLY | Open.DIRECTORY | Open.NOFOLLOW;
    private static final long KEPT_NANOS = 1_000_000_000L;

    private final String path;
    private final String newPath;
    private final int tmp;
    private final int fresh;
    private final int cur;
    private final FileInfo identity;
    private final long openedNanos = System.nanoTime();
    private boolean doubtful;
    private boolean unsynced;
    private int syncResult;

    private Box(String path, int tmp, int fresh, int cur, FileInfo identity) {
        this.path = path;
        this.newPath = path + "/new";
        this.tmp = tmp;
        this.fresh = fresh;
        this.cur = cur;
        this.identity = identity;
    }

    /**
     * Opens the folders below {@code dir}, making those that are missing.
     *
     * @param path of {@code dir}
     * @throws SysException named for the folder that failed
     */
    static Box open(int dir, String path) throws SysException {
        int tmp = -1;
        int fresh = -1;
        int cur = -1;
        try {
            tmp = folder(dir, "tmp");
            fresh = folder(dir, "new");
            cur = folder(dir, "cur");
            return new Box(path, tmp, fresh, cur, Fd.stat(fresh));
        } catch (SysException e) {
            Fd.closeQuietly(tmp);
            Fd.closeQuietly(fresh);
            Fd.closeQuietly(cur);
            throw e;
        }
    }

    private static int folder(int dir, String name) throws SysException {
        int fd = At.tryOpen(dir, name, FLAGS, 0);
        if (fd == -Errno.ENOENT) {
            int made = At.tryMkdir(dir, name, 0700);
            fd = made < 0 && made != -Errno.EEXIST ? made : At.tryOpen(dir, name, FLAGS, 0);
        }
        if (fd < 0) {
            throw new SysException(name, -fd);
        }
        return fd;
    }

    String path() {
        return path;
    }

    int tmp() {
        return tmp;
    }

    int fresh() {
        return fresh;
    }

    int cur() {
        return cur;
    }

    /** Time has passed: the next question looks again. */
    void doubt() {
        doubtful = true;
    }

    boolean isStill() {
        if (doubtful) {
            FileInfo now = At.tryLstat(At.CWD, newPath);
            doubtful =
                    now == null
                            || !now.isSameFile(identity)
                            || System.nanoTime() - openedNanos > KEPT_NANOS;
        }
        return !doubtful;
    }

    /** A name in {@code new} is to be made durable. */
    void changed() {
        unsynced = true;
    }

    /** Makes all names in {@code new} durable, once for all that changed: 0 or minus errno. */
    int sync() {
        if (unsynced) {
            unsynced = false;
            syncResult = Fd.tryFsync(fresh);
        }
        return syncResult;
    }

    void close() {
        Fd.closeQuietly(tmp);
        Fd.closeQuietly(fresh);
        Fd.closeQuietly(cur);
    }
}
