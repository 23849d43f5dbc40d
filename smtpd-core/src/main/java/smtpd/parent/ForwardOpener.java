package smtpd.parent;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import smtpd.imsg.LkaToParent.OpenForward;
import smtpd.imsg.ParentToLka.ForwardStatus;
import smtpd.sys.At;
import smtpd.sys.Errno;
import smtpd.sys.Fd;
import smtpd.sys.FileInfo;
import smtpd.sys.Open;
import smtpd.sys.SysException;
import smtpd.sys.ThreadIdentity;

/**
 * Opens {@code ~/.forward} on behalf of lka, as the user would: root would follow what the user
 * could not read. At most eight at once and five seconds each; a hanging mount costs a thread of
 * the pool, never the parent.
 */
final class ForwardOpener {

    private static final int THREADS = 8;
    private static final int WAITING = 256;
    private static final long LIMIT_SECONDS = 5;
    private static final int MAX_PATH = 1023;
    private static final int STICKY = 01000;
    private static final int GROUP_OR_WORLD_WRITE = 022;

    /**
     * What became of a request.
     *
     * @param fd open for reading when the status says so, else -1; owned by the receiver
     */
    record Opened(ForwardStatus status, String reason, int fd) {}

    private final ThreadPoolExecutor pool =
            new ThreadPoolExecutor(
                    0,
                    THREADS,
                    10,
                    TimeUnit.SECONDS,
                    new ArrayBlockingQueue<>(WAITING),
                    Thread.ofPlatform().name("forward-", 0).daemon().factory());
    private final java.util.concurrent.ScheduledExecutorService timer;

    /**
     * @param timer any executor with a clock, such as the parent's event loop
     */
    ForwardOpener(java.util.concurrent.ScheduledExecutorService timer) {
        this.timer = timer;
        pool.setCorePoolSize(THREADS);
        pool.allowCoreThreadTimeOut(true);
    }

    /** Answers exactly once, on any thread. */
    void open(OpenForward request, Consumer<Opened> then) {
        AtomicBoolean answered = new AtomicBoolean();
        try {
            pool.execute(
                    () -> {
                        Opened opened = open(request);
                        if (answered.compareAndSet(false, true)) {
                            then.accept(opened);
                        } else {
                            Fd.closeQuietly(opened.fd());
                        }
                    });
        } catch (RejectedExecutionException e) {
            then.accept(temporary("too many .forward files hang"));
            return;
        }
        timer.schedule(
                () -> {
                    if (answered.compareAndSet(false, true)) {
                        then.accept(temporary("opening .forward took too long"));
                    }
                },
                LIMIT_SECONDS,
                TimeUnit.SECONDS);
    }

    private static Opened open(OpenForward request) {
        String home = request.home();
        String path = home + "/.forward";
        if (!home.startsWith("/") || path.length() > MAX_PATH || home.indexOf('\0') >= 0) {
            return unsafe("home is no usable path");
        }
        try {
            FileInfo folder = At.stat(At.CWD, home);
            if ((folder.permissions() & STICKY) != 0) {
                return temporary("home is sticky: the user is editing");
            }
            Opened bad = checkFolders(home, request.uid());
            if (bad != null) {
                return bad;
            }
        } catch (SysException e) {
            return ofFolder(e);
        }
        try {
            int fd =
                    new ThreadIdentity(request.uid(), request.gid())
                            .asFileOwner(
                                    () ->
                                            At.open(
                                                    At.CWD,
                                                    path,
                                                    Open.RDONLY
                                                            | Open.NOFOLLOW
                                                            | Open.NONBLOCK
                                                            | Open.CLOEXEC
                                                            | Open.NOCTTY));
            return check(fd, request.uid());
        } catch (SysException e) {
            int errno = e.errno();
            if (errno == Errno.ENOENT) {
                return new Opened(ForwardStatus.NONE, "", -1);
            }
            return errno == Errno.ELOOP ? unsafe("is a symbolic link") : temporary(e.getMessage());
        }
    }

    private static Opened checkFolders(String home, int uid) throws SysException {
        java.nio.file.Path at = java.nio.file.Path.of(home).normalize();
        while (at != null) {
            FileInfo folder = At.stat(At.CWD, at.toString());
            boolean stickyRoot = folder.uid() == 0 && (folder.permissions() & STICKY) != 0;
            if ((folder.uid() != 0 && folder.uid() != uid)
                    || ((folder.permissions() & GROUP_OR_WORLD_WRITE) != 0 && !stickyRoot)) {
                return unsafe(at + " belongs to others or is writable by others");
            }
            at = at.getParent();
        }
        return null;
    }

    private static Opened check(int fd, int uid) throws SysException {
        FileInfo file = Fd.stat(fd);
        if (!file.isRegular()
                || (file.uid() != uid && file.uid() != 0)
                || (file.permissions() & GROUP_OR_WORLD_WRITE) != 0) {
            Fd.closeQuietly(fd);
            return unsafe("is no regular file of the user, or writable by others");
        }
        return new Opened(ForwardStatus.OPEN, "", fd);
    }

    private static Opened ofFolder(SysException e) {
        int errno = e.errno();
        if (errno == Errno.ENOENT) {
            return new Opened(ForwardStatus.NONE, "", -1);
        }
        return errno == Errno.EACCES || errno == Errno.ELOOP || errno == Errno.ENOTDIR
                ? unsafe(e.getMessage())
                : temporary(e.getMessage());
    }

    private static Opened unsafe(String reason) {
        return new Opened(ForwardStatus.UNSAFE, reason, -1);
    }

    private static Opened temporary(String reason) {
        return new Opened(ForwardStatus.TEMPORARY, reason, -1);
    }
}
