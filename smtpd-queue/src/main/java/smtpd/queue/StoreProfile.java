package smtpd.queue;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import smtpd.queue.backend.StoreObserver;

/** How long the store takes, from the order to the answer, while {@code profile queue} is on. */
final class StoreProfile implements StoreObserver {

    /** Powers of two of microseconds, up to a minute. */
    private static final int CLASSES = 28;

    private static final class Times {
        final long[] classes = new long[CLASSES];
        long count;
        long nanos;
        long longest;

        synchronized void add(long took) {
            int bits = 64 - Long.numberOfLeadingZeros(took / 1000);
            classes[Math.min(bits, CLASSES - 1)]++;
            count++;
            nanos += took;
            longest = Math.max(longest, took);
        }

        synchronized List<String> row(String name) {
            return List.of(
                    "queue",
                    "store",
                    name,
                    "count=" + count,
                    String.format(Locale.ROOT, "total_s=%.6f", nanos / 1e9),
                    "p50_us=" + percentile(50),
                    "p95_us=" + percentile(95),
                    "p99_us=" + percentile(99),
                    "max_us=" + longest / 1000);
        }

        private long percentile(int percent) {
            long wanted = (count * percent + 99) / 100;
            long seen = 0;
            int i = 0;
            while (i < CLASSES - 1 && (seen += classes[i]) < wanted) {
                i++;
            }
            return 1L << i;
        }

        synchronized boolean isEmpty() {
            return count == 0;
        }
    }

    private final Times[] times = new Times[Operation.values().length];
    private volatile boolean isOn;

    StoreProfile() {
        for (int i = 0; i < times.length; i++) {
            times[i] = new Times();
        }
    }

    void switchOn(boolean on) {
        isOn = on;
    }

    @Override
    public Ending begun(Operation operation, Object subject) {
        if (!isOn) {
            return null;
        }
        long begun = System.nanoTime();
        return (_, _) -> times[operation.ordinal()].add(System.nanoTime() - begun);
    }

    /** One for each operation that was used while it was on. */
    List<List<String>> rows() {
        List<List<String>> rows = new ArrayList<>();
        for (Operation operation : Operation.values()) {
            Times of = times[operation.ordinal()];
            if (!of.isEmpty()) {
                rows.add(of.row(operation.title()));
            }
        }
        return rows;
    }
}
