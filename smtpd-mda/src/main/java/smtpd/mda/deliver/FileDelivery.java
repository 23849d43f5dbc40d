package smtpd.mda.deliver;

import smtpd.sys.At;
import smtpd.sys.Errno;
import smtpd.sys.Fd;
import smtpd.sys.FileInfo;
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
    public Verdict finish(Desk desk) {
        int slash = path.lastIndexOf('/');
        int dir = At.tryOpen(At.CWD, path.substring(0, slash + 1), Open.RDONLY | Open.DIRECTORY, 0);
        if (dir < 0) {
            return Fault.verdict(-dir, "folder of " + path);
        }
        Verdict verdict = inFolder(desk.copy(), dir, path.substring(slash + 1));
        Fd.closeQuietly(dir);
        return verdict;
    }

    private Verdict inFolder(CopyBuffer copy, int dir, String name) {
        // A device is looked at before it is opened: opening one may already do something.
        FileInfo found = At.tryLstat(dir, name);
        if (found != null && !found.isRegular()) {
            return found.isCharacterDevice()
                    ? toDevice(copy, dir, name)
                    : Verdict.temporary("4.2.0", path + " is not a regular file");
        }
        DotLock lock = new DotLock(copy);
        int r = lock.take(dir, name + ".lock");
        if (r == -Fault.LOCKED) {
            return Fault.verdict(Fault.LOCKED, "dot lock");
        }
        Verdict verdict = append(copy, dir, name);
        if (r == 0) {
            lock.release(dir);
        }
        return verdict;
    }

    private Verdict append(CopyBuffer copy, int dir, String name) {
        int flags = Open.CREAT | Open.APPEND | Open.NOFOLLOW | Open.NONBLOCK | Open.NOCTTY;
        int fd = At.tryOpen(dir, name, flags | Open.RDWR, 0600);
        if (fd == -Errno.EACCES) {
            fd = At.tryOpen(dir, name, flags | Open.WRONLY, 0600);
        }
        if (fd < 0) {
            return Fault.verdict(-fd, path);
        }
        FileInfo file = Fd.tryStat(fd);
        Verdict verdict;
        if (file == null || !file.isRegular()) {
            verdict = Verdict.temporary("4.2.0", path + " is not a regular file");
        } else {
            verdict = new MboxAppend(fromLine, headers, content).append(copy, fd);
        }
        Fd.closeQuietly(fd);
        return verdict;
    }

    private Verdict toDevice(CopyBuffer copy, int dir, String name) {
        int flags = Open.WRONLY | Open.NOFOLLOW | Open.NONBLOCK | Open.NOCTTY;
        int fd = At.tryOpen(dir, name, flags, 0);
        if (fd < 0) {
            return Fault.verdict(-fd, path);
        }
        MboxBody body = new MboxBody(copy, fd);
        body.plain(fromLine);
        body.plain(headers);
        int r = body.content(content);
        if (r == 0) {
            body.plain(new byte[] {'\n'});
            r = body.flush();
        }
        Fd.closeQuietly(fd);
        return r < 0 ? Fault.verdict(-r, path) : Verdict.OK;
    }

    /** Proves content that goes nowhere ({@code /dev/null}): it is still checked, not written. */
    static Verdict discard(Content content, CopyBuffer copy) {
        ContentReader reader = new ContentReader(content, copy.first());
        int n;
        do {
            n = reader.next();
        } while (n > 0);
        return n < 0 ? Fault.verdict(-n, "content") : Verdict.OK;
    }
}
