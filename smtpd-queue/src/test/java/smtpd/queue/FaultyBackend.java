package smtpd.queue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import smtpd.envelope.Evpid;
import smtpd.envelope.Msgid;
import smtpd.queue.backend.BackendException;
import smtpd.queue.backend.ContentFile;
import smtpd.queue.backend.QueueBackend;

/** A real store between which and the queue a test can put a full disk, or a wait. */
final class FaultyBackend implements QueueBackend {

    private final QueueBackend store;
    volatile boolean isFull;

    /** While set, commits are not begun before it completes. */
    volatile CompletableFuture<Void> commitGate = CompletableFuture.completedFuture(null);

    /** While set, what was read is told only when it completes. */
    volatile CompletableFuture<Void> contentGate = CompletableFuture.completedFuture(null);

    final List<Commit> commits = java.util.Collections.synchronizedList(new ArrayList<>());

    FaultyBackend(QueueBackend store) {
        this.store = store;
    }

    private Stored full() {
        return new Stored.Temporary("No space left on device", Duration.ofSeconds(1), true);
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
        return store.newContent(id);
    }

    @Override
    public CompletionStage<Stored> commit(Commit commit) {
        commits.add(commit);
        if (isFull) {
            return CompletableFuture.completedFuture(full());
        }
        return commitGate.thenCompose(_ -> store.commit(commit));
    }

    @Override
    public CompletionStage<Stored> update(Text text) {
        return isFull ? CompletableFuture.completedFuture(full()) : store.update(text);
    }

    @Override
    public CompletionStage<Stored> delete(List<Evpid> ids) {
        return store.delete(ids);
    }

    @Override
    public CompletionStage<Load> load(Evpid id) {
        return store.load(id);
    }

    @Override
    public CompletionStage<ContentLoad> content(Msgid id) {
        return store.content(id).thenCombine(contentGate, (load, _) -> load);
    }

    @Override
    public CompletionStage<Stored> quarantine(Evpid id, String reason) {
        return store.quarantine(id, reason);
    }

    @Override
    public CompletionStage<Restored> restore(Msgid id) {
        return store.restore(id);
    }

    @Override
    public CompletionStage<CommitState> state(Msgid id) {
        return store.state(id);
    }

    @Override
    public Walk walk() {
        return store.walk();
    }

    @Override
    public CompletionStage<List<Entry>> discover(Msgid id) {
        return store.discover(id);
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
