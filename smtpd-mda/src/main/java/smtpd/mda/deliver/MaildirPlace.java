package smtpd.mda.deliver;

import smtpd.sys.At;
import smtpd.sys.Errno;
import smtpd.sys.Fd;
import smtpd.sys.Open;
import smtpd.sys.SysException;

/**
 * Where a maildir is: what is missing of the way there is made by the user, but never his home.
 *
 * @param root absolute path
 * @param home of the user
 * @param uid of the user, who must own the home (or root)
 * @param folder sub-folder with its leading dot; null for the root itself
 * @param makeFolder whether a missing sub-folder is made; otherwise the root takes the mail
 */
record MaildirPlace(String root, String home, int uid, String folder, boolean makeFolder) {

    private static final int MAX_DEPTH = 64;
    private static final int DIR_FLAGS = Open.RDONLY | Open.DIRECTORY;
    private static final String HOME = "home";

    /** The path of the maildir; of the sub-folder when there is one. */
    String path() {
        return folder == null ? root : root + "/" + folder;
    }

    /**
     * @throws SysException that {@link #verdict} understands
     */
    Box open() throws SysException {
        int dir = openRoot();
        String path = root;
        try {
            int sub = folder == null ? -Errno.ENOENT : openFolder(dir);
            if (sub >= 0) {
                Fd.closeQuietly(dir);
                dir = sub;
                path = path();
            } else if (sub != -Errno.ENOENT) {
                throw new SysException(folder, -sub);
            }
            return Box.open(dir, path);
        } finally {
            Fd.closeQuietly(dir);
        }
    }

    /** What it means for the mail that {@link #open} failed. */
    Verdict verdict(SysException e) {
        if (!e.call().equals(HOME)) {
            return Fault.verdict(e.errno(), e.call());
        }
        return switch (e.errno()) {
            // An unmounted home must not bounce, nor be made below the mount point.
            case Errno.ENOENT -> Verdict.temporary("4.2.1", "home missing");
            case Errno.EPERM -> Verdict.temporary("4.3.5", "home is owned by somebody else");
            default -> Fault.verdict(e.errno(), HOME);
        };
    }

    private int openRoot() throws SysException {
        boolean inHome = root.equals(home) || root.startsWith(home + "/");
        if (inHome) {
            checkHome();
        }
        int dir = At.tryOpen(At.CWD, root, DIR_FLAGS, 0);
        if (dir == -Errno.ENOENT) {
            makePath(inHome ? home.length() : 0);
            dir = At.tryOpen(At.CWD, root, DIR_FLAGS, 0);
        }
        if (dir < 0) {
            throw new SysException("maildir", -dir);
        }
        return dir;
    }

    private void checkHome() throws SysException {
        int owner;
        try {
            owner = At.stat(At.CWD, home).uid();
        } catch (SysException e) {
            throw new SysException(HOME, e.errno());
        }
        if (owner != uid && owner != 0) {
            throw new SysException(HOME, Errno.EPERM);
        }
    }

    /** Makes the missing folders one by one; existing ones keep their mode. */
    private void makePath(int from) throws SysException {
        int at = from;
        for (int depth = 0; depth < MAX_DEPTH && at < root.length(); depth++) {
            int slash = root.indexOf('/', at + 1);
            int end = slash < 0 ? root.length() : slash;
            if (end > at + 1) {
                String part = root.substring(0, end);
                int r = At.tryMkdir(At.CWD, part, 0700);
                // One above ours may refuse mkdir with EACCES or EROFS before EEXIST.
                if (r < 0 && r != -Errno.EEXIST && At.tryLstat(At.CWD, part) == null) {
                    throw new SysException("maildir", -r);
                }
            }
            at = end;
        }
    }

    private int openFolder(int dir) {
        int flags = DIR_FLAGS | Open.NOFOLLOW;
        int sub = At.tryOpen(dir, folder, flags, 0);
        if (sub == -Errno.ENOENT && makeFolder) {
            int r = At.tryMkdir(dir, folder, 0700);
            sub = r < 0 && r != -Errno.EEXIST ? r : At.tryOpen(dir, folder, flags, 0);
        }
        return sub;
    }
}
