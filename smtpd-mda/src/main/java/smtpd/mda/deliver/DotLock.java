package smtpd.mda.deliver;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import smtpd.sys.At;
import smtpd.sys.Errno;
import smtpd.sys.Fd;
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

    private final CopyBuffer copy;
    private String name;
    private FileInfo mine;

    DotLock(CopyBuffer copy) {
        this.copy = copy;
    }

    /** 0 when it is ours; {@link Fault#LOCKED} negated when somebody holds it. */
    int take(int dir, String lockName) {
        int flags = Open.CREAT | Open.EXCL | Open.WRONLY | Open.NOFOLLOW;
        int fd = At.tryOpen(dir, lockName, flags, 0600);
        if (fd == -Errno.EEXIST && removeStale(dir, lockName)) {
            fd = At.tryOpen(dir, lockName, flags, 0600);
        }
        if (fd == -Errno.EEXIST) {
            return -Fault.LOCKED;
        }
        if (fd < 0) {
            return fd;
        }
        byte[] pid = (ProcessHandle.current().pid() + "\n").getBytes(StandardCharsets.US_ASCII);
        MemorySegment buffer = copy.first();
        MemorySegment.copy(pid, 0, buffer, ValueLayout.JAVA_BYTE, 0, pid.length);
        int r = Fd.tryWriteAll(fd, buffer.asSlice(0, pid.length));
        mine = Fd.tryStat(fd);
        Fd.closeQuietly(fd);
        if (r < 0 || mine == null) {
            mine = null;
            At.tryUnlink(dir, lockName);
            return r < 0 ? r : -Errno.EIO;
        }
        name = lockName;
        return 0;
    }

    /** By name, but only if the inode is still ours: who broke our lock keeps his. */
    void release(int dir) {
        if (mine != null && isStill(dir, name, mine)) {
            At.tryUnlink(dir, name);
        }
        mine = null;
    }

    private static boolean isStill(int dir, String name, FileInfo file) {
        FileInfo now = At.tryLstat(dir, name);
        return now != null && now.isSameFile(file);
    }

    private boolean removeStale(int dir, String lockName) {
        FileInfo found = At.tryLstat(dir, lockName);
        if (found == null) {
            return true;
        }
        if (!found.isRegular() || fileSystemTime(dir, lockName) - seconds(found) < STALE_SECONDS) {
            return false;
        }
        if (holderLives(dir, lockName)) {
            return false;
        }
        return isStill(dir, lockName, found) && At.tryUnlink(dir, lockName) == 0;
    }

    /** The time the file system of the lock gives a new file. */
    private long fileSystemTime(int dir, String lockName) {
        String probe = lockName + "." + ProcessHandle.current().pid();
        int flags = Open.CREAT | Open.EXCL | Open.WRONLY | Open.NOFOLLOW;
        int fd = At.tryOpen(dir, probe, flags, 0600);
        if (fd < 0) {
            return 0;
        }
        FileInfo made = Fd.tryStat(fd);
        long now = made == null ? 0 : seconds(made);
        At.tryUnlink(dir, probe);
        Fd.closeQuietly(fd);
        return now;
    }

    private static long seconds(FileInfo file) {
        return file.mtimeNanos() / 1_000_000_000L;
    }

    private boolean holderLives(int dir, String lockName) {
        int fd = At.tryOpen(dir, lockName, Open.RDONLY | Open.NOFOLLOW, 0);
        if (fd < 0) {
            return false;
        }
        int n = Fd.tryPread(fd, copy.first().asSlice(0, 16), 0);
        Fd.closeQuietly(fd);
        long pid = 0;
        for (int i = 0; i < n; i++) {
            byte b = copy.first().get(ValueLayout.JAVA_BYTE, i);
            if (b < '0' || b > '9') {
                break;
            }
            pid = pid * 10 + b - '0';
        }
        // "0" is what programs write that do not say who they are.
        return pid > 0 && ProcessHandle.of(pid).isPresent();
    }
}
