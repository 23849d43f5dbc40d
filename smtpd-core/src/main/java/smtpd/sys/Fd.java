package smtpd.sys;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static smtpd.sys.SysException.check;

import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.util.Arrays;

/**
 * Reading, writing and asking through a descriptor. Any thread may call; heap arrays go through a
 * buffer of the thread, native segments go as they are. Only native segments may be passed.
 */
public final class Fd {
    private static final Call CLOSE = Libc.function("close");
    private static final Call READ = Libc.wideFunction("read");
    private static final Call WRITE = Libc.wideFunction("write");
    private static final Call PREAD = Libc.wideFunction("pread");
    private static final Call PWRITE = Libc.wideFunction("pwrite");
    private static final Call FDATASYNC = Libc.function("fdatasync");
    private static final Call FSYNC = Libc.function("fsync");
    private static final Call SYNCFS = Libc.function("syncfs");
    private static final Call FTRUNCATE = Libc.function("ftruncate");
    private static final Call FALLOCATE = Libc.function("fallocate");
    private static final Call FSTATVFS = Libc.function("fstatvfs");
    private static final Call FLOCK = Libc.function("flock");
    private static final Call PIPE2 = Libc.function("pipe2");
    private static final Call FCHMOD = Libc.function("fchmod");
    private static final Call FCHOWN = Libc.function("fchown");
    private static final Call FUTIMENS = Libc.function("futimens");
    private static final Call EVENTFD = Libc.function("eventfd");

    private static final int F_SETFD = 2;
    private static final int F_GETFL = 3;
    private static final int F_SETFL = 4;
    private static final int F_OFD_SETLK = 37;
    private static final int F_DUPFD_CLOEXEC = 1030;
    private static final int FD_CLOEXEC = 1;
    private static final int FALLOC_FL_KEEP_SIZE = 1;
    private static final int SYNC_FILE_RANGE_WRITE = 2;
    private static final int LOCK_EX = 2;
    private static final int LOCK_NB = 4;
    private static final int LOCK_UN = 8;
    private static final short F_WRLCK = 1;
    private static final short F_UNLCK = 2;
    private static final long ST_RDONLY = 1;

    private Fd() {}

    /**
     * close(2). The descriptor is gone whatever the answer, so it is never tried again; the error
     * of a late write (NFS, quota) is the caller's to heed.
     */
    public static void close(int fd) throws SysException {
        check("close", fd, tryClose(fd));
    }

    /** As {@link #close}: 0 or {@code -errno}. */
    public static int tryClose(int fd) {
        long result = CLOSE.of(fd);
        return result == -Errno.EINTR ? 0 : (int) result;
    }

    /** close(2) where nothing can be lost: a socket, a pipe, a file only read. */
    public static void closeQuietly(int fd) {
        if (fd >= 0) {
            CLOSE.of(fd);
        }
    }

    /** A second descriptor of the same open file, close-on-exec: fcntl(2) F_DUPFD_CLOEXEC. */
    public static int dup(int fd) throws SysException {
        return dup(fd, 0);
    }

    /** A second descriptor numbered at least {@code least}. */
    public static int dup(int fd, int least) throws SysException {
        return check("dup", fd, Libc.syscall(Nr.FCNTL, fd, F_DUPFD_CLOEXEC, least));
    }

    /** fcntl(2) F_SETFD. */
    public static void closeOnExec(int fd, boolean on) throws SysException {
        check("fcntl", fd, Libc.syscall(Nr.FCNTL, fd, F_SETFD, on ? FD_CLOEXEC : 0));
    }

    /** fcntl(2) F_SETFL: O_NONBLOCK of the open file, shared by all its descriptors. */
    public static void nonBlocking(int fd, boolean on) throws SysException {
        int flags = check("fcntl", fd, Libc.syscall(Nr.FCNTL, fd, F_GETFL, 0));
        int wanted = on ? flags | Open.NONBLOCK : flags & ~Open.NONBLOCK;
        if (wanted != flags) {
            check("fcntl", fd, Libc.syscall(Nr.FCNTL, fd, F_SETFL, wanted));
        }
    }

    /** pipe2(2), close-on-exec: reading end first, writing end second. */
    public static int[] pipe() throws SysException {
        MemorySegment pair = Scratch.current().struct;
        check("pipe2", PIPE2.of(pair.address(), Open.CLOEXEC));
        return new int[] {pair.get(JAVA_INT, 0), pair.get(JAVA_INT, 4)};
    }

    /** eventfd(2), close-on-exec and non-blocking: wakes a {@link Poll}. */
    public static int eventFd() throws SysException {
        return check("eventfd", EVENTFD.of(0, Open.CLOEXEC | Open.NONBLOCK));
    }

    // ---- reading -------------------------------------------------------------------------

    /** read(2): number of bytes, 0 at the end, {@code -errno} (EAGAIN) when it failed. */
    public static int tryRead(int fd, MemorySegment to) {
        return tryRead(fd, nativeAddress(to), to);
    }

    private static int tryRead(int fd, long address, MemorySegment to) {
        try {
            long result;
            do {
                result = READ.of(fd, address, to.byteSize());
            } while (result == -Errno.EINTR);
            return (int) result;
        } finally {
            Reference.reachabilityFence(to);
        }
    }

    /** read(2) into an array, at most 64 KiB at once; otherwise as with a segment. */
    public static int tryRead(int fd, byte[] to, int from, int length) {
        MemorySegment copy = Scratch.current().copy();
        MemorySegment room = copy.asSlice(0, Math.min(length, copy.byteSize()));
        int count = tryRead(fd, room.address(), room);
        if (count > 0) {
            MemorySegment.copy(copy, JAVA_BYTE, 0, to, from, count);
        }
        return count;
    }

    public static int read(int fd, MemorySegment to) throws SysException {
        return check("read", fd, tryRead(fd, to));
    }

    public static int read(int fd, byte[] to, int from, int length) throws SysException {
        return check("read", fd, tryRead(fd, to, from, length));
    }

    /** pread(2): number of bytes, fewer than asked only at the end of a regular file. */
    public static int pread(int fd, MemorySegment to, long offset) throws SysException {
        return check("pread", fd, tryPread(fd, to, offset));
    }

    /** As {@link #pread(int, MemorySegment, long)}: number of bytes or {@code -errno}. */
    public static int tryPread(int fd, MemorySegment to, long offset) {
        try {
            long result;
            do {
                result = PREAD.of(fd, nativeAddress(to), to.byteSize(), offset);
            } while (result == -Errno.EINTR);
            return (int) result;
        } finally {
            Reference.reachabilityFence(to);
        }
    }

    /** pread(2) until {@code length} bytes are there or the file ends; gives how many. */
    public static int pread(int fd, byte[] to, int from, int length, long offset)
            throws SysException {
        MemorySegment copy = Scratch.current().copy();
        int done = 0;
        while (done < length) {
            int want = (int) Math.min(length - done, copy.byteSize());
            long count = PREAD.of(fd, copy.address(), want, offset + done);
            if (count == -Errno.EINTR) {
                continue;
            }
            check("pread", fd, count);
            if (count == 0) {
                break;
            }
            MemorySegment.copy(copy, JAVA_BYTE, 0, to, from + done, (int) count);
            done += (int) count;
        }
        return done;
    }

    /**
     * The whole content of a regular file or memfd, read with pread so that the shared offset stays
     * where it is.
     *
     * @throws SysException EFBIG when it is larger than {@code maxBytes}
     */
    public static byte[] readAll(int fd, int maxBytes) throws SysException {
        long size = stat(fd).size();
        if (size > maxBytes) {
            throw new SysException("read fd " + fd, Errno.EFBIG);
        }
        byte[] content = new byte[(int) size];
        int count = pread(fd, content, 0, content.length, 0);
        return count == content.length ? content : Arrays.copyOf(content, count);
    }

    // ---- writing -------------------------------------------------------------------------

    /** write(2): number of bytes taken or {@code -errno} (EAGAIN, EPIPE). */
    public static int tryWrite(int fd, MemorySegment from) {
        try {
            long result;
            do {
                result = WRITE.of(fd, nativeAddress(from), from.byteSize());
            } while (result == -Errno.EINTR);
            return (int) result;
        } finally {
            Reference.reachabilityFence(from);
        }
    }

    /** write(2) of at most 64 KiB of an array: bytes taken or {@code -errno}. */
    public static int tryWrite(int fd, byte[] from, int offset, int length) {
        MemorySegment copy = Scratch.current().copy();
        int count = (int) Math.min(length, copy.byteSize());
        MemorySegment.copy(from, offset, copy, JAVA_BYTE, 0, count);
        long result;
        do {
            result = WRITE.of(fd, copy.address(), count);
        } while (result == -Errno.EINTR);
        return (int) result;
    }

    /** write(2) until all is written. */
    public static void write(int fd, MemorySegment from) throws SysException {
        check("write", fd, tryWriteAll(fd, from));
    }

    /** write(2) until all is written: 0 or {@code -errno}; EIO when the kernel takes nothing. */
    public static int tryWriteAll(int fd, MemorySegment from) {
        long done = 0;
        while (done < from.byteSize()) {
            int count = tryWrite(fd, done == 0 ? from : from.asSlice(done));
            if (count <= 0) {
                return count == 0 ? -Errno.EIO : count;
            }
            done += count;
        }
        return 0;
    }

    /** write(2) until all is written. */
    public static void write(int fd, byte[] from, int offset, int length) throws SysException {
        int done = 0;
        while (done < length) {
            done += check("write", fd, tryWrite(fd, from, offset + done, length - done));
        }
    }

    /** pwrite(2) until all is written. */
    public static void pwrite(int fd, MemorySegment from, long offset) throws SysException {
        long base = nativeAddress(from);
        long length = from.byteSize();
        long done = 0;
        try {
            while (done < length) {
                long count = PWRITE.of(fd, base + done, length - done, offset + done);
                if (count != -Errno.EINTR) {
                    done += check("pwrite", fd, count);
                }
            }
        } finally {
            Reference.reachabilityFence(from);
        }
    }

    /** pwrite(2) until all is written. */
    public static void pwrite(int fd, byte[] from, int start, int length, long offset)
            throws SysException {
        MemorySegment copy = Scratch.current().copy();
        int done = 0;
        while (done < length) {
            int want = (int) Math.min(length - done, copy.byteSize());
            MemorySegment.copy(from, start + done, copy, JAVA_BYTE, 0, want);
            long count = PWRITE.of(fd, copy.address(), want, offset + done);
            if (count != -Errno.EINTR) {
                done += check("pwrite", fd, count);
            }
        }
    }

    // ---- durability and room -------------------------------------------------------------

    /** fdatasync(2). An error means that data are lost: the kernel reports each only once. */
    public static void fdatasync(int fd) throws SysException {
        check("fdatasync", fd, FDATASYNC.of(fd));
    }

    /** fsync(2), also of a directory. */
    public static void fsync(int fd) throws SysException {
        check("fsync", fd, tryFsync(fd));
    }

    /** As {@link #fsync}: 0 or {@code -errno}. */
    public static int tryFsync(int fd) {
        return (int) FSYNC.of(fd);
    }

    /** syncfs(2): everything written to the file system of this descriptor; reports since 5.8. */
    public static void syncfs(int fd) throws SysException {
        check("syncfs", fd, SYNCFS.of(fd));
    }

    /**
     * sync_file_range(2): the disk begins to write what the file holds. Promises nothing: for
     * several files that are to be synced one after the other.
     */
    public static void startWriteback(int fd) {
        Libc.syscall(Nr.SYNC_FILE_RANGE, fd, 0, 0, SYNC_FILE_RANGE_WRITE, 0);
    }

    /** ftruncate(2). */
    public static void truncate(int fd, long size) throws SysException {
        check("ftruncate", fd, tryTruncate(fd, size));
    }

    /** ftruncate(2): 0 or {@code -errno}. */
    public static int tryTruncate(int fd, long size) {
        return (int) FTRUNCATE.of(fd, size);
    }

    /** fallocate(2): reserves blocks; the size of the file grows unless {@code keepSize}. */
    public static void allocate(int fd, long offset, long length, boolean keepSize)
            throws SysException {
        int mode = keepSize ? FALLOC_FL_KEEP_SIZE : 0;
        check("fallocate", fd, FALLOCATE.of(fd, mode, offset, length));
    }

    /** fstatvfs(3). */
    public static Space space(int fd) throws SysException {
        MemorySegment vfs = Scratch.current().zeroed(112);
        check("fstatvfs", fd, FSTATVFS.of(fd, vfs.address()));
        long unit = vfs.get(JAVA_LONG, 8);
        return new Space(
                vfs.get(JAVA_LONG, 16) * unit,
                vfs.get(JAVA_LONG, 32) * unit,
                vfs.get(JAVA_LONG, 40),
                vfs.get(JAVA_LONG, 56),
                (vfs.get(JAVA_LONG, 72) & ST_RDONLY) != 0);
    }

    // ---- attributes ----------------------------------------------------------------------

    /** fstat(2), by statx(2) on the descriptor itself. */
    public static FileInfo stat(int fd) throws SysException {
        return At.statFd(fd);
    }

    /** As {@link #stat}; null when the kernel cannot tell. */
    public static FileInfo tryStat(int fd) {
        return At.tryStatFd(fd);
    }

    /** fchmod(2). */
    public static void chmod(int fd, int mode) throws SysException {
        check("fchmod", fd, FCHMOD.of(fd, mode));
    }

    /** fchown(2); -1 leaves that id alone. */
    public static void chown(int fd, int uid, int gid) throws SysException {
        check("fchown", fd, tryChown(fd, uid, gid));
    }

    /** As {@link #chown}: 0 or {@code -errno}. */
    public static int tryChown(int fd, int uid, int gid) {
        return (int) FCHOWN.of(fd, uid, gid);
    }

    /** futimens(3), both in nanoseconds since the epoch. */
    public static void times(int fd, long atimeNanos, long mtimeNanos) throws SysException {
        check("futimens", fd, tryTimes(fd, atimeNanos, mtimeNanos));
    }

    /** As {@link #times}: 0 or {@code -errno}. */
    public static int tryTimes(int fd, long atimeNanos, long mtimeNanos) {
        MemorySegment times = Scratch.current().struct;
        times.set(JAVA_LONG, 0, Math.floorDiv(atimeNanos, 1_000_000_000L));
        times.set(JAVA_LONG, 8, Math.floorMod(atimeNanos, 1_000_000_000L));
        times.set(JAVA_LONG, 16, Math.floorDiv(mtimeNanos, 1_000_000_000L));
        times.set(JAVA_LONG, 24, Math.floorMod(mtimeNanos, 1_000_000_000L));
        return (int) FUTIMENS.of(fd, times.address());
    }

    // ---- locks ---------------------------------------------------------------------------

    /** flock(2), exclusive, without waiting: false when another open file holds it. */
    public static boolean tryFlock(int fd) throws SysException {
        return locked("flock", fd, FLOCK.of(fd, LOCK_EX | LOCK_NB));
    }

    /** Gives back what {@link #tryFlock} took. */
    public static void unflock(int fd) throws SysException {
        check("flock", fd, FLOCK.of(fd, LOCK_UN));
    }

    /**
     * An open file description lock on the whole file, without waiting. It excludes POSIX locks of
     * other programs and, unlike those, other threads of this process; closing another descriptor
     * of the file does not drop it. fcntl(2) F_OFD_SETLK.
     */
    public static boolean tryOfdLock(int fd) throws SysException {
        return locked("fcntl", fd, ofd(fd, F_WRLCK));
    }

    /** Gives back what {@link #tryOfdLock} took. */
    public static void ofdUnlock(int fd) throws SysException {
        check("fcntl", fd, ofd(fd, F_UNLCK));
    }

    private static long ofd(int fd, short type) {
        MemorySegment lock = Scratch.current().zeroed(32);
        lock.set(JAVA_SHORT, 0, type);
        return Libc.syscall(Nr.FCNTL, fd, F_OFD_SETLK, lock.address());
    }

    private static boolean locked(String call, int fd, long result) throws SysException {
        if (result == -Errno.EAGAIN || result == -Errno.EACCES) {
            return false;
        }
        check(call, fd, result);
        return true;
    }

    static long nativeAddress(MemorySegment segment) {
        if (!segment.isNative()) {
            throw new IllegalArgumentException("a heap segment cannot reach the kernel");
        }
        return segment.address();
    }
}
