package smtpd.sys;

import java.io.IOException;

/** A system call said no. The message reads {@code openat /etc/x: Permission denied (EACCES)}. */
public final class SysException extends IOException {
    private final String call;
    private final int errno;

    /**
     * @param call name of the call and what it was applied to
     * @param errno positive, as in errno(3)
     */
    public SysException(String call, int errno) {
        super(call + ": " + Errno.text(errno) + " (" + Errno.name(errno) + ")");
        this.call = call;
        this.errno = errno;
    }

    public int errno() {
        return errno;
    }

    /** The name of the error, such as {@code ENOSPC}. */
    public String errnoName() {
        return Errno.name(errno);
    }

    /** The call that failed and its subject. */
    public String call() {
        return call;
    }

    static int check(String call, long result) throws SysException {
        if (result < 0) {
            throw new SysException(call, (int) -result);
        }
        return (int) result;
    }

    static int check(String call, String subject, long result) throws SysException {
        if (result < 0) {
            throw new SysException(call + " " + subject, (int) -result);
        }
        return (int) result;
    }

    static int check(String call, int fd, long result) throws SysException {
        if (result < 0) {
            throw new SysException(call + " fd " + fd, (int) -result);
        }
        return (int) result;
    }
}
