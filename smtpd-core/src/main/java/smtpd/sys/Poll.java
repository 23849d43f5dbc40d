package smtpd.sys;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static smtpd.sys.SysException.check;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * poll(2) over a set that its one thread rebuilds each turn: for pipes and pidfds, which are no
 * Netty channels. Not thread-safe; another thread wakes it through an {@link Fd#eventFd} in the
 * set.
 */
public final class Poll implements AutoCloseable {
    public static final short IN = 1;
    public static final short OUT = 4;
    public static final short ERR = 8;
    public static final short HUP = 16;

    private static final Call POLL = Libc.function("poll");
    private static final int ENTRY_BYTES = 8;

    private final Arena arena = Arena.ofConfined();
    private MemorySegment set;
    private int size;

    public Poll() {
        set = arena.allocate(64L * ENTRY_BYTES, 8);
    }

    /** Empties the set. */
    public void clear() {
        size = 0;
    }

    /** Adds a descriptor and gives its place, to ask {@link #events} after the wait. */
    public int add(int fd, int interest) {
        if ((long) size * ENTRY_BYTES == set.byteSize()) {
            MemorySegment larger = arena.allocate(2 * set.byteSize(), 8);
            set = larger.copyFrom(set);
        }
        long at = (long) size * ENTRY_BYTES;
        set.set(JAVA_INT, at, fd);
        set.set(JAVA_SHORT, at + 4, (short) interest);
        set.set(JAVA_SHORT, at + 6, (short) 0);
        return size++;
    }

    /**
     * Waits for any event.
     *
     * @param timeoutMillis -1 for ever
     * @return how many entries have events; 0 after the time, or when a signal came first
     */
    public int await(int timeoutMillis) throws SysException {
        long result = POLL.of(set.address(), size, timeoutMillis);
        return result == -Errno.EINTR ? 0 : check("poll", result);
    }

    /** What happened at this place: bits of IN, OUT, ERR, HUP. */
    public int events(int place) {
        return set.get(JAVA_SHORT, (long) place * ENTRY_BYTES + 6);
    }

    /** Waits for one descriptor, without a set: true when an event came in time. */
    public static boolean one(int fd, int interest, int timeoutMillis) throws SysException {
        MemorySegment entry = Scratch.current().struct;
        entry.set(JAVA_INT, 0, fd);
        entry.set(JAVA_SHORT, 4, (short) interest);
        entry.set(JAVA_SHORT, 6, (short) 0);
        long result = POLL.of(entry.address(), 1, timeoutMillis);
        return result != -Errno.EINTR && check("poll", result) > 0;
    }

    @Override
    public void close() {
        arena.close();
    }
}
