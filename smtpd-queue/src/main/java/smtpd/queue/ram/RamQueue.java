package smtpd.queue.ram;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import smtpd.envelope.Evpid;
import smtpd.envelope.Msgid;
import smtpd.queue.backend.ContentFile;
import smtpd.queue.backend.EmptyWalk;
import smtpd.queue.backend.Fitness;
import smtpd.queue.backend.Limits;
import smtpd.queue.backend.MemoryFile;
import smtpd.queue.backend.QueueBackend;
import smtpd.sys.Memfd;
import smtpd.sys.SysException;

/**
 * Mail in maps. Everything is done when the call returns, so stages come completed. The lock guards
 * the maps: the interface lets any thread call.
 */
public final class RamQueue implements QueueBackend {

    private static final int MAX_CONTENT = 256 << 20;

    /** One message; which texts it has may change, the content may not. */
    private static final class Message {
        private final byte[] content;
        private final TreeMap<Evpid, byte[]> texts = new TreeMap<>();

        Message(byte[] content) {
            this.content = content;
        }
    }

    private final Map<Msgid, Message> messages = new HashMap<>();
    private final Map<Msgid, Message> corrupt = new HashMap<>();
    private final Fitness fitness;
    private long envelopes;
    private long bytes;
    private boolean isClosed;

    public RamQueue(Fitness fitness) {
        this.fitness = fitness;
    }

    @Override
    public Capabilities capabilities() {
        return new Capabilities(false, false, Limits.MAX_INLINE);
    }

    @Override
    public synchronized void open(BackendEvents events) {
        isClosed = false;
    }

    @Override
    public synchronized boolean isFree(Msgid id) {
        return !messages.containsKey(id) && !corrupt.containsKey(id);
    }

    @Override
    public CompletionStage<ContentFile> newContent(Msgid id) {
        return done(MemoryFile.create(id));
    }

    @Override
    public CompletionStage<Stored> commit(Commit commit) {
        byte[] content = null;
        if (commit.content() != null) {
            try {
                content = MemoryFile.take(commit.content(), MAX_CONTENT);
            } catch (SysException e) {
                return done(temporary(e.getMessage()));
            }
            if (content == null) {
                return done(temporary("content is not what was announced"));
            }
        }
        return done(store(commit, content));
    }

    private synchronized Stored store(Commit commit, byte[] content) {
        if (isClosed) {
            return temporary("closed");
        }
        Message message = messages.get(commit.id());
        if (message == null && content == null && !commit.texts().isEmpty()) {
            return new Stored.Absent();
        }
        if (message != null && content != null) {
            return new Stored.Ok();
        }
        if (message == null && content != null) {
            message = new Message(content);
            messages.put(commit.id(), message);
            bytes += content.length;
        }
        for (Text t : commit.texts()) {
            put(message, t);
        }
        commit.deletes().forEach(this::remove);
        return new Stored.Ok();
    }

    private void put(Message message, Text text) {
        byte[] old = message.texts.put(text.id(), text.bytes());
        bytes += text.bytes().length;
        if (old == null) {
            envelopes++;
        } else {
            bytes -= old.length;
        }
    }

    private void remove(Evpid id) {
        Message message = messages.get(id.msgid());
        byte[] old = message == null ? null : message.texts.remove(id);
        if (old == null) {
            return;
        }
        envelopes--;
        bytes -= old.length;
        if (message.texts.isEmpty()) {
            messages.remove(id.msgid());
            bytes -= message.content.length;
        }
    }

    @Override
    public synchronized CompletionStage<Stored> update(Text text) {
        if (isClosed) {
            return done(temporary("closed"));
        }
        Message message = messages.get(text.id().msgid());
        if (message == null || !message.texts.containsKey(text.id())) {
            return done(new Stored.Absent());
        }
        put(message, text);
        return done(new Stored.Ok());
    }

    @Override
    public synchronized CompletionStage<Stored> delete(List<Evpid> ids) {
        if (isClosed) {
            return done(temporary("closed"));
        }
        ids.forEach(this::remove);
        return done(new Stored.Ok());
    }

    @Override
    public synchronized CompletionStage<Load> load(Evpid id) {
        if (isClosed) {
            return done(new Load.Unreadable("closed"));
        }
        Message message = messages.get(id.msgid());
        byte[] text = message == null ? null : message.texts.get(id);
        return done(text == null ? new Load.Absent() : new Load.Found(text));
    }

    @Override
    public CompletionStage<ContentLoad> content(Msgid id) {
        Message message;
        synchronized (this) {
            if (isClosed) {
                return done(new ContentLoad.Unreadable("closed"));
            }
            message = messages.get(id);
        }
        if (message == null) {
            return done(new ContentLoad.Absent());
        }
        if (message.content.length <= Limits.MAX_INLINE) {
            return done(new ContentLoad.Bytes(message.content));
        }
        try {
            return done(
                    new ContentLoad.Open(
                            Memfd.sealed("content-" + id, message.content),
                            message.content.length));
        } catch (SysException e) {
            return done(new ContentLoad.Unreadable(e.getMessage()));
        }
    }

    @Override
    public synchronized CompletionStage<Stored> quarantine(Evpid id, String reason) {
        if (isClosed) {
            return done(temporary("closed"));
        }
        Message message = messages.get(id.msgid());
        if (message == null) {
            return done(new Stored.Absent());
        }
        List<Evpid> ids = id.low() == 0 ? new ArrayList<>(message.texts.keySet()) : List.of(id);
        Message aside = corrupt.computeIfAbsent(id.msgid(), k -> new Message(message.content));
        for (Evpid one : ids) {
            byte[] text = message.texts.get(one);
            if (text == null) {
                return done(new Stored.Absent());
            }
            aside.texts.put(one, text);
            remove(one);
        }
        return done(new Stored.Ok());
    }

    @Override
    public synchronized CompletionStage<Restored> restore(Msgid id) {
        Message aside = corrupt.get(id);
        List<String> refused = new ArrayList<>();
        int restored = 0;
        if (aside != null) {
            Message message = messages.get(id);
            for (Map.Entry<Evpid, byte[]> e : Map.copyOf(aside.texts).entrySet()) {
                String unfit = fitness.unfit(e.getKey(), e.getValue());
                if (unfit != null) {
                    refused.add(e.getKey() + ": " + unfit);
                    continue;
                }
                if (message == null) {
                    message = new Message(aside.content);
                    messages.put(id, message);
                    bytes += aside.content.length;
                }
                put(message, new Text(e.getKey(), e.getValue()));
                aside.texts.remove(e.getKey());
                restored++;
            }
            if (aside.texts.isEmpty()) {
                corrupt.remove(id);
            }
        }
        return done(new Restored(restored, refused));
    }

    @Override
    public synchronized CompletionStage<CommitState> state(Msgid id) {
        return done(messages.containsKey(id) ? CommitState.DURABLE : CommitState.UNKNOWN);
    }

    @Override
    public Walk walk() {
        return new EmptyWalk();
    }

    @Override
    public synchronized CompletionStage<List<Entry>> discover(Msgid id) {
        return done(entries(id));
    }

    private List<Entry> entries(Msgid id) {
        Message message = messages.get(id);
        if (message == null) {
            return List.of();
        }
        List<Entry> all = new ArrayList<>();
        message.texts.forEach((k, v) -> all.add(new Entry(k, v)));
        return all;
    }

    @Override
    public synchronized CompletionStage<Stored> settle(Duration limit) {
        return done(isClosed ? temporary("closed") : new Stored.Ok());
    }

    @Override
    public CompletionStage<Stored> materialise(List<Msgid> ids) {
        return done(new Stored.Ok());
    }

    @Override
    public synchronized Health health() {
        return new Health(-1, -1, !isClosed, isClosed ? "unavailable" : "");
    }

    @Override
    public List<String> problems() {
        return List.of();
    }

    public synchronized long messages() {
        return messages.size();
    }

    public synchronized long envelopes() {
        return envelopes;
    }

    /** Bytes of all content and texts. */
    public synchronized long bytes() {
        return bytes;
    }

    @Override
    public synchronized void close() {
        isClosed = true;
        messages.clear();
        corrupt.clear();
        envelopes = 0;
        bytes = 0;
    }

    private static Stored temporary(String cause) {
        return new Stored.Temporary(cause, Limits.RETRY, false);
    }

    private static <T> CompletionStage<T> done(T value) {
        return CompletableFuture.completedFuture(value);
    }
}
