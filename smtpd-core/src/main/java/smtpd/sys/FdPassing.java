package smtpd.sys;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static smtpd.sys.SysException.check;

import java.lang.foreign.MemorySegment;

/**
 * Descriptors across a Unix socket, unix(7) SCM_RIGHTS: one byte carries one descriptor, which is
 * what Netty's FILE_DESCRIPTORS mode reads and writes.
 */
public final class FdPassing {
    private static final Call SENDMSG = Libc.wideFunction("sendmsg");
    private static final Call RECVMSG = Libc.wideFunction("recvmsg");

    private static final int SCM_RIGHTS = 1;
    private static final int MSG_CTRUNC = 8;
    private static final int MSG_NOSIGNAL = 0x4000;
    private static final int MSG_CMSG_CLOEXEC = 0x40000000;

    // One block: struct msghdr (56), struct iovec (16) at 56, the byte at 72, control (24) at 80.
    private static final int IOVEC = 56;
    private static final int PAYLOAD = 72;
    private static final int CONTROL = 80;
    private static final int CONTROL_BYTES = 24;
    private static final int CMSG_LENGTH = 20;

    private FdPassing() {}

    /**
     * sendmsg(2). The descriptor stays ours as well; close it afterwards if it is not needed.
     *
     * @throws SysException EAGAIN when the socket is full: nothing was sent
     */
    public static void send(int socket, int fd) throws SysException {
        MemorySegment message = message();
        message.set(JAVA_LONG, CONTROL, CMSG_LENGTH);
        message.set(JAVA_INT, CONTROL + 8, Sockets.SOL_SOCKET);
        message.set(JAVA_INT, CONTROL + 12, SCM_RIGHTS);
        message.set(JAVA_INT, CONTROL + 16, fd);
        long result;
        do {
            result = SENDMSG.of(socket, message.address(), MSG_NOSIGNAL);
        } while (result == -Errno.EINTR);
        check("sendmsg", socket, result);
    }

    /**
     * recvmsg(2): the descriptor, close-on-exec and ours to close; -1 when the peer has closed.
     *
     * @throws SysException EAGAIN when none waits; EMFILE when the kernel had to drop it because
     *     this process is at its limit; EBADF when a byte came without a descriptor
     */
    public static int receive(int socket) throws SysException {
        MemorySegment message = message();
        long count;
        do {
            count = RECVMSG.of(socket, message.address(), MSG_CMSG_CLOEXEC);
        } while (count == -Errno.EINTR);
        if (check("recvmsg", socket, count) == 0) {
            return -1;
        }
        boolean isRights =
                message.get(JAVA_LONG, 40) >= CMSG_LENGTH
                        && message.get(JAVA_LONG, CONTROL) == CMSG_LENGTH
                        && message.get(JAVA_INT, CONTROL + 8) == Sockets.SOL_SOCKET
                        && message.get(JAVA_INT, CONTROL + 12) == SCM_RIGHTS;
        boolean isCut = (message.get(JAVA_INT, 48) & MSG_CTRUNC) != 0;
        if (isRights && !isCut) {
            return message.get(JAVA_INT, CONTROL + 16);
        }
        if (isRights) {
            Fd.closeQuietly(message.get(JAVA_INT, CONTROL + 16));
        }
        throw new SysException("recvmsg fd " + socket, isCut ? Errno.EMFILE : Errno.EBADF);
    }

    private static MemorySegment message() {
        MemorySegment message = Scratch.current().zeroed(CONTROL + CONTROL_BYTES);
        long base = message.address();
        message.set(JAVA_LONG, 16, base + IOVEC);
        message.set(JAVA_LONG, 24, 1);
        message.set(JAVA_LONG, 32, base + CONTROL);
        message.set(JAVA_LONG, 40, CONTROL_BYTES);
        message.set(JAVA_LONG, IOVEC, base + PAYLOAD);
        message.set(JAVA_LONG, IOVEC + 8, 1);
        return message;
    }
}
