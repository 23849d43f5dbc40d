package smtpd.sys;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A syslog daemon's end: a bound Unix datagram socket that reads when asked. */
public final class DatagramServer implements AutoCloseable {
    private static final Call SOCKET = Libc.function("socket");
    private static final Call BIND = Libc.function("bind");

    private final int fd;

    public DatagramServer(String path) throws SysException {
        fd = SysException.check("socket", SOCKET.of(1, 2 | Open.CLOEXEC | Open.NONBLOCK, 0));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment name = arena.allocate(110, 8);
            name.set(JAVA_SHORT, 0, (short) 1);
            byte[] bytes = path.getBytes(UTF_8);
            MemorySegment.copy(bytes, 0, name, JAVA_BYTE, 2, bytes.length);
            SysException.check("bind", BIND.of(fd, name.address(), 2 + bytes.length + 1));
        }
    }

    /** The next datagram, waiting for it; null when none comes in time. */
    public String receive(int millis) throws SysException {
        if (!Poll.one(fd, Poll.IN, millis)) {
            return null;
        }
        byte[] datagram = new byte[16_384];
        int count = Fd.read(fd, datagram, 0, datagram.length);
        return new String(datagram, 0, count, UTF_8);
    }

    @Override
    public void close() {
        Fd.closeQuietly(fd);
    }
}
