package smtpd.mda.deliver;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import smtpd.sys.Errno;
import smtpd.sys.FileInfo;

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
    Verdict append(Posix posix, int fd) {
        int r = posix.lock(fd);
        if (r < 0) {
            return Fault.verdict(-r, "lock");
        }
        r = posix.fstat(fd);
        if (r < 0) {
            return Fault.verdict(-r, "stat");
        }
        FileInfo before = posix.stat();
        r = write(posix, fd, before.size());
        if (r == 0) {
            r = posix.fsync(fd);
            if (r == -Errno.EINVAL) {
                r = 0; // a file system that cannot
            }
        }
        if (r < 0) {
            return undo(posix, fd, before, -r);
        }
        // Readers see new mail by mtime > atime.
        if (posix.fstat(fd) == 0) {
            posix.setTimes(fd, before.atimeNanos(), posix.stat().mtimeNanos());
        }
        return Verdict.OK;
    }

    private int write(Posix posix, int fd, long size) {
        MboxBody body = new MboxBody(posix, fd);
        if (size > 0) {
            body.plain(missingEnd(posix, fd, size));
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
    private static byte[] missingEnd(Posix posix, int fd, long size) {
        MemorySegment tail = posix.buffer();
        int n = posix.pread(fd, tail.asSlice(0, Math.min(2, size)), Math.max(0, size - 2));
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

    private static Verdict undo(Posix posix, int fd, FileInfo before, int errno) {
        int r = posix.ftruncate(fd, before.size());
        posix.setTimes(fd, before.atimeNanos(), before.mtimeNanos());
        return r < 0
                ? Verdict.temporary("4.3.0", "mbox torn: " + Errno.text(-r))
                : Fault.verdict(errno, "mailbox");
    }
}
