package smtpd.queue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletionStage;
import smtpd.envelope.Evpid;
import smtpd.envelope.Msgid;
import smtpd.queue.backend.BackendException;
import smtpd.queue.backend.ContentFile;
import smtpd.queue.backend.QueueBackend;

/**
 * A store whose operations are timed from the order to the answer while {@code profile queue} is
 * on; else one volatile read each.
 */
final class ProfiledBackend implements QueueBackend {

    /** Powers of two of microseconds, up to a minute. */
    private static final int CLASSES = 28;

    /** What is counted, by the names of the profile. */
    private enum Operation {
        CREATE("message.create"),
        OPEN("message.open"),
        BOUNCE("message.commit"),
        CONTENT("message.content"),
        CORRUPT("message.corrupt"),
        STATE("message.state"),
        UPDATE("envelope.update"),
        DELETE("envelope.delete"),
        LOAD("envelope.load"),
        DISCOVER("envelope.discover"),
        WALK("envelope.walk");

        final String text;

        Operation(String text) {
            this.text = text;
        }
    }

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

    private final QueueBackend store;
    private final Times[] times = new Times[Operation.values().length];
    private volatile boolean isOn;

    ProfiledBackend(QueueBackend store) {
        this.store = store;
        for (int i = 0; i < times.length; i++) {
            times[i] = new Times();
        }
    }

    void switchOn(boolean on) {
        isOn = on;
    }

    /** One for each operation that was used while it was on. */
    List<List<String>> rows() {
        List<List<String>> rows = new ArrayList<>();
        for (Operation operation : Operation.values()) {
            Times of = times[operation.ordinal()];
            if (!of.isEmpty()) {
                rows.add(of.row(operation.text));
            }
        }
        return rows;
    }

    private long begin() {
        return isOn ? System.nanoTime() : 0;
    }

    private <T> CompletionStage<T> timed(
            Operation operation, long begun, CompletionStage<T> stage) {
        return begun == 0
                ? stage
                : stage.whenComplete(
                        (_, _) -> times[operation.ordinal()].add(System.nanoTime() - begun));
    }

    @Override
    public Capabilities capabilities() {
        return store.capabilities();
    }

    @Override
    public void open(BackendEvents events) throws BackendException {
        store.open(events);
    }

    @Override
    public boolean isFree(Msgid id) {
        return store.isFree(id);
    }

    @Override
    public CompletionStage<ContentFile> newContent(Msgid id) {
        return timed(Operation.OPEN, begin(), store.newContent(id));
    }

    @Override
    public CompletionStage<Stored> commit(Commit commit) {
        Operation operation = commit.content() == null ? Operation.BOUNCE : Operation.CREATE;
        return timed(operation, begin(), store.commit(commit));
    }

    @Override
    public CompletionStage<Stored> update(Text text) {
        return timed(Operation.UPDATE, begin(), store.update(text));
    }

    @Override
    public CompletionStage<Stored> delete(List<Evpid> ids) {
        return timed(Operation.DELETE, begin(), store.delete(ids));
    }

    @Override
    public CompletionStage<Load> load(Evpid id) {
        return timed(Operation.LOAD, begin(), store.load(id));
    }

    @Override
    public CompletionStage<ContentLoad> content(Msgid id) {
        return timed(Operation.CONTENT, begin(), store.content(id));
    }

    @Override
    public CompletionStage<Stored> quarantine(Evpid id, String reason) {
        return timed(Operation.CORRUPT, begin(), store.quarantine(id, reason));
    }

    @Override
    public CompletionStage<Restored> restore(Msgid id) {
        return store.restore(id);
    }

    @Override
    public CompletionStage<CommitState> state(Msgid id) {
        return timed(Operation.STATE, begin(), store.state(id));
    }

    @Override
    public Walk walk() {
        Walk walk = store.walk();
        return new Walk() {
            @Override
            public CompletionStage<List<Entry>> next(int max) {
                return timed(Operation.WALK, begin(), walk.next(max));
            }

            @Override
            public void close() {
                walk.close();
            }
        };
    }

    @Override
    public CompletionStage<List<Entry>> discover(Msgid id) {
        return timed(Operation.DISCOVER, begin(), store.discover(id));
    }

    @Override
    public CompletionStage<Stored> settle(Duration limit) {
        return store.settle(limit);
    }

    @Override
    public CompletionStage<Stored> materialise(List<Msgid> ids) {
        return store.materialise(ids);
    }

    @Override
    public Health health() {
        return store.health();
    }

    @Override
    public List<String> problems() {
        return store.problems();
    }

    @Override
    public void close() {
        store.close();
    }
}
