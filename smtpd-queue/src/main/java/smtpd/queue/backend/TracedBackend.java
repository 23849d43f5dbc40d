package smtpd.queue.backend;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;
import smtpd.envelope.Evpid;
import smtpd.envelope.Msgid;
import smtpd.log.Trace;

/**
 * A store that writes one line for each finished operation while {@code trace queue} is on: what
 * was asked, and how it ended. Ids and sizes only, no text and no content. Else one field read.
 */
public final class TracedBackend implements QueueBackend {

    private final QueueBackend store;

    public TracedBackend(QueueBackend store) {
        this.store = store;
    }

    /** The call as it began: what its arguments say may be gone when it ends. */
    private static <T> CompletionStage<T> traced(
            long id, Supplier<String> call, CompletionStage<T> stage, Function<T, String> result) {
        if (!Trace.QUEUE.isOn()) {
            return stage;
        }
        String asked = call.get();
        return stage.whenComplete(
                (answer, broken) ->
                        line(id, asked, broken == null ? result.apply(answer) : broken.toString()));
    }

    private static void line(long id, String call, String result) {
        Trace.QUEUE.line(id, "", call + " -> " + result);
    }

    private static long sid(Msgid id) {
        return Evpid.ofMessage(id).value();
    }

    private static String stored(Stored answer) {
        return switch (answer) {
            case Stored.Ok _ -> "ok";
            case Stored.Absent _ -> "absent";
            case Stored.Temporary t -> (t.full() ? "full: " : "temporary: ") + t.cause();
        };
    }

    private static String loaded(Load answer) {
        return switch (answer) {
            case Load.Found f -> "ok (" + f.bytes().length + " bytes)";
            case Load.Absent _ -> "absent";
            case Load.Unreadable u -> "unreadable: " + u.cause();
        };
    }

    private static String content(ContentLoad answer) {
        return switch (answer) {
            case ContentLoad.Bytes b -> "ok (" + b.bytes().length + " bytes)";
            case ContentLoad.Open o -> "ok (fd " + o.fd() + ", " + o.size() + " bytes)";
            case ContentLoad.Absent _ -> "absent";
            case ContentLoad.Unreadable u -> "unreadable: " + u.cause();
        };
    }

    private static String opened(ContentFile answer) {
        return switch (answer) {
            case ContentFile.Opened o -> "ok (fd " + o.fd() + ")";
            case ContentFile.Failed f -> (f.full() ? "full: " : "temporary: ") + f.cause();
        };
    }

    private static String call(Commit commit) {
        StringBuilder text = new StringBuilder(96).append("commit(").append(commit.id());
        switch (commit.content()) {
            case null -> {}
            case NewContent.Memory m -> text.append(", content ").append(m.length());
            case NewContent.InFile f -> text.append(", file ").append(f.size());
        }
        for (Text envelope : commit.texts()) {
            text.append(", +").append(envelope.id()).append(' ').append(envelope.bytes().length);
        }
        for (Evpid deleted : commit.deletes()) {
            text.append(", -").append(deleted);
        }
        return text.append(')').toString();
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
        return traced(
                sid(id),
                () -> "newContent(" + id + ")",
                store.newContent(id),
                TracedBackend::opened);
    }

    @Override
    public CompletionStage<Stored> commit(Commit commit) {
        return traced(
                sid(commit.id()), () -> call(commit), store.commit(commit), TracedBackend::stored);
    }

    @Override
    public CompletionStage<Stored> update(Text text) {
        return traced(
                text.id().value(),
                () -> "update(" + text.id() + ", " + text.bytes().length + ")",
                store.update(text),
                TracedBackend::stored);
    }

    @Override
    public CompletionStage<Stored> delete(List<Evpid> ids) {
        long first = ids.isEmpty() ? 0 : ids.getFirst().value();
        return traced(first, () -> "delete(" + ids + ")", store.delete(ids), TracedBackend::stored);
    }

    @Override
    public CompletionStage<Load> load(Evpid id) {
        return traced(id.value(), () -> "load(" + id + ")", store.load(id), TracedBackend::loaded);
    }

    @Override
    public CompletionStage<ContentLoad> content(Msgid id) {
        return traced(
                sid(id), () -> "content(" + id + ")", store.content(id), TracedBackend::content);
    }

    @Override
    public CompletionStage<Stored> quarantine(Evpid id, String reason) {
        return traced(
                id.value(),
                () -> "quarantine(" + id + ", " + reason + ")",
                store.quarantine(id, reason),
                TracedBackend::stored);
    }

    @Override
    public CompletionStage<Restored> restore(Msgid id) {
        return traced(
                sid(id),
                () -> "restore(" + id + ")",
                store.restore(id),
                r -> r.restored() + " restored, " + r.refused().size() + " refused");
    }

    @Override
    public CompletionStage<CommitState> state(Msgid id) {
        return traced(sid(id), () -> "state(" + id + ")", store.state(id), CommitState::name);
    }

    @Override
    public Walk walk() {
        Walk walk = store.walk();
        return new Walk() {
            @Override
            public CompletionStage<List<Entry>> next(int max) {
                return traced(
                        0,
                        () -> "walk(" + max + ")",
                        walk.next(max),
                        e -> Integer.toString(e.size()));
            }

            @Override
            public void close() {
                walk.close();
            }
        };
    }

    @Override
    public CompletionStage<List<Entry>> discover(Msgid id) {
        return traced(
                sid(id),
                () -> "discover(" + id + ")",
                store.discover(id),
                e -> Integer.toString(e.size()));
    }

    @Override
    public CompletionStage<Stored> settle(Duration limit) {
        return traced(0, () -> "settle(" + limit + ")", store.settle(limit), TracedBackend::stored);
    }

    @Override
    public CompletionStage<Stored> materialise(List<Msgid> ids) {
        return traced(
                0, () -> "materialise(" + ids + ")", store.materialise(ids), TracedBackend::stored);
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
