package smtpd.sys;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static smtpd.sys.SysException.check;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/**
 * Names, relative to the descriptor of a directory ({@link #CWD} for the working directory; an
 * absolute path ignores it). Opening is always close-on-exec.
 */
public final class At {
    /** AT_FDCWD. */
    public static final int CWD = -100;

    private static final Call MKDIRAT = Libc.function("mkdirat");
    private static final Call RENAMEAT = Libc.function("renameat");
    private static final Call UNLINKAT = Libc.function("unlinkat");
    private static final Call LINKAT = Libc.function("linkat");
    private static final Call SYMLINKAT = Libc.function("symlinkat");
    private static final Call FCHMODAT = Libc.function("fchmodat");
    private static final Call FCHOWNAT = Libc.function("fchownat");
    private static final Call STATX = Libc.function("statx");

    private static final int AT_SYMLINK_NOFOLLOW = 0x100;
    private static final int AT_REMOVEDIR = 0x200;
    private static final int AT_EMPTY_PATH = 0x1000;
    private static final int RENAME_NOREPLACE = 1;
    private static final int STATX_BASIC_STATS = 0x7ff;
    private static final int STATX_BYTES = 256;

    private At() {}

    /** openat(2): a descriptor, or {@code -errno}. */
    public static int tryOpen(int dir, String path, int flags, int mode) {
        long name = Scratch.current().path(path);
        long result;
        do {
            result = Libc.syscall(Nr.OPENAT, dir, name, flags | Open.CLOEXEC, mode, 0);
        } while (result == -Errno.EINTR);
        return (int) result;
    }

    /** openat(2). */
    public static int open(int dir, String path, int flags, int mode) throws SysException {
        return check("openat", path, tryOpen(dir, path, flags, mode));
    }

    /** Opens an existing file or directory. */
    public static int open(int dir, String path, int flags) throws SysException {
        return open(dir, path, flags, 0);
    }

    /** mkdirat(2): 0 or {@code -errno}. */
    public static int tryMkdir(int dir, String path, int mode) {
        return (int) MKDIRAT.of(dir, Scratch.current().path(path), mode);
    }

    /** mkdirat(2). */
    public static void mkdir(int dir, String path, int mode) throws SysException {
        check("mkdirat", path, tryMkdir(dir, path, mode));
    }

    /** renameat(2), replacing what stood there: 0 or {@code -errno}. */
    public static int tryRename(int fromDir, String from, int toDir, String to) {
        Scratch scratch = Scratch.current();
        return (int) RENAMEAT.of(fromDir, scratch.path(from), toDir, scratch.secondPath(to));
    }

    /** renameat(2), replacing what stood there. */
    public static void rename(int fromDir, String from, int toDir, String to) throws SysException {
        check("renameat", to, tryRename(fromDir, from, toDir, to));
    }

    /** renameat2(2) with RENAME_NOREPLACE: 0, or {@code -EEXIST} and other {@code -errno}. */
    public static int tryRenameNew(int fromDir, String from, int toDir, String to) {
        Scratch scratch = Scratch.current();
        long first = scratch.path(from);
        long second = scratch.secondPath(to);
        return (int) Libc.syscall(Nr.RENAMEAT2, fromDir, first, toDir, second, RENAME_NOREPLACE);
    }

    /** unlinkat(2): 0 or {@code -errno}. */
    public static int tryUnlink(int dir, String path) {
        return (int) UNLINKAT.of(dir, Scratch.current().path(path), 0);
    }

    /** unlinkat(2). */
    public static void unlink(int dir, String path) throws SysException {
        check("unlinkat", path, tryUnlink(dir, path));
    }

    /** unlinkat(2) with AT_REMOVEDIR: 0 or {@code -errno}. */
    public static int tryRmdir(int dir, String path) {
        return (int) UNLINKAT.of(dir, Scratch.current().path(path), AT_REMOVEDIR);
    }

    /** unlinkat(2) with AT_REMOVEDIR. */
    public static void rmdir(int dir, String path) throws SysException {
        check("rmdir", path, tryRmdir(dir, path));
    }

    /** linkat(2), not following a symlink: 0 or {@code -errno}. */
    public static int tryLink(int fromDir, String from, int toDir, String to) {
        Scratch scratch = Scratch.current();
        return (int) LINKAT.of(fromDir, scratch.path(from), toDir, scratch.secondPath(to), 0);
    }

    /** symlinkat(2). */
    public static void symlink(String target, int dir, String path) throws SysException {
        Scratch scratch = Scratch.current();
        check("symlinkat", path, SYMLINKAT.of(scratch.secondPath(target), dir, scratch.path(path)));
    }

    /** fchmodat(2); follows a symlink. */
    public static void chmod(int dir, String path, int mode) throws SysException {
        check("fchmodat", path, FCHMODAT.of(dir, Scratch.current().path(path), mode, 0));
    }

    /** fchownat(2) of the name itself, never of what a symlink points to; -1 leaves an id alone. */
    public static void chown(int dir, String path, int uid, int gid) throws SysException {
        long name = Scratch.current().path(path);
        check("fchownat", path, FCHOWNAT.of(dir, name, uid, gid, AT_SYMLINK_NOFOLLOW));
    }

    /** statx(2), following a symlink at the end. */
    public static FileInfo stat(int dir, String path) throws SysException {
        return stat(dir, path, 0);
    }

    /** statx(2) of the name itself. */
    public static FileInfo lstat(int dir, String path) throws SysException {
        return stat(dir, path, AT_SYMLINK_NOFOLLOW);
    }

    /** Whether the name exists, as itself; anything but "no such file" counts as existing. */
    public static boolean exists(int dir, String path) {
        Scratch scratch = Scratch.current();
        return STATX.of(dir, scratch.path(path), AT_SYMLINK_NOFOLLOW, 0, scratch.struct.address())
                != -Errno.ENOENT;
    }

    /** As {@link #lstat}; null when there is no such name or the kernel cannot tell. */
    public static FileInfo tryLstat(int dir, String path) {
        return statx(dir, path, AT_SYMLINK_NOFOLLOW) < 0 ? null : found();
    }

    static FileInfo statFd(int fd) throws SysException {
        return stat(fd, "", AT_EMPTY_PATH);
    }

    static FileInfo tryStatFd(int fd) {
        return statx(fd, "", AT_EMPTY_PATH) < 0 ? null : found();
    }

    private static long statx(int dir, String path, int flags) {
        Scratch scratch = Scratch.current();
        long name = scratch.path(path);
        return STATX.of(dir, name, flags, STATX_BASIC_STATS, scratch.struct.address());
    }

    /** What the last statx of this thread has put into its memory. */
    private static FileInfo found() {
        return FileInfo.read(Scratch.current().struct.asSlice(0, STATX_BYTES));
    }

    private static FileInfo stat(int dir, String path, int flags) throws SysException {
        long result = statx(dir, path, flags);
        if (path.isEmpty()) {
            check("fstat", dir, result);
        } else {
            check("stat", path, result);
        }
        return found();
    }

    /**
     * Reads a directory to its end with getdents64(2), without {@code .} and {@code ..}, in no
     * order. The descriptor must be freshly opened with {@link Open#DIRECTORY}; its offset moves.
     * The consumer may use this package: names are copied before it is called.
     */
    public static void list(int dir, Consumer<String> names) throws SysException {
        byte[] block = new byte[32 * 1024];
        while (true) {
            MemorySegment copy = Scratch.current().copy();
            int count =
                    check(
                            "getdents64",
                            dir,
                            Libc.syscall(Nr.GETDENTS64, dir, copy.address(), block.length));
            if (count == 0) {
                return;
            }
            MemorySegment.copy(copy, JAVA_BYTE, 0, block, 0, count);
            each(MemorySegment.ofArray(block), block, count, names);
        }
    }

    /** struct linux_dirent64: inode 8, offset 8, length 2 at 16, type 1, name from 19, NUL. */
    private static void each(
            MemorySegment entries, byte[] block, int count, Consumer<String> names) {
        int at = 0;
        while (at < count) {
            int length = entries.get(JAVA_SHORT.withByteAlignment(1), at + 16L) & 0xffff;
            int end = at + 19;
            while (block[end] != 0) {
                end++;
            }
            String name = new String(block, at + 19, end - at - 19, StandardCharsets.UTF_8);
            if (!".".equals(name) && !"..".equals(name)) {
                names.accept(name);
            }
            at += length;
        }
    }
}
