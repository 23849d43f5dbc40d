package smtpd.parent;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import smtpd.conf.Instance;
import smtpd.sys.At;
import smtpd.sys.Errno;
import smtpd.sys.Fd;
import smtpd.sys.FileInfo;
import smtpd.sys.Identity;
import smtpd.sys.Open;
import smtpd.sys.SysException;

/**
 * The folders that only root can make, with their owners and modes, and the lock against a second
 * daemon on the same spool. The queue does the rest as its own account.
 */
final class Spool {

    private static final int DIRECTORIES = 0711;
    private static final int PRIVATE = 0700;
    private static final int OFFLINE = 01733;
    private static final int MAX_PID = 32;

    private final int lock;

    private Spool(int lock) {
        this.lock = lock;
    }

    /** Descriptor of the lock; it is held until the process ends. */
    int lock() {
        return lock;
    }

    /**
     * Makes what is missing, checks what is there, takes the lock.
     *
     * @throws StartFailure naming path, what is wrong and what it should be
     */
    static Spool prepare(Instance instance, Identities identities) throws StartFailure {
        Path spool = instance.spool();
        int queueUid = identities.isRoot() ? identities.queue().uid() : Identity.euid();
        int queueGid = identities.isRoot() ? identities.queue().gid() : Identity.egid();
        int rootUid = Identity.euid();
        folder(spool, DIRECTORIES, rootUid, -1);
        for (String name : new String[] {"queue", "incoming", "temporary", "corrupt", "purge"}) {
            folder(spool.resolve(name), PRIVATE, queueUid, queueGid);
        }
        folder(instance.offline(), OFFLINE, rootUid, queueGid);
        folder(instance.state(), DIRECTORIES, rootUid, -1);
        int daemonUid = identities.isRoot() ? identities.daemon().uid() : Identity.euid();
        int daemonGid = identities.isRoot() ? identities.daemon().gid() : Identity.egid();
        folder(instance.state().resolve("mta"), PRIVATE, daemonUid, daemonGid);
        return new Spool(lock(spool.resolve(".lock")));
    }

    private static void folder(Path path, int mode, int uid, int gid) throws StartFailure {
        try {
            int made = At.tryMkdir(At.CWD, path.toString(), mode & 0777);
            if (made >= 0) {
                At.chmod(At.CWD, path.toString(), mode);
                if (Identity.euid() == 0) {
                    At.chown(At.CWD, path.toString(), uid, gid);
                    At.chmod(At.CWD, path.toString(), mode);
                }
                return;
            }
            if (-made != Errno.EEXIST) {
                throw new SysException("mkdir", -made);
            }
            FileInfo there = At.lstat(At.CWD, path.toString());
            if (!there.isDirectory()
                    || there.uid() != uid
                    || (there.permissions() & 0777) != (mode & 0777)) {
                throw new StartFailure(
                        path
                                + ": must be a directory, owner "
                                + uid
                                + ", mode "
                                + Integer.toOctalString(mode)
                                + "; it is owner "
                                + there.uid()
                                + ", mode "
                                + Integer.toOctalString(there.permissions()));
            }
        } catch (SysException e) {
            throw new StartFailure(path + ": " + e.getMessage());
        }
    }

    private static int lock(Path path) throws StartFailure {
        try {
            int fd =
                    At.open(
                            At.CWD,
                            path.toString(),
                            Open.RDWR | Open.CREAT | Open.CLOEXEC | Open.NOFOLLOW,
                            0600);
            if (!Fd.tryFlock(fd)) {
                byte[] pid = new byte[MAX_PID];
                int n = Fd.pread(fd, pid, 0, pid.length, 0);
                throw new StartFailure(
                        path
                                + ": the spool is in use by process "
                                + new String(pid, 0, Math.max(n, 0), StandardCharsets.US_ASCII)
                                        .strip());
            }
            byte[] pid = (Identity.pid() + "\n").getBytes(StandardCharsets.US_ASCII);
            Fd.truncate(fd, 0);
            Fd.pwrite(fd, pid, 0, pid.length, 0);
            return fd;
        } catch (SysException e) {
            throw new StartFailure(path + ": " + e.getMessage());
        }
    }
}
