package smtpd.queue.backend;

import java.util.function.Consumer;
import smtpd.sys.At;
import smtpd.sys.Fd;
import smtpd.sys.FileInfo;
import smtpd.sys.Space;
import smtpd.sys.SysException;

/**
 * The calls that file-based backends make, relative to directory descriptors. A seam for tests that
 * inject faults, record, or stop at a given call; {@link #REAL} is the disk.
 */
public interface FileOps {

    FileOps REAL = new FileOps() {};

    /** openat(2), close-on-exec. */
    default int open(int dir, String path, int flags, int mode) throws SysException {
        return At.open(dir, path, flags, mode);
    }

    default void close(int fd) throws SysException {
        Fd.close(fd);
    }

    /** All of it; anything less is an error. */
    default void write(int fd, byte[] bytes) throws SysException {
        Fd.write(fd, bytes, 0, bytes.length);
    }

    /** The whole file. */
    default byte[] readAll(int fd, int maxBytes) throws SysException {
        return Fd.readAll(fd, maxBytes);
    }

    default int pread(int fd, byte[] to, long offset) throws SysException {
        return Fd.pread(fd, to, 0, to.length, offset);
    }

    default FileInfo stat(int fd) throws SysException {
        return Fd.stat(fd);
    }

    /** Of the name itself, not of what a symlink points to. */
    default FileInfo lstat(int dir, String path) throws SysException {
        return At.lstat(dir, path);
    }

    /** Anything but "no such file" counts as existing. */
    default boolean exists(int dir, String path) {
        return At.exists(dir, path);
    }

    default void mkdir(int dir, String path, int mode) throws SysException {
        At.mkdir(dir, path, mode);
    }

    default void rename(int fromDir, String from, int toDir, String to) throws SysException {
        At.rename(fromDir, from, toDir, to);
    }

    /** Refuses with EEXIST when something stands there. */
    default void renameNew(int fromDir, String from, int toDir, String to) throws SysException {
        int result = At.tryRenameNew(fromDir, from, toDir, to);
        if (result < 0) {
            throw new SysException("renameat2 " + to, -result);
        }
    }

    default void unlink(int dir, String path) throws SysException {
        At.unlink(dir, path);
    }

    default void rmdir(int dir, String path) throws SysException {
        At.rmdir(dir, path);
    }

    default void fdatasync(int fd) throws SysException {
        Fd.fdatasync(fd);
    }

    default void fsync(int fd) throws SysException {
        Fd.fsync(fd);
    }

    default void syncfs(int fd) throws SysException {
        Fd.syncfs(fd);
    }

    default Space space(int fd) throws SysException {
        return Fd.space(fd);
    }

    /** Names in a freshly opened directory, in no order. */
    default void list(int dir, Consumer<String> names) throws SysException {
        At.list(dir, names);
    }
}
