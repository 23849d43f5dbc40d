package smtpd.mda.deliver;

import smtpd.sys.At;
import smtpd.sys.Errno;
import smtpd.sys.Fd;
import smtpd.sys.FileInfo;
import smtpd.sys.Open;
import smtpd.sys.SysException;

/**
 * The system mailbox, in two steps: {@link Prepare} with the rights of mda makes the file and the
 * dot lock, because users cannot write that folder; the thread of the recipient appends through the
 * descriptor.
 */
final class Mbox implements Backend {

    private final int fd;
    private final MboxAppend append;

    Mbox(int fd, MboxAppend append) {
        this.fd = fd;
        this.append = append;
    }

    @Override
    public Verdict finish(Desk desk) {
        return append.append(desk.copy(), fd);
    }

    private static final int SETGID = 02000;

    /** The privileged half; runs on a thread of mda's own identity. */
    static final class Prepare {

        private final String directory;
        private final Account account;
        private final DotLock lock;
        private int dir = -1;
        private int fd = -1;

        /**
         * @param directory the mail folder, {@code /var/mail}
         */
        Prepare(CopyBuffer copy, String directory, Account account) {
            this.directory = directory;
            this.account = account;
            this.lock = new DotLock(copy);
        }

        /** The mailbox, open for append; only after {@link #open} answered null. */
        int fd() {
            return fd;
        }

        /** Null when the mailbox is open and the dot lock ours; else how the try ended. */
        Verdict open() {
            dir = At.tryOpen(At.CWD, directory, Open.RDONLY | Open.DIRECTORY, 0);
            if (dir < 0) {
                return Fault.verdict(-dir, directory);
            }
            int r = lock.take(dir, account.name() + ".lock");
            if (r < 0 && !mayGoWithout(r)) {
                return Fault.verdict(-r, "dot lock");
            }
            Verdict verdict = openFile();
            if (verdict != null) {
                close();
            }
            return verdict;
        }

        /** A plain user's instance cannot write {@code /var/mail}: the file's own locks do. */
        private boolean mayGoWithout(int r) {
            return (r == -Errno.EACCES || r == -Errno.EPERM) && !account.isRoot();
        }

        private Verdict openFile() {
            String name = account.name();
            int flags = Open.RDWR | Open.APPEND | Open.NOFOLLOW | Open.NONBLOCK;
            fd = At.tryOpen(dir, name, flags, 0);
            if (fd == -Errno.ENOENT) {
                fd = create(name, flags);
            }
            if (fd < 0) {
                int errno = -fd;
                fd = -1;
                return Fault.verdict(errno, "mailbox");
            }
            return check(name);
        }

        private int create(String name, int flags) {
            int made = At.tryOpen(dir, name, flags | Open.CREAT | Open.EXCL, 0600);
            if (made == -Errno.EEXIST) {
                return At.tryOpen(dir, name, flags, 0);
            }
            if (made < 0) {
                return made;
            }
            FileInfo folder = Fd.tryStat(dir);
            // In a setgid folder the kernel gave the file its group (mail), which stays.
            boolean stays = folder != null && (folder.permissions() & SETGID) != 0;
            int r = Fd.tryChown(made, account.uid(), stays ? -1 : account.gid());
            if (r < 0) {
                At.tryUnlink(dir, name);
                Fd.closeQuietly(made);
                return r;
            }
            return made;
        }

        /** A mailbox that is a link, a link's target or somebody else's is never written. */
        private Verdict check(String name) {
            FileInfo open;
            FileInfo named;
            try {
                open = Fd.stat(fd);
                named = At.lstat(dir, name);
            } catch (SysException e) {
                return Fault.verdict(e.errno(), "mailbox");
            }
            if (!open.isRegular() || !open.isSameFile(named)) {
                return Verdict.temporary("4.2.0", "mailbox is not a regular file");
            }
            if (open.links() != 1) {
                return Verdict.temporary("4.2.0", "mailbox has more than one link");
            }
            if (open.uid() != account.uid()) {
                return Verdict.temporary("4.2.0", "mailbox is owned by somebody else");
            }
            return null;
        }

        /** Gives everything back: file, then dot lock. */
        void close() {
            if (fd >= 0) {
                Fd.closeQuietly(fd);
                fd = -1;
            }
            if (dir >= 0) {
                lock.release(dir);
                Fd.closeQuietly(dir);
                dir = -1;
            }
        }
    }
}
