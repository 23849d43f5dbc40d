package smtpd.queue.backend;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import smtpd.envelope.Evpid;
import smtpd.envelope.Msgid;

/** Stores nothing and says yes: the ceiling of everything else. */
public final class NullQueue implements QueueBackend {

    private volatile boolean isClosed;

    @Override
    public Capabilities capabilities() {
        return new Capabilities(false, false, Limits.MAX_INLINE);
    }

    @Override
    public void open(BackendEvents events) {
        isClosed = false;
    }

    @Override
    public boolean isFree(Msgid id) {
        return true;
    }

    @Override
    public CompletionStage<ContentFile> newContent(Msgid id) {
        return done(MemoryFile.create(id));
    }

    @Override
    public CompletionStage<Stored> commit(Commit commit) {
        if (commit.content() instanceof NewContent.InFile file) {
            file.file().handle().abort();
        }
        return stored(new Stored.Ok());
    }

    @Override
    public CompletionStage<Stored> update(Text text) {
        return stored(new Stored.Absent());
    }

    @Override
    public CompletionStage<Stored> delete(List<Evpid> ids) {
        return stored(new Stored.Ok());
    }

    @Override
    public CompletionStage<Load> load(Evpid id) {
        return done(isClosed ? new Load.Unreadable("closed") : new Load.Absent());
    }

    @Override
    public CompletionStage<ContentLoad> content(Msgid id) {
        return done(isClosed ? new ContentLoad.Unreadable("closed") : new ContentLoad.Absent());
    }

    @Override
    public CompletionStage<Stored> quarantine(Evpid id, String reason) {
        return stored(new Stored.Absent());
    }

    @Override
    public CompletionStage<Restored> restore(Msgid id) {
        return done(new Restored(0, List.of()));
    }

    @Override
    public CompletionStage<CommitState> state(Msgid id) {
        return done(CommitState.UNKNOWN);
    }

    @Override
    public Walk walk() {
        return new EmptyWalk();
    }

    @Override
    public CompletionStage<List<Entry>> discover(Msgid id) {
        return done(List.of());
    }

    @Override
    public CompletionStage<Stored> settle(java.time.Duration limit) {
        return stored(new Stored.Ok());
    }

    @Override
    public CompletionStage<Stored> materialise(List<Msgid> ids) {
        return stored(new Stored.Ok());
    }

    @Override
    public Health health() {
        return new Health(-1, -1, !isClosed, isClosed ? "unavailable" : "");
    }

    @Override
    public List<String> problems() {
        return List.of();
    }

    @Override
    public void close() {
        isClosed = true;
    }

    private CompletionStage<Stored> stored(Stored result) {
        return done(isClosed ? new Stored.Temporary("closed", Limits.RETRY, false) : result);
    }

    private static <T> CompletionStage<T> done(T value) {
        return CompletableFuture.completedFuture(value);
    }
}
