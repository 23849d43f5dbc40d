package smtpd.log;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * Carries lines from any thread to one writer thread, so that nobody waits for a log. Bounded in
 * bytes; what does not fit is dropped and counted, and the log says how many.
 *
 * <p>The writer takes all that waits, then lingers 20 ms before it looks again: under load a line
 * wakes nobody, and only the first line after a silence costs a wake-up.
 */
final class HandOff implements AutoCloseable {
    private static final int MOST_BYTES = 4 << 20;
    private static final int ENTRY_BYTES = 64;
    private static final long LINGER_NANOS = 20_000_000L;

    private final Queue<Entry> waiting = new ConcurrentLinkedQueue<>();
    private final AtomicInteger bytes = new AtomicInteger();
    private final AtomicLong dropped = new AtomicLong();
    private final Sink sink;
    private final Thread writer;
    private volatile boolean isIdle;
    private volatile boolean isClosing;

    /** A line, or with a latch a mark: everything before it has been written. */
    private record Entry(int severity, long millis, String text, CountDownLatch mark) {}

    HandOff(Sink sink) {
        this.sink = sink;
        this.writer = Thread.ofPlatform().name("log").daemon(true).unstarted(this::write);
    }

    /** Starts the writer; at process start, since a thread keeps its creator's identity. */
    void start() {
        writer.start();
    }

    void offer(int severity, long millis, String text) {
        int cost = text.length() + ENTRY_BYTES;
        int before = bytes.getAndAdd(cost);
        if (before + cost > MOST_BYTES) {
            bytes.addAndGet(-cost);
            dropped.incrementAndGet();
            return;
        }
        waiting.add(new Entry(severity, millis, text, null));
        if (isIdle || (before < MOST_BYTES / 4 && before + cost >= MOST_BYTES / 4)) {
            LockSupport.unpark(writer);
        }
    }

    long dropped() {
        return dropped.get();
    }

    /** Waits until everything said before is written, but no longer than that. */
    boolean flush(long millis) {
        CountDownLatch mark = new CountDownLatch(1);
        waiting.add(new Entry(0, 0, "", mark));
        LockSupport.unpark(writer);
        try {
            return mark.await(millis, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private void write() {
        long reported = 0;
        while (true) {
            boolean isLast = isClosing;
            drain();
            long lost = dropped.get();
            if (lost != reported) {
                String line = LogLine.of("log", "dropped").add("lines", lost - reported).toString();
                sink.put(Severity.WARNING, System.currentTimeMillis(), line);
                sink.flush();
                reported = lost;
            }
            if (isLast) {
                sink.close();
                return;
            }
            LockSupport.parkNanos(this, LINGER_NANOS);
            if (waiting.isEmpty() && !isClosing) {
                isIdle = true;
                // A line that came before the flag was seen must not lie there until the next.
                if (waiting.isEmpty() && !isClosing) {
                    LockSupport.park(this);
                }
                isIdle = false;
            }
        }
    }

    private void drain() {
        boolean isAny = false;
        Entry entry;
        while ((entry = waiting.poll()) != null) {
            if (entry.mark != null) {
                sink.flush();
                entry.mark.countDown();
                continue;
            }
            bytes.addAndGet(-(entry.text.length() + ENTRY_BYTES));
            sink.put(entry.severity, entry.millis, entry.text);
            isAny = true;
        }
        if (isAny) {
            sink.flush();
        }
    }

    /** Writes what waits and ends the writer, giving it a second. */
    @Override
    public void close() {
        isClosing = true;
        LockSupport.unpark(writer);
        try {
            writer.join(1_000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
