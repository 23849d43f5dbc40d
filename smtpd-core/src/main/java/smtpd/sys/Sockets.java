package smtpd.sys;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static smtpd.sys.SysException.check;

import java.lang.foreign.MemorySegment;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;

/** Sockets that are made in one process to be used in another; all close-on-exec. */
public final class Sockets {
    private static final Call SOCKET = Libc.function("socket");
    private static final Call SOCKETPAIR = Libc.function("socketpair");
    private static final Call BIND = Libc.function("bind");
    private static final Call LISTEN = Libc.function("listen");
    private static final Call CONNECT = Libc.function("connect");
    private static final Call SETSOCKOPT = Libc.function("setsockopt");
    private static final Call GETSOCKOPT = Libc.function("getsockopt");
    private static final Call GETSOCKNAME = Libc.function("getsockname");

    static final int AF_UNIX = 1;
    static final int AF_INET = 2;
    static final int AF_INET6 = 10;
    static final int SOCK_STREAM = 1;
    static final int SOCK_DGRAM = 2;
    static final int SOL_SOCKET = 1;
    private static final int CLOEXEC_NONBLOCK = Open.CLOEXEC | Open.NONBLOCK;
    private static final int SO_REUSEADDR = 2;
    private static final int SO_PEERCRED = 17;
    private static final int IPPROTO_IPV6 = 41;
    private static final int IPV6_V6ONLY = 26;
    private static final int SUN_PATH_BYTES = 108;

    private Sockets() {}

    /** socketpair(2): two connected stream ends, non-blocking. */
    public static int[] pair() throws SysException {
        MemorySegment ends = Scratch.current().struct;
        int type = SOCK_STREAM | CLOEXEC_NONBLOCK;
        check("socketpair", SOCKETPAIR.of(AF_UNIX, type, 0, ends.address()));
        return new int[] {ends.get(JAVA_INT, 0), ends.get(JAVA_INT, 4)};
    }

    /**
     * A bound and listening TCP socket, non-blocking, SO_REUSEADDR. An IPv6 one takes IPv6 alone,
     * so that 0.0.0.0 and :: can both be bound.
     */
    public static int listenTcp(InetSocketAddress address, int backlog) throws SysException {
        boolean six = address.getAddress() instanceof Inet6Address;
        String subject = address.getAddress().getHostAddress() + " port " + address.getPort();
        int type = SOCK_STREAM | CLOEXEC_NONBLOCK;
        int fd = check("socket", subject, SOCKET.of(six ? AF_INET6 : AF_INET, type, 0));
        try {
            option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
            if (six) {
                option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
            }
            Scratch scratch = Scratch.current();
            int length = put(scratch.zeroed(28), address);
            check("bind", subject, BIND.of(fd, scratch.struct.address(), length));
            check("listen", subject, LISTEN.of(fd, backlog));
            return fd;
        } catch (SysException e) {
            Fd.closeQuietly(fd);
            throw e;
        }
    }

    /**
     * A bound and listening Unix socket, non-blocking. A socket left at that path is replaced: ask
     * {@link #answers} first whether somebody still listens there. The mode is set before
     * listen(2), so nobody gets in under the umask's.
     *
     * @throws SysException EEXIST when something that is no socket stands at the path
     */
    public static int listenUnix(String path, int mode, int backlog) throws SysException {
        if (At.exists(At.CWD, path)) {
            if (!At.lstat(At.CWD, path).isSocket()) {
                throw new SysException("bind " + path, Errno.EEXIST);
            }
            At.unlink(At.CWD, path);
        }
        int type = SOCK_STREAM | CLOEXEC_NONBLOCK;
        int fd = check("socket", SOCKET.of(AF_UNIX, type, 0));
        try {
            MemorySegment name = Scratch.current().zeroed(2 + SUN_PATH_BYTES);
            int length = put(name, path);
            check("bind", path, BIND.of(fd, name.address(), length));
            At.chmod(At.CWD, path, mode);
            check("listen", path, LISTEN.of(fd, backlog));
            return fd;
        } catch (SysException e) {
            Fd.closeQuietly(fd);
            throw e;
        }
    }

    /** Whether a connect(2) to this Unix socket succeeds: then another daemon is alive. */
    public static boolean answers(String path) {
        try {
            Fd.closeQuietly(connectUnix(path));
            return true;
        } catch (SysException e) {
            // EAGAIN: a full backlog has an owner too.
            return e.errno() == Errno.EAGAIN;
        }
    }

    /** A connected stream socket, non-blocking; connect(2) to a Unix socket never takes time. */
    public static int connectUnix(String path) throws SysException {
        return connectUnix(path, SOCK_STREAM);
    }

    static int connectUnix(String path, int kind) throws SysException {
        int fd = check("socket", SOCKET.of(AF_UNIX, kind | CLOEXEC_NONBLOCK, 0));
        try {
            MemorySegment name = Scratch.current().zeroed(2 + SUN_PATH_BYTES);
            int length = put(name, path);
            check("connect", path, CONNECT.of(fd, name.address(), length));
            return fd;
        } catch (SysException e) {
            Fd.closeQuietly(fd);
            throw e;
        }
    }

    /**
     * Who connected a Unix socket, as the kernel saw it at connect(2): unix(7) SO_PEERCRED.
     *
     * @param pid 0 when it lives in another pid namespace
     */
    public record Peer(int pid, int uid, int gid) {}

    /** The peer of a connected Unix socket. */
    public static Peer peer(int fd) throws SysException {
        MemorySegment ucred = Scratch.current().zeroed(16);
        ucred.set(JAVA_INT, 12, 12);
        long at = ucred.address();
        check("SO_PEERCRED", fd, GETSOCKOPT.of(fd, SOL_SOCKET, SO_PEERCRED, at, at + 12));
        return new Peer(ucred.get(JAVA_INT, 0), ucred.get(JAVA_INT, 4), ucred.get(JAVA_INT, 8));
    }

    /** The local address of a TCP socket, getsockname(2). */
    public static InetSocketAddress localAddress(int fd) throws SysException {
        MemorySegment name = Scratch.current().zeroed(32);
        name.set(JAVA_INT, 28, 28);
        check("getsockname", fd, GETSOCKNAME.of(fd, name.address(), name.address() + 28));
        int port = Short.toUnsignedInt(Short.reverseBytes(name.get(JAVA_SHORT, 2)));
        boolean six = name.get(JAVA_SHORT, 0) == AF_INET6;
        byte[] address = new byte[six ? 16 : 4];
        MemorySegment.copy(name, JAVA_BYTE, six ? 8 : 4, address, 0, address.length);
        try {
            return new InetSocketAddress(InetAddress.getByAddress(address), port);
        } catch (UnknownHostException e) {
            throw new AssertionError("four or sixteen bytes", e);
        }
    }

    private static void option(int fd, int level, int option, int value) throws SysException {
        MemorySegment number = Scratch.current().struct;
        number.set(JAVA_INT, 0, value);
        check("setsockopt", fd, SETSOCKOPT.of(fd, level, option, number.address(), 4));
    }

    /** struct sockaddr_in and sockaddr_in6: family native, port and address big-endian. */
    private static int put(MemorySegment to, InetSocketAddress address) {
        byte[] bytes = address.getAddress().getAddress();
        to.set(JAVA_SHORT, 2, Short.reverseBytes((short) address.getPort()));
        if (address.getAddress() instanceof Inet6Address six) {
            to.set(JAVA_SHORT, 0, (short) AF_INET6);
            MemorySegment.copy(bytes, 0, to, JAVA_BYTE, 8, 16);
            to.set(JAVA_INT, 24, six.getScopeId());
            return 28;
        }
        to.set(JAVA_SHORT, 0, (short) AF_INET);
        MemorySegment.copy(bytes, 0, to, JAVA_BYTE, 4, 4);
        return 16;
    }

    /** struct sockaddr_un, its path ended by a NUL. */
    private static int put(MemorySegment to, String path) throws SysException {
        byte[] bytes = path.getBytes(StandardCharsets.UTF_8);
        if (bytes.length >= SUN_PATH_BYTES) {
            throw new SysException("unix socket " + path, Errno.ENAMETOOLONG);
        }
        to.set(JAVA_SHORT, 0, (short) AF_UNIX);
        MemorySegment.copy(bytes, 0, to, JAVA_BYTE, 2, bytes.length);
        return 2 + bytes.length + 1;
    }
}
