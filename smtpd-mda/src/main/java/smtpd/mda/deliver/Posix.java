package smtpd.mda.deliver;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import smtpd.sys.At;
import smtpd.sys.Errno;
import smtpd.sys.Fd;
import smtpd.sys.FileInfo;
import smtpd.sys.FileSystemType;
import smtpd.sys.Open;
import smtpd.sys.SysException;

/**
 * The system calls of one delivery, with a copy buffer of its own. Every call answers as the kernel
 * does: zero or more is success, below zero is minus errno. One thread uses it.
 */
final class Posix implements AutoCloseable {

    static final int AT_FDCWD = At.CWD;

    private final Arena arena = Arena.ofConfined();
    private final MemorySegment copy = arena.allocate(Content.CHUNK);
    private FileInfo stat;

    /** Memory that lives as long as this delivery. */
    Arena arena() {
        return arena;
    }

    /** The one copy buffer, {@link Content#CHUNK} bytes. */
    MemorySegment buffer() {
        return copy;
    }

    int open(int dir, String name, int flags, int mode) {
        return At.tryOpen(dir, name, flags, mode);
    }

    /** Opens a folder to go through its names or to name what is in it. */
    int openFolder(int dir, String name) {
        return At.tryOpen(dir, name, Open.RDONLY | Open.DIRECTORY, 0);
    }

    int close(int fd) {
        try {
            Fd.close(fd);
            return 0;
        } catch (SysException e) {
            return -e.errno();
        }
    }

    int pread(int fd, MemorySegment into, long offset) {
        try {
            return Fd.pread(fd, into, offset);
        } catch (SysException e) {
            return -e.errno();
        }
    }

    /** Writes all of it, through short writes and signals; 0 or minus errno. */
    int writeFully(int fd, MemorySegment from, long count) {
        long done = 0;
        while (done < count) {
            int n = Fd.tryWrite(fd, from.asSlice(done, count - done));
            if (n <= 0) {
                return n == 0 ? -Errno.EIO : n;
            }
            done += n;
        }
        return 0;
    }

    int fsync(int fd) {
        try {
            Fd.fsync(fd);
            return 0;
        } catch (SysException e) {
            return -e.errno();
        }
    }

    int ftruncate(int fd, long size) {
        try {
            Fd.truncate(fd, size);
            return 0;
        } catch (SysException e) {
            return -e.errno();
        }
    }

    /** {@code lstat} of a name below {@code dir}; what it found is in {@link #stat()}. */
    int lstat(int dir, String name) {
        try {
            stat = At.lstat(dir, name);
            return 0;
        } catch (SysException e) {
            return -e.errno();
        }
    }

    int stat(int dir, String name) {
        try {
            stat = At.stat(dir, name);
            return 0;
        } catch (SysException e) {
            return -e.errno();
        }
    }

    int fstat(int fd) {
        try {
            stat = Fd.stat(fd);
            return 0;
        } catch (SysException e) {
            return -e.errno();
        }
    }

    /** What the last successful stat call found. */
    FileInfo stat() {
        return stat;
    }

    static boolean isSameFile(FileInfo a, FileInfo b) {
        return a.inode() == b.inode() && a.device() == b.device();
    }

    int mkdir(int dir, String name, int mode) {
        return At.tryMkdir(dir, name, mode);
    }

    int unlink(int dir, String name) {
        return At.tryUnlink(dir, name);
    }

    /** Renames without ever replacing; falls back on link and unlink where the kernel cannot. */
    int renameNew(int fromDir, String from, int toDir, String to) {
        int r = At.tryRenameNew(fromDir, from, toDir, to);
        if (r != -Errno.EINVAL && r != -Errno.ENOSYS) {
            return r;
        }
        r = At.tryLink(fromDir, from, toDir, to);
        return r < 0 ? r : At.tryUnlink(fromDir, from);
    }

    int fchown(int fd, int uid, int gid) {
        try {
            Fd.chown(fd, uid, gid);
            return 0;
        } catch (SysException e) {
            return -e.errno();
        }
    }

    int setTimes(int fd, long atimeNanos, long mtimeNanos) {
        try {
            Fd.times(fd, atimeNanos, mtimeNanos);
            return 0;
        } catch (SysException e) {
            return -e.errno();
        }
    }

    /**
     * Both locks of an open mailbox, without waiting: that of the open file, which other threads of
     * this process meet as well, and flock. {@link Fault#LOCKED} negated when somebody has one;
     * both go with the descriptor.
     */
    int lock(int fd) {
        try {
            if (!Fd.tryOfdLock(fd)) {
                return -Fault.LOCKED;
            }
            // On NFS flock is the same lock as fcntl's and would block itself.
            return FileSystemType.isNfs(fd) || Fd.tryFlock(fd) ? 0 : -Fault.LOCKED;
        } catch (SysException e) {
            return -e.errno();
        }
    }

    /** Sees each name of a folder. */
    interface Names {
        void see(String name);
    }

    /** Walks the folder behind a fresh {@code fd}, which this call closes; 0 or minus errno. */
    int list(int fd, Names names) {
        try {
            At.list(fd, names::see);
            return 0;
        } catch (SysException e) {
            return -e.errno();
        } finally {
            Fd.closeQuietly(fd);
        }
    }

    @Override
    public void close() {
        arena.close();
    }
}
