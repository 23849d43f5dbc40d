package smtpd.sys;

import static smtpd.sys.SysException.check;

/**
 * Files that live in memory only; sealed, they cannot change any more: how a configuration is
 * handed out.
 */
public final class Memfd {
    private static final int MFD_CLOEXEC = 1;
    private static final int MFD_ALLOW_SEALING = 2;
    private static final int MFD_NOEXEC_SEAL = 8;
    private static final int F_ADD_SEALS = 1033;
    private static final int F_GET_SEALS = 1034;
    private static final int SEAL_SEAL = 1;
    private static final int SEAL_SHRINK = 2;
    private static final int SEAL_GROW = 4;
    private static final int SEAL_WRITE = 8;
    private static final int ALL = SEAL_SEAL | SEAL_SHRINK | SEAL_GROW | SEAL_WRITE;

    private Memfd() {}

    /**
     * memfd_create(2) with the given content, sealed against every change (F_SEAL_WRITE, SHRINK,
     * GROW, SEAL). Read it with {@link Fd#readAll}: all holders share one offset.
     *
     * @param name shown in /proc only
     */
    public static int sealed(String name, byte[] content) throws SysException {
        int fd = create(name);
        try {
            Fd.pwrite(fd, content, 0, content.length, 0);
            check("fcntl F_ADD_SEALS", fd, Libc.syscall(Nr.FCNTL, fd, F_ADD_SEALS, ALL));
            return fd;
        } catch (SysException e) {
            Fd.closeQuietly(fd);
            throw e;
        }
    }

    /** Whether the descriptor is such a file: what a receiver checks before it trusts the bytes. */
    public static boolean isSealed(int fd) {
        long seals = Libc.syscall(Nr.FCNTL, fd, F_GET_SEALS, 0);
        return seals >= 0 && (seals & ALL) == ALL;
    }

    /**
     * An empty one, open for reading and writing.
     *
     * @param name shown in /proc only
     */
    public static int create(String name) throws SysException {
        long text = Scratch.current().path(name);
        int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
        long fd = Libc.syscall(Nr.MEMFD_CREATE, text, flags | MFD_NOEXEC_SEAL, 0);
        if (fd == -Errno.EINVAL) { // Kernels before 6.3 do not know NOEXEC_SEAL.
            fd = Libc.syscall(Nr.MEMFD_CREATE, text, flags, 0);
        }
        return check("memfd_create", fd);
    }
}
