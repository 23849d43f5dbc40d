package smtpd.queue.backend;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import smtpd.envelope.Evpid;
import smtpd.envelope.Msgid;
import smtpd.queue.backend.StoreObserver.Ending;
import smtpd.queue.backend.StoreObserver.Operation;

/** A store whose operations are seen by a few observers, from the order to the answer. */
public final class ObservedBackend implements QueueBackend {

    private final QueueBackend store;
    private final List<StoreObserver> observers;

    public ObservedBackend(QueueBackend store, List<StoreObserver> observers) {
        this.store = store;
        this.observers = List.copyOf(observers);
    }

    /** Null when nobody looks, which is nearly always. */
    private Ending begun(Operation operation, Object subject) {
        Ending all = null;
        for (StoreObserver observer : observers) {
            Ending one = observer.begun(operation, subject);
            if (one != null) {
                all = all == null ? one : both(all, one);
            }
        }
        return all;
    }

    private static Ending both(Ending first, Ending second) {
        return (answer, broken) -> {
            first.ended(answer, broken);
            second.ended(answer, broken);
        };
    }

    private static <T> CompletionStage<T> watched(Ending ending, CompletionStage<T> stage) {
        return ending == null ? stage : stage.whenComplete(ending::ended);
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
        Ending ending = begun(Operation.OPEN, id);
        return watched(ending, store.newContent(id));
    }

    @Override
    public CompletionStage<Stored> commit(Commit commit) {
        Ending ending = begun(commit.content() == null ? Operation.ADD : Operation.CREATE, commit);
        return watched(ending, store.commit(commit));
    }

    @Override
    public CompletionStage<Stored> update(Text text) {
        Ending ending = begun(Operation.UPDATE, text);
        return watched(ending, store.update(text));
    }

    @Override
    public CompletionStage<Stored> delete(List<Evpid> ids) {
        Ending ending = begun(Operation.DELETE, ids);
        return watched(ending, store.delete(ids));
    }

    @Override
    public CompletionStage<Load> load(Evpid id) {
        Ending ending = begun(Operation.LOAD, id);
        return watched(ending, store.load(id));
    }

    @Override
    public CompletionStage<ContentLoad> content(Msgid id) {
        Ending ending = begun(Operation.CONTENT, id);
        return watched(ending, store.content(id));
    }

    @Override
    public CompletionStage<Stored> quarantine(Evpid id, String reason) {
        Ending ending = begun(Operation.CORRUPT, id);
        return watched(ending, store.quarantine(id, reason));
    }

    @Override
    public CompletionStage<Restored> restore(Msgid id) {
        Ending ending = begun(Operation.RESTORE, id);
        return watched(ending, store.restore(id));
    }

    @Override
    public CompletionStage<CommitState> state(Msgid id) {
        Ending ending = begun(Operation.STATE, id);
        return watched(ending, store.state(id));
    }

    @Override
    public Walk walk() {
        Walk walk = store.walk();
        return new Walk() {
            @Override
            public CompletionStage<List<Entry>> next(int max) {
                Ending ending = begun(Operation.WALK, max);
                return watched(ending, walk.next(max));
            }

            @Override
            public void close() {
                walk.close();
            }
        };
    }

    @Override
    public CompletionStage<List<Entry>> discover(Msgid id) {
        Ending ending = begun(Operation.DISCOVER, id);
        return watched(ending, store.discover(id));
    }

    @Override
    public CompletionStage<Stored> settle(Duration limit) {
        Ending ending = begun(Operation.SETTLE, limit);
        return watched(ending, store.settle(limit));
    }

    @Override
    public CompletionStage<Stored> materialise(List<Msgid> ids) {
        Ending ending = begun(Operation.MATERIALISE, ids);
        return watched(ending, store.materialise(ids));
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
