package smtpd.sys;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import java.util.function.LongSupplier;

/**
 * Datagrams to the syslog daemon's Unix socket. Its queue holds about ten of them, so a burst fills
 * it: the writer may have patience for one that is busy, never for one that is stuck, and what does
 * not fit is dropped and counted. A daemon that restarts is found again, at most one try a second.
 * Not thread-safe: one writer.
 */
public final class DevLog implements AutoCloseable {
    /** Where syslog daemons listen. */
    public static final String PATH = "/dev/log";

    private static final Call SEND = Libc.wideFunction("send");
    private static final int MSG_DONTWAIT = 0x40;
    private static final int MSG_NOSIGNAL = 0x4000;
    private static final long RETRY_NANOS = 1_000_000_000L;

    private final String path;
    private final LongSupplier nanos;
    private int fd = -1;
    private boolean hasFailed;
    private long failedAt;
    private long dropped;

    public DevLog(String path) {
        this(path, System::nanoTime);
    }

    DevLog(String path, LongSupplier nanos) {
        this.path = path;
        this.nanos = nanos;
    }

    /**
     * Sends one line.
     *
     * @param length at most 64 KiB; daemons cut sooner
     * @param patienceMillis how long a full queue may keep us; 0 for not at all
     * @return false when it was dropped
     */
    public boolean send(byte[] line, int length, int patienceMillis) {
        boolean isNew = fd < 0;
        if (isNew && !connect()) {
            dropped++;
            return false;
        }
        MemorySegment copy = Scratch.current().copy();
        MemorySegment.copy(line, 0, copy, JAVA_BYTE, 0, length);
        long result = put(copy, length);
        if (result == -Errno.EAGAIN && patienceMillis > 0 && isWritable(patienceMillis)) {
            result = put(copy, length);
        } else if (result < 0 && result != -Errno.EAGAIN && !isNew) {
            // The daemon was restarted: its old socket is dead, a new one may listen already.
            disconnect();
            result = connect() ? put(copy, length) : result;
        }
        if (result >= 0) {
            return true;
        }
        if (result != -Errno.EAGAIN) {
            disconnect();
        }
        dropped++;
        return false;
    }

    /** How many lines were lost so far. */
    public long dropped() {
        return dropped;
    }

    private long put(MemorySegment line, int length) {
        long result;
        do {
            result = SEND.of(fd, line.address(), length, MSG_DONTWAIT | MSG_NOSIGNAL);
        } while (result == -Errno.EINTR);
        return result;
    }

    private boolean isWritable(int patienceMillis) {
        try {
            return Poll.one(fd, Poll.OUT, patienceMillis);
        } catch (SysException e) {
            return false;
        }
    }

    private boolean connect() {
        if (hasFailed && nanos.getAsLong() - failedAt < RETRY_NANOS) {
            return false;
        }
        try {
            fd = Sockets.connectUnix(path, Sockets.SOCK_DGRAM);
            hasFailed = false;
            return true;
        } catch (SysException e) {
            hasFailed = true;
            failedAt = nanos.getAsLong();
            return false;
        }
    }

    private void disconnect() {
        Fd.closeQuietly(fd);
        fd = -1;
    }

    @Override
    public void close() {
        disconnect();
    }
}
