package smtpd.mda.deliver;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.charset.StandardCharsets;

/**
 * The system calls of one delivery thread, with that thread's own buffers.
 *
 * <p>Every call answers as the kernel does: zero or more is success, below zero is minus errno.
 * Failing needs no exception and no class not loaded before, because a thread that has become the
 * recipient must not make the JVM do anything new.
 */
final class Posix implements AutoCloseable {

    private static final boolean ARM = System.getProperty("os.arch").equals("aarch64");

    static final int AT_FDCWD = -100;
    static final int O_RDONLY = 0;
    static final int O_WRONLY = 1;
    static final int O_RDWR = 2;
    static final int O_CREAT = 0100;
    static final int O_EXCL = 0200;
    static final int O_NOCTTY = 0400;
    static final int O_APPEND = 02000;
    static final int O_NONBLOCK = 04000;
    static final int O_CLOEXEC = 02000000;
    static final int O_DIRECTORY = ARM ? 040000 : 0200000;
    static final int O_NOFOLLOW = ARM ? 0100000 : 0400000;

    static final int AT_SYMLINK_NOFOLLOW = 0x100;
    static final int RENAME_NOREPLACE = 1;

    private static final int AT_EMPTY_PATH = 0x1000;
    private static final int STATX_BASIC = 0x7ff;
    private static final int F_OFD_SETLK = 37;
    private static final int LOCK_EX_NB = 2 | 4;
    private static final long NFS_MAGIC = 0x6969;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final SymbolLookup LIBC = LINKER.defaultLookup();
    private static final Linker.Option ERRNO = Linker.Option.captureCallState("errno");
    private static final VarHandle ERRNO_VALUE =
            Linker.Option.captureStateLayout()
                    .varHandle(MemoryLayout.PathElement.groupElement("errno"));
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final ValueLayout PTR = ValueLayout.ADDRESS;

    private static final MethodHandle OPENAT =
            LINKER.downcallHandle(
                    LIBC.findOrThrow("openat"),
                    FunctionDescriptor.of(INT, INT, PTR, INT, INT),
                    ERRNO,
                    Linker.Option.firstVariadicArg(3));
    private static final MethodHandle CLOSE = bind("close", INT, INT);
    private static final MethodHandle READ = bind("read", LONG, INT, PTR, LONG);
    private static final MethodHandle PREAD = bind("pread", LONG, INT, PTR, LONG, LONG);
    private static final MethodHandle WRITE = bind("write", LONG, INT, PTR, LONG);
    private static final MethodHandle FSYNC = bind("fsync", INT, INT);
    private static final MethodHandle FTRUNCATE = bind("ftruncate", INT, INT, LONG);
    private static final MethodHandle STATX = bind("statx", INT, INT, PTR, INT, INT, PTR);
    private static final MethodHandle MKDIRAT = bind("mkdirat", INT, INT, PTR, INT);
    private static final MethodHandle UNLINKAT = bind("unlinkat", INT, INT, PTR, INT);
    private static final MethodHandle RENAMEAT2 = bind("renameat2", INT, INT, PTR, INT, PTR, INT);
    private static final MethodHandle LINKAT = bind("linkat", INT, INT, PTR, INT, PTR, INT);
    private static final MethodHandle FCHOWN = bind("fchown", INT, INT, INT, INT);
    private static final MethodHandle FUTIMENS = bind("futimens", INT, INT, PTR);
    private static final MethodHandle FLOCK = bind("flock", INT, INT, INT);
    private static final MethodHandle FSTATFS = bind("fstatfs", INT, INT, PTR);
    private static final MethodHandle FDOPENDIR = bind("fdopendir", PTR, INT);
    private static final MethodHandle READDIR = bind("readdir", PTR, PTR);
    private static final MethodHandle CLOSEDIR = bind("closedir", INT, PTR);
    private static final MethodHandle FCNTL =
            LINKER.downcallHandle(
                    LIBC.findOrThrow("fcntl"),
                    FunctionDescriptor.of(INT, INT, INT, PTR),
                    ERRNO,
                    Linker.Option.firstVariadicArg(2));

    private final Arena arena = Arena.ofConfined();
    private final MemorySegment errno = arena.allocate(Linker.Option.captureStateLayout());
    private final MemorySegment path = arena.allocate(4096 + 1);
    private final MemorySegment otherPath = arena.allocate(4096 + 1);
    private final MemorySegment stat = arena.allocate(256, 8);
    private final MemorySegment small = arena.allocate(256, 8);
    private final MemorySegment copy = arena.allocate(Content.CHUNK);

    private static MethodHandle bind(String name, ValueLayout result, ValueLayout... arguments) {
        return LINKER.downcallHandle(
                LIBC.findOrThrow(name), FunctionDescriptor.of(result, arguments), ERRNO);
    }

    /** Memory that lives as long as this thread's delivery. */
    Arena arena() {
        return arena;
    }

    /** The one copy buffer, {@link Content#CHUNK} bytes. */
    MemorySegment buffer() {
        return copy;
    }

    int open(int dir, String name, int flags, int mode) {
        MemorySegment text = text(path, name);
        if (text == null) {
            return -Errno.ENAMETOOLONG;
        }
        try {
            return result((int) OPENAT.invokeExact(errno, dir, text, flags | O_CLOEXEC, mode));
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    int close(int fd) {
        try {
            return result((int) CLOSE.invokeExact(errno, fd));
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    long read(int fd, MemorySegment into, long count) {
        try {
            return result((long) READ.invokeExact(errno, fd, into, count));
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    long pread(int fd, MemorySegment into, long count, long offset) {
        try {
            return result((long) PREAD.invokeExact(errno, fd, into, count, offset));
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    long write(int fd, MemorySegment from, long count) {
        try {
            return result((long) WRITE.invokeExact(errno, fd, from, count));
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Writes all of it, through short writes and signals; 0 or minus errno. */
    int writeFully(int fd, MemorySegment from, long count) {
        long done = 0;
        while (done < count) {
            long n = write(fd, from.asSlice(done), count - done);
            if (n == -Errno.EINTR) {
                continue;
            }
            if (n <= 0) {
                return n == 0 ? -Errno.EIO : (int) n;
            }
            done += n;
        }
        return 0;
    }

    int fsync(int fd) {
        try {
            return result((int) FSYNC.invokeExact(errno, fd));
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    int ftruncate(int fd, long size) {
        try {
            return result((int) FTRUNCATE.invokeExact(errno, fd, size));
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** {@code lstat} of a name below {@code dir}; read the fields from {@link #stat()}. */
    int lstat(int dir, String name) {
        return statx(dir, name, AT_SYMLINK_NOFOLLOW);
    }

    int stat(int dir, String name) {
        return statx(dir, name, 0);
    }

    int fstat(int fd) {
        return statx(fd, "", AT_EMPTY_PATH);
    }

    private int statx(int dir, String name, int flags) {
        MemorySegment text = text(path, name);
        if (text == null) {
            return -Errno.ENAMETOOLONG;
        }
        try {
            return result((int) STATX.invokeExact(errno, dir, text, flags, STATX_BASIC, stat));
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** What the last successful stat call found (statx(2) layout, the same on every CPU). */
    FileStat stat() {
        return new FileStat(
                stat.get(ValueLayout.JAVA_SHORT, 28) & 0xffff,
                stat.get(INT, 16),
                stat.get(INT, 20),
                stat.get(LONG, 40),
                stat.get(LONG, 32),
                ((long) stat.get(INT, 136) << 32) | (stat.get(INT, 140) & 0xffffffffL),
                stat.get(LONG, 64),
                stat.get(INT, 72),
                stat.get(LONG, 112),
                stat.get(INT, 120));
    }

    int mkdir(int dir, String name, int mode) {
        MemorySegment text = text(path, name);
        if (text == null) {
            return -Errno.ENAMETOOLONG;
        }
        try {
            return result((int) MKDIRAT.invokeExact(errno, dir, text, mode));
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    int unlink(int dir, String name) {
        MemorySegment text = text(path, name);
        if (text == null) {
            return -Errno.ENAMETOOLONG;
        }
        try {
            return result((int) UNLINKAT.invokeExact(errno, dir, text, 0));
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Renames without ever replacing; falls back on link and unlink where the kernel cannot. */
    int renameNew(int fromDir, String from, int toDir, String to) {
        MemorySegment source = text(path, from);
        MemorySegment target = text(otherPath, to);
        if (source == null || target == null) {
            return -Errno.ENAMETOOLONG;
        }
        try {
            int r =
                    result(
                            (int)
                                    RENAMEAT2.invokeExact(
                                            errno,
                                            fromDir,
                                            source,
                                            toDir,
                                            target,
                                            RENAME_NOREPLACE));
            if (r != -Errno.EINVAL && r != -Errno.ENOSYS) {
                return r;
            }
            r = result((int) LINKAT.invokeExact(errno, fromDir, source, toDir, target, 0));
            return r < 0 ? r : unlink(fromDir, from);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    int fchown(int fd, int uid, int gid) {
        try {
            return result((int) FCHOWN.invokeExact(errno, fd, uid, gid));
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Sets access and modification time (utimensat(2)). */
    int setTimes(int fd, long atime, int atimeNanos, long mtime, int mtimeNanos) {
        small.set(LONG, 0, atime);
        small.set(LONG, 8, atimeNanos);
        small.set(LONG, 16, mtime);
        small.set(LONG, 24, mtimeNanos);
        try {
            return result((int) FUTIMENS.invokeExact(errno, fd, small));
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /**
     * Tries a write lock on the whole file that belongs to the open file, not to the process
     * (fcntl(2), F_OFD_SETLK): two threads exclude each other, and so do POSIX locks of others.
     */
    int lockOpenFile(int fd) {
        small.fill((byte) 0);
        small.set(ValueLayout.JAVA_SHORT, 0, (short) 1); // F_WRLCK from SEEK_SET 0, whole file
        try {
            return result((int) FCNTL.invokeExact(errno, fd, F_OFD_SETLK, small));
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    int flock(int fd) {
        try {
            return result((int) FLOCK.invokeExact(errno, fd, LOCK_EX_NB));
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** On NFS flock is the same lock as fcntl's and would block itself. */
    boolean isNfs(int fd) {
        try {
            int r = result((int) FSTATFS.invokeExact(errno, fd, small));
            return r == 0 && small.get(LONG, 0) == NFS_MAGIC;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Sees each name of a folder until it says stop. */
    interface Names {
        boolean accept(String name);
    }

    /** Walks the folder behind {@code fd}, which this call closes; 0 or minus errno. */
    int list(int fd, Names names) {
        try {
            MemorySegment dir = (MemorySegment) FDOPENDIR.invokeExact(errno, fd);
            if (dir.address() == 0) {
                int r = -(int) ERRNO_VALUE.get(errno, 0L);
                close(fd);
                return r;
            }
            while (true) {
                MemorySegment entry = (MemorySegment) READDIR.invokeExact(errno, dir);
                if (entry.address() == 0) {
                    break;
                }
                String name = entry.reinterpret(19 + 256).getString(19);
                if (!name.equals(".") && !name.equals("..") && !names.accept(name)) {
                    break;
                }
            }
            return result((int) CLOSEDIR.invokeExact(errno, dir));
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    private int result(int r) {
        return r >= 0 ? r : -(int) ERRNO_VALUE.get(errno, 0L);
    }

    private long result(long r) {
        return r >= 0 ? r : -(int) ERRNO_VALUE.get(errno, 0L);
    }

    /** Copies a name with its NUL; null when it is too long for the kernel. */
    private static MemorySegment text(MemorySegment into, String name) {
        byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
        if (bytes.length >= into.byteSize()) {
            return null;
        }
        MemorySegment.copy(bytes, 0, into, ValueLayout.JAVA_BYTE, 0, bytes.length);
        into.set(ValueLayout.JAVA_BYTE, bytes.length, (byte) 0);
        return into;
    }

    @Override
    public void close() {
        arena.close();
    }
}
