package smtpd.queue.fs;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import smtpd.queue.backend.FileOps;
import smtpd.sys.Errno;
import smtpd.sys.Fd;
import smtpd.sys.SysException;

/**
 * A disk that fails on command. From a given change on it can be dead: nothing is changed any more,
 * not even to undo, which is what a killed process leaves.
 */
final class FaultyFileOps implements FileOps {

    /** Decides about one change; null lets it through. */
    interface Fault {
        Integer errno(String call, String name);
    }

    final AtomicInteger changes = new AtomicInteger();
    final AtomicInteger syncs = new AtomicInteger();
    final AtomicInteger looks = new AtomicInteger();
    volatile int deadFrom = Integer.MAX_VALUE;
    volatile Fault fault = (call, name) -> null;
    volatile boolean writesShort;

    private void change(String call, String name) throws SysException {
        if (changes.incrementAndGet() >= deadFrom) {
            throw new SysException("dead " + call, Errno.EIO);
        }
        Integer errno = fault.errno(call, name);
        if (errno != null) {
            throw new SysException(call + " " + name, errno);
        }
    }

    @Override
    public int open(int dir, String path, int flags, int mode) throws SysException {
        if ((flags & smtpd.sys.Open.CREAT) != 0) {
            change("create", path);
        } else {
            Integer errno = fault.errno("open", path);
            if (errno != null) {
                throw new SysException("openat " + path, errno);
            }
        }
        return FileOps.super.open(dir, path, flags, mode);
    }

    @Override
    public void write(int fd, byte[] bytes) throws SysException {
        if (changes.incrementAndGet() >= deadFrom || writesShort) {
            Fd.write(fd, bytes, 0, bytes.length / 2);
            throw new SysException("write fd " + fd, Errno.ENOSPC);
        }
        FileOps.super.write(fd, bytes);
    }

    @Override
    public boolean exists(int dir, String path) {
        looks.incrementAndGet();
        return FileOps.super.exists(dir, path);
    }

    @Override
    public void mkdir(int dir, String path, int mode) throws SysException {
        change("mkdir", path);
        FileOps.super.mkdir(dir, path, mode);
    }

    @Override
    public void rename(int fromDir, String from, int toDir, String to) throws SysException {
        change("rename", to);
        FileOps.super.rename(fromDir, from, toDir, to);
    }

    @Override
    public void renameNew(int fromDir, String from, int toDir, String to) throws SysException {
        change("rename", to);
        FileOps.super.renameNew(fromDir, from, toDir, to);
    }

    @Override
    public void unlink(int dir, String path) throws SysException {
        change("unlink", path);
        FileOps.super.unlink(dir, path);
    }

    @Override
    public void rmdir(int dir, String path) throws SysException {
        change("rmdir", path);
        FileOps.super.rmdir(dir, path);
    }

    @Override
    public void fdatasync(int fd) throws SysException {
        syncs.incrementAndGet();
        change("fdatasync", "fd");
        FileOps.super.fdatasync(fd);
    }

    @Override
    public void fsync(int fd) throws SysException {
        syncs.incrementAndGet();
        change("fsync", "fd");
        FileOps.super.fsync(fd);
    }

    @Override
    public void syncfs(int fd) throws SysException {
        syncs.incrementAndGet();
        change("syncfs", "fd");
        FileOps.super.syncfs(fd);
    }

    @Override
    public void list(int dir, Consumer<String> names) throws SysException {
        FileOps.super.list(dir, names);
    }
}
