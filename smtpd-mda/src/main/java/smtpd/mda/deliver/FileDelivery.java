package smtpd.mda.deliver;

import java.lang.foreign.MemorySegment;
import smtpd.sys.Errno;
import smtpd.sys.Open;

/**
 * Append in mbox format to a file that the user named, opened by the user.
 *
 * <p>Folders are never made. A character device the user may write takes the mail without locks and
 * sync; anything else that is not a regular file (a FIFO would hang) is refused.
 */
final class FileDelivery implements Backend {

    private final String path;
    private final byte[] fromLine;
    private final byte[] headers;
    private final Content content;

    FileDelivery(String path, byte[] fromLine, byte[] headers, Content content) {
        this.path = path;
        this.fromLine = fromLine;
        this.headers = headers;
        this.content = content;
    }

    @Override
    public Verdict deliver(Posix posix) {
        int slash = path.lastIndexOf('/');
        int dir =
                posix.open(
                        Posix.AT_FDCWD,
                        path.substring(0, slash + 1),
                        Open.RDONLY | Open.DIRECTORY,
                        0);
        if (dir < 0) {
            return Fault.verdict(-dir, "folder of " + path);
        }
        Verdict verdict = inFolder(posix, dir, path.substring(slash + 1));
        posix.close(dir);
        return verdict;
    }

    private Verdict inFolder(Posix posix, int dir, String name) {
        // A device is looked at before it is opened: opening one may already do something.
        if (posix.lstat(dir, name) == 0 && !posix.stat().isRegular()) {
            return posix.stat().isCharacterDevice()
                    ? toDevice(posix, dir, name)
                    : Verdict.temporary("4.2.0", path + " is not a regular file");
        }
        DotLock lock = new DotLock(posix);
        int r = lock.take(dir, name + ".lock");
        if (r == -Fault.LOCKED) {
            return Fault.verdict(Fault.LOCKED, "dot lock");
        }
        Verdict verdict = append(posix, dir, name);
        if (r == 0) {
            lock.release(dir);
        }
        return verdict;
    }

    private Verdict append(Posix posix, int dir, String name) {
        int flags = Open.CREAT | Open.APPEND | Open.NOFOLLOW | Open.NONBLOCK | Open.NOCTTY;
        int fd = posix.open(dir, name, flags | Open.RDWR, 0600);
        if (fd == -Errno.EACCES) {
            fd = posix.open(dir, name, flags | Open.WRONLY, 0600);
        }
        if (fd < 0) {
            return Fault.verdict(-fd, path);
        }
        int r = posix.fstat(fd);
        Verdict verdict;
        if (r < 0) {
            verdict = Fault.verdict(-r, path);
        } else if (!posix.stat().isRegular()) {
            verdict = Verdict.temporary("4.2.0", path + " is not a regular file");
        } else {
            verdict = new MboxAppend(fromLine, headers, content).append(posix, fd);
        }
        posix.close(fd);
        return verdict;
    }

    private Verdict toDevice(Posix posix, int dir, String name) {
        int flags = Open.WRONLY | Open.NOFOLLOW | Open.NONBLOCK | Open.NOCTTY;
        int fd = posix.open(dir, name, flags, 0);
        if (fd < 0) {
            return Fault.verdict(-fd, path);
        }
        MboxBody body = new MboxBody(posix, fd);
        body.plain(fromLine);
        body.plain(headers);
        int r = body.content(content);
        if (r == 0) {
            body.plain(new byte[] {'\n'});
            r = body.flush();
        }
        posix.close(fd);
        return r < 0 ? Fault.verdict(-r, path) : Verdict.OK;
    }

    /** Proves content that goes nowhere ({@code /dev/null}): it is still checked, not written. */
    static Verdict discard(Content content, Posix posix) {
        MemorySegment buffer = posix.buffer();
        ContentReader reader = new ContentReader(content, posix, buffer);
        int n;
        do {
            n = reader.next();
        } while (n > 0);
        return n < 0 ? Fault.verdict(-n, "content") : Verdict.OK;
    }
}
