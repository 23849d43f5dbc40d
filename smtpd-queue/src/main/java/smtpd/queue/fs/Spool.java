package smtpd.queue.fs;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CopyOnWriteArrayList;
import smtpd.queue.backend.BackendException;
import smtpd.queue.backend.FileOps;
import smtpd.sys.At;
import smtpd.sys.Errno;
import smtpd.sys.FileInfo;
import smtpd.sys.Open;
import smtpd.sys.SysException;

/** The folders of the spool, reached through descriptors that were opened at start. */
final class Spool {

    static final int FOLDER = Open.RDONLY | Open.DIRECTORY | Open.NOFOLLOW;

    private static final String[] ALL = {"queue", "incoming", "temporary", "corrupt", "purge"};
    private static final int QUEUE = 0;
    private static final int INCOMING = 1;
    private static final int TEMPORARY = 2;
    private static final int CORRUPT = 3;
    private static final int PURGE = 4;

    private final FileOps files;
    private final Path root;
    private final int uid;
    private final List<Integer> retired = new CopyOnWriteArrayList<>();
    private final int[] fds = {-1, -1, -1, -1, -1};
    private long device;

    Spool(FileOps files, Path root, int uid) {
        this.files = files;
        this.root = root;
        this.uid = uid;
    }

    synchronized int queue() {
        return fds[QUEUE];
    }

    synchronized int incoming() {
        return fds[INCOMING];
    }

    synchronized int temporary() {
        return fds[TEMPORARY];
    }

    synchronized int corrupt() {
        return fds[CORRUPT];
    }

    synchronized int purge() {
        return fds[PURGE];
    }

    int uid() {
        return uid;
    }

    /** Makes missing folders, checks all, opens them. */
    synchronized void open() throws BackendException {
        for (int i = 0; i < ALL.length; i++) {
            try {
                int made = At.tryMkdir(At.CWD, path(i), 0700);
                if (made < 0 && made != -Errno.EEXIST) {
                    throw new SysException("mkdir " + path(i), -made);
                }
                fds[i] = files.open(At.CWD, path(i), FOLDER, 0);
                FileInfo info = files.stat(fds[i]);
                String wrong = wrong(info);
                if (wrong != null) {
                    throw new BackendException(path(i) + ": " + wrong);
                }
                if (i == 0) {
                    device = info.device();
                } else if (info.device() != device) {
                    throw new BackendException(
                            path(i) + ": must be on the same file system as " + path(QUEUE));
                }
            } catch (SysException e) {
                throw new BackendException(e.getMessage(), e);
            }
        }
    }

    private String path(int i) {
        return root.resolve(ALL[i]).toString();
    }

    private String wrong(FileInfo info) {
        if (info.uid() != uid) {
            return "must be owned by uid " + uid + ", is owned by " + info.uid();
        }
        if ((info.permissions() & 0777) != 0700) { // a set-gid parent may have left its bit
            return String.format(Locale.ROOT, "must have mode 0700, has %04o", info.permissions());
        }
        return null;
    }

    /**
     * Whether the folders are what they were. One that was replaced is opened again, but not on
     * another device: that would be the empty folder below a missing mount.
     *
     * @return null when all is well, else what is not
     */
    synchronized String check() {
        for (int i = 0; i < ALL.length; i++) {
            try {
                FileInfo now = files.lstat(At.CWD, path(i));
                if (!now.isDirectory() || now.device() != device) {
                    return path(i) + ": not the folder it was";
                }
                String wrong = wrong(now);
                if (wrong != null) {
                    return path(i) + ": " + wrong;
                }
                if (files.stat(fds[i]).inode() != now.inode()) {
                    int fd = files.open(At.CWD, path(i), FOLDER, 0);
                    retired.add(fds[i]); // others may be in a call with it
                    fds[i] = fd;
                }
            } catch (SysException e) {
                return e.getMessage();
            }
        }
        return null;
    }

    synchronized void close() {
        for (int i = 0; i < fds.length; i++) {
            quietly(fds[i]);
            fds[i] = -1;
        }
        retired.forEach(this::quietly);
        retired.clear();
    }

    private void quietly(int fd) {
        if (fd >= 0) {
            try {
                files.close(fd);
            } catch (SysException e) {
                return; // only read from: nothing can be lost
            }
        }
    }
}
