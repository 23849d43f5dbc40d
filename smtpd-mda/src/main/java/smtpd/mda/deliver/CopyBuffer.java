package smtpd.mda.deliver;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Native memory through which a mail goes from its content to a mailbox: two chunks, each made when
 * it is first asked for. One thread uses it, for one delivery or for many.
 */
final class CopyBuffer implements AutoCloseable {

    private final Arena arena = Arena.ofConfined();
    private MemorySegment first;
    private MemorySegment second;

    /** {@link Content#CHUNK} bytes to read into. */
    MemorySegment first() {
        if (first == null) {
            first = arena.allocate(Content.CHUNK);
        }
        return first;
    }

    /** As many to gather what is written. */
    MemorySegment second() {
        if (second == null) {
            second = arena.allocate(Content.CHUNK);
        }
        return second;
    }

    @Override
    public void close() {
        arena.close();
    }
}
