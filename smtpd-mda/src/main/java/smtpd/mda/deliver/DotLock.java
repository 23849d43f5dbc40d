package smtpd.mda.deliver;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

/**
 * {@code NAME.lock} beside a mailbox: the oldest lock there is, and the only one some programs
 * take.
 *
 * <p>A lock older than five minutes, by the clock of its own file system, whose process is gone is
 * removed.
 */
final class DotLock {

    private static final long STALE_SECONDS = 300;

    private final Posix posix;
    private String name;
    private FileStat mine;

    DotLock(Posix posix) {
        this.posix = posix;
    }

    /** 0 when it is ours; {@link Errno#LOCKED} negated when somebody holds it. */
    int take(int dir, String lockName) {
        int flags = Posix.O_CREAT | Posix.O_EXCL | Posix.O_WRONLY | Posix.O_NOFOLLOW;
        int fd = posix.open(dir, lockName, flags, 0600);
        if (fd == -Errno.EEXIST && removeStale(dir, lockName)) {
            fd = posix.open(dir, lockName, flags, 0600);
        }
        if (fd == -Errno.EEXIST) {
            return -Errno.LOCKED;
        }
        if (fd < 0) {
            return fd;
        }
        byte[] pid = (ProcessHandle.current().pid() + "\n").getBytes(StandardCharsets.US_ASCII);
        MemorySegment buffer = posix.buffer();
        MemorySegment.copy(pid, 0, buffer, ValueLayout.JAVA_BYTE, 0, pid.length);
        int r = posix.writeFully(fd, buffer, pid.length);
        if (r == 0) {
            r = posix.fstat(fd);
        }
        posix.close(fd);
        if (r < 0) {
            posix.unlink(dir, lockName);
            return r;
        }
        mine = posix.stat();
        name = lockName;
        return 0;
    }

    /** By name, but only if the inode is still ours: who broke our lock keeps his. */
    void release(int dir) {
        if (mine != null && posix.lstat(dir, name) == 0 && posix.stat().isSameFile(mine)) {
            posix.unlink(dir, name);
        }
        mine = null;
    }

    private boolean removeStale(int dir, String lockName) {
        if (posix.lstat(dir, lockName) < 0) {
            return true;
        }
        FileStat found = posix.stat();
        if (!found.isRegular() || fileSystemTime(dir, lockName) - found.mtime() < STALE_SECONDS) {
            return false;
        }
        if (holderLives(dir, lockName)) {
            return false;
        }
        return posix.lstat(dir, lockName) == 0
                && posix.stat().isSameFile(found)
                && posix.unlink(dir, lockName) == 0;
    }

    /** The time the file system of the lock gives a new file. */
    private long fileSystemTime(int dir, String lockName) {
        String probe = lockName + "." + ProcessHandle.current().pid();
        int flags = Posix.O_CREAT | Posix.O_EXCL | Posix.O_WRONLY | Posix.O_NOFOLLOW;
        int fd = posix.open(dir, probe, flags, 0600);
        if (fd < 0) {
            return 0;
        }
        long now = posix.fstat(fd) == 0 ? posix.stat().mtime() : 0;
        posix.unlink(dir, probe);
        posix.close(fd);
        return now;
    }

    private boolean holderLives(int dir, String lockName) {
        int fd = posix.open(dir, lockName, Posix.O_RDONLY | Posix.O_NOFOLLOW, 0);
        if (fd < 0) {
            return false;
        }
        long n = posix.pread(fd, posix.buffer(), 16, 0);
        posix.close(fd);
        long pid = 0;
        for (int i = 0; i < n; i++) {
            byte b = posix.buffer().get(ValueLayout.JAVA_BYTE, i);
            if (b < '0' || b > '9') {
                break;
            }
            pid = pid * 10 + b - '0';
        }
        // "0" is what programs write that do not say who they are.
        return pid > 0 && ProcessHandle.of(pid).isPresent();
    }
}
