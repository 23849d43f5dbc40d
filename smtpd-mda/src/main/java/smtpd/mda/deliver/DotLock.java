package smtpd.mda.deliver;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import smtpd.sys.Errno;
import smtpd.sys.FileInfo;
import smtpd.sys.Open;

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
    private FileInfo mine;

    DotLock(Posix posix) {
        this.posix = posix;
    }

    /** 0 when it is ours; {@link Fault#LOCKED} negated when somebody holds it. */
    int take(int dir, String lockName) {
        int flags = Open.CREAT | Open.EXCL | Open.WRONLY | Open.NOFOLLOW;
        int fd = posix.open(dir, lockName, flags, 0600);
        if (fd == -Errno.EEXIST && removeStale(dir, lockName)) {
            fd = posix.open(dir, lockName, flags, 0600);
        }
        if (fd == -Errno.EEXIST) {
            return -Fault.LOCKED;
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
        if (mine != null && posix.lstat(dir, name) == 0 && Posix.isSameFile(posix.stat(), mine)) {
            posix.unlink(dir, name);
        }
        mine = null;
    }

    private boolean removeStale(int dir, String lockName) {
        if (posix.lstat(dir, lockName) < 0) {
            return true;
        }
        FileInfo found = posix.stat();
        if (!found.isRegular() || fileSystemTime(dir, lockName) - seconds(found) < STALE_SECONDS) {
            return false;
        }
        if (holderLives(dir, lockName)) {
            return false;
        }
        return posix.lstat(dir, lockName) == 0
                && Posix.isSameFile(posix.stat(), found)
                && posix.unlink(dir, lockName) == 0;
    }

    /** The time the file system of the lock gives a new file. */
    private long fileSystemTime(int dir, String lockName) {
        String probe = lockName + "." + ProcessHandle.current().pid();
        int flags = Open.CREAT | Open.EXCL | Open.WRONLY | Open.NOFOLLOW;
        int fd = posix.open(dir, probe, flags, 0600);
        if (fd < 0) {
            return 0;
        }
        long now = posix.fstat(fd) == 0 ? seconds(posix.stat()) : 0;
        posix.unlink(dir, probe);
        posix.close(fd);
        return now;
    }

    private static long seconds(FileInfo file) {
        return file.mtimeNanos() / 1_000_000_000L;
    }

    private boolean holderLives(int dir, String lockName) {
        int fd = posix.open(dir, lockName, Open.RDONLY | Open.NOFOLLOW, 0);
        if (fd < 0) {
            return false;
        }
        int n = posix.pread(fd, posix.buffer().asSlice(0, 16), 0);
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
