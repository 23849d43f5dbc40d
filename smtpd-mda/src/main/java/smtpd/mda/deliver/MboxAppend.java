package smtpd.mda.deliver;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import smtpd.sys.Errno;
import smtpd.sys.Fd;
import smtpd.sys.FileInfo;
import smtpd.sys.FileSystemType;
import smtpd.sys.SysException;

/**
 * Appends one mail to an open mbox, or nothing: on any error the file gets its old size and times
 * back, while the locks are still held.
 */
final class MboxAppend {

    private final byte[] fromLine;
    private final byte[] headers;
    private final Content content;

    MboxAppend(byte[] fromLine, byte[] headers, Content content) {
        this.fromLine = fromLine;
        this.headers = headers;
        this.content = content;
    }

    /**
     * @param fd read-write, append mode, regular file; the locks of the open file are taken here
     *     and go when it is closed
     */
    Verdict append(CopyBuffer copy, int fd) {
        FileInfo before;
        try {
            if (!lock(fd)) {
                return Fault.verdict(Fault.LOCKED, "lock");
            }
            before = Fd.stat(fd);
        } catch (SysException e) {
            return Fault.verdict(e.errno(), "lock");
        }
        int r = write(copy, fd, before.size());
        if (r == 0) {
            r = Fd.tryFsync(fd);
            if (r == -Errno.EINVAL) {
                r = 0; // a file system that cannot
            }
        }
        if (r < 0) {
            return undo(fd, before, -r);
        }
        // Readers see new mail by mtime > atime.
        FileInfo after = Fd.tryStat(fd);
        if (after != null) {
            Fd.tryTimes(fd, before.atimeNanos(), after.mtimeNanos());
        }
        return Verdict.OK;
    }

    /**
     * Both locks of an open mailbox, without waiting: that of the open file, which other threads of
     * this process meet as well, and flock. Both go with the descriptor.
     */
    private static boolean lock(int fd) throws SysException {
        // On NFS flock is the same lock as fcntl's and would block itself.
        return Fd.tryOfdLock(fd) && (FileSystemType.isNfs(fd) || Fd.tryFlock(fd));
    }

    private int write(CopyBuffer copy, int fd, long size) {
        MboxBody body = new MboxBody(copy, fd);
        if (size > 0) {
            body.plain(missingEnd(copy, fd, size));
        }
        body.plain(fromLine);
        body.plain(headers);
        int r = body.content(content);
        if (r < 0) {
            return r;
        }
        body.plain(new byte[] {'\n'});
        return body.flush();
    }

    /** What an earlier torn write left out of the blank line that ends each mail. */
    private static byte[] missingEnd(CopyBuffer copy, int fd, long size) {
        MemorySegment tail = copy.first();
        int n = Fd.tryPread(fd, tail.asSlice(0, Math.min(2, size)), Math.max(0, size - 2));
        if (n < 1) {
            return new byte[0];
        }
        boolean last = tail.get(ValueLayout.JAVA_BYTE, n - 1) == '\n';
        if (!last) {
            return new byte[] {'\n', '\n'};
        }
        boolean before = n == 2 && tail.get(ValueLayout.JAVA_BYTE, 0) == '\n';
        return before ? new byte[0] : new byte[] {'\n'};
    }

    private static Verdict undo(int fd, FileInfo before, int errno) {
        int r = Fd.tryTruncate(fd, before.size());
        Fd.tryTimes(fd, before.atimeNanos(), before.mtimeNanos());
        return r < 0
                ? Verdict.temporary("4.3.0", "mbox torn: " + Errno.text(-r))
                : Fault.verdict(errno, "mailbox");
    }
}
