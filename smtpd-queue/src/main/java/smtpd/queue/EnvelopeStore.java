package smtpd.queue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import smtpd.envelope.Envelope;
import smtpd.envelope.EnvelopeText;
import smtpd.envelope.Evpid;
import smtpd.envelope.Verdict;
import smtpd.queue.backend.QueueBackend;
import smtpd.queue.backend.QueueBackend.Load;
import smtpd.stat.Stat;
import smtpd.stat.Stats;

/**
 * Envelopes by id: a write-through cache, least recently used out first, before the store. An entry
 * is set only after its write succeeded, so there is never a dirty one.
 */
public final class EnvelopeStore {

    private static final Logger LOG = LoggerFactory.getLogger(EnvelopeStore.class);

    /** What an entry costs beside its text. */
    private static final int ENTRY_BYTES = 700;

    private static final int MAX_UNREADABLE = 10_000;
    private static final int MAX_DELAY = 600;
    private static final long LOG_NANOS = java.util.concurrent.TimeUnit.HOURS.toNanos(1);

    /** An envelope and the bytes it is stored as. */
    public record Stored(Envelope envelope, byte[] text) {

        /** A frame takes 16 KiB; only lines of other programs can make a text longer. */
        byte[] sendable() {
            return text.length <= EnvelopeText.MAX_WRITTEN
                    ? text
                    : EnvelopeText.dump(envelope.toBuilder().kept(List.of()).build());
        }
    }

    /** What loading gave. */
    public sealed interface Loaded permits Loaded.Found, Loaded.Absent, Loaded.Unreadable {
        record Found(Stored stored) implements Loaded {}

        /** Truly not there any more. */
        record Absent() implements Loaded {}

        /** There, but of no use now. */
        record Unreadable(String cause) implements Loaded {}
    }

    private final QueueBackend backend;
    private final OnLoop onLoop;
    private final Stats stats;
    private final long maxBytes;
    private final String serverName;
    private final LinkedHashMap<Evpid, Stored> cache = new LinkedHashMap<>(64, 0.75f, true);
    private final Map<Evpid, Loading> loading = new HashMap<>();
    private final LinkedHashMap<Evpid, Trouble> unreadable = new LinkedHashMap<>();
    private long bytes;

    /** An envelope that could not be read so far. */
    private static final class Trouble {
        int seconds = 60;
        long logged;
    }

    /** A text on its way from the store, and who waits for it. */
    private static final class Loading {
        final List<Consumer<Loaded>> waiting = new ArrayList<>(1);
        boolean isStale;
    }

    EnvelopeStore(
            QueueBackend backend, OnLoop onLoop, Stats stats, long maxBytes, String serverName) {
        this.backend = backend;
        this.onLoop = onLoop;
        this.stats = stats;
        this.maxBytes = maxBytes;
        this.serverName = serverName;
    }

    /** The envelope of this id, from the cache in the same turn, else from the store. */
    public void load(Evpid evpid, Consumer<Loaded> then) {
        Stored cached = cache.get(evpid);
        if (cached != null) {
            stats.increment(Stat.QUEUE_EVPCACHE_LOAD_HIT);
            then.accept(new Loaded.Found(cached));
            return;
        }
        stats.increment(Stat.QUEUE_EVPCACHE_LOAD_MISSED);
        Loading under = loading.get(evpid);
        if (under != null) {
            under.waiting.add(then);
            return;
        }
        Loading mine = new Loading();
        mine.waiting.add(then);
        loading.put(evpid, mine);
        fetch(evpid, mine);
    }

    private void fetch(Evpid evpid, Loading under) {
        onLoop.run(
                backend.load(evpid),
                load -> {
                    if (under.isStale) {
                        // Written or removed while it was being read: what was read may be old.
                        under.isStale = false;
                        Stored newer = cache.get(evpid);
                        if (newer == null) {
                            fetch(evpid, under);
                            return;
                        }
                        end(evpid, under, new Loaded.Found(newer));
                        return;
                    }
                    end(evpid, under, read(evpid, load));
                });
    }

    private void end(Evpid evpid, Loading under, Loaded loaded) {
        loading.remove(evpid);
        under.waiting.forEach(then -> then.accept(loaded));
    }

    private void touched(Evpid evpid) {
        Loading under = loading.isEmpty() ? null : loading.get(evpid);
        if (under != null) {
            under.isStale = true;
        }
    }

    private Loaded read(Evpid evpid, Load load) {
        return switch (load) {
            case Load.Absent _ -> new Loaded.Absent();
            case Load.Unreadable u -> new Loaded.Unreadable(u.cause());
            case Load.Found f -> parse(evpid, f.bytes());
        };
    }

    /** The verdict on a stored text; a bad one is set aside, and is then as good as absent. */
    public Loaded parse(Evpid evpid, byte[] text) {
        return switch (EnvelopeText.parse(text, serverName, System.currentTimeMillis() / 1000)) {
            case Verdict.Usable usable -> {
                if (usable instanceof Verdict.Edited) {
                    LOG.info("0000000000000000 queue load evpid={} action=edited-by-hand", evpid);
                }
                Stored stored = new Stored(usable.envelope(), text);
                keep(evpid, stored);
                yield new Loaded.Found(stored);
            }
            case Verdict.Future f -> {
                LOG.warn("problem=future evpid={} field={}", evpid, f.field());
                yield new Loaded.Unreadable("needs a newer release: " + f.field());
            }
            case Verdict.Torn _ -> setAside(evpid, "torn");
            case Verdict.Corrupt c -> setAside(evpid, c.field() + ": " + c.why());
        };
    }

    private Loaded setAside(Evpid evpid, String reason) {
        LOG.error("0000000000000000 queue corrupt evpid={} reason=\"{}\"", evpid, reason);
        onLoop.run(backend.quarantine(evpid, reason), _ -> {});
        return new Loaded.Absent();
    }

    /**
     * How long an envelope that cannot be read now is left alone: a minute, and twice as long each
     * time, up to ten. The log hears of it once an hour.
     *
     * @return seconds
     */
    public int localDelay(Evpid evpid, String cause) {
        long now = System.nanoTime();
        Trouble trouble = unreadable.get(evpid);
        if (trouble == null) {
            if (unreadable.size() >= MAX_UNREADABLE) {
                unreadable.remove(unreadable.keySet().iterator().next());
            }
            trouble = new Trouble();
            unreadable.put(evpid, trouble);
        } else {
            trouble.seconds = Math.min(MAX_DELAY, trouble.seconds * 2);
        }
        if (trouble.logged == 0 || now - trouble.logged > LOG_NANOS) {
            trouble.logged = now;
            LOG.warn("problem=unreadable evpid={} cause=\"{}\"", evpid, cause);
        }
        return trouble.seconds;
    }

    /** What was just written. */
    public void put(Evpid evpid, Stored stored) {
        touched(evpid);
        keep(evpid, stored);
    }

    private void keep(Evpid evpid, Stored stored) {
        if (!unreadable.isEmpty()) {
            unreadable.remove(evpid);
        }
        if (maxBytes == 0) {
            return;
        }
        Stored old = cache.put(evpid, stored);
        bytes += cost(stored) - (old == null ? 0 : cost(old));
        for (Iterator<Map.Entry<Evpid, Stored>> oldest = cache.entrySet().iterator();
                bytes > maxBytes && oldest.hasNext(); ) {
            bytes -= cost(oldest.next().getValue());
            oldest.remove();
        }
        stats.set(Stat.QUEUE_EVPCACHE_SIZE, cache.size());
    }

    private static int cost(Stored stored) {
        return ENTRY_BYTES + stored.text().length;
    }

    /** Gone, set aside, or to be read anew. */
    public void drop(Evpid evpid) {
        touched(evpid);
        Stored old = cache.remove(evpid);
        if (old != null) {
            bytes -= cost(old);
            stats.set(Stat.QUEUE_EVPCACHE_SIZE, cache.size());
        }
    }

    /** Stores a changed envelope; the cache follows when that succeeded. */
    public void update(Evpid evpid, Envelope changed, Consumer<QueueBackend.Stored> then) {
        byte[] text = EnvelopeText.dump(changed);
        stats.increment(
                cache.containsKey(evpid)
                        ? Stat.QUEUE_EVPCACHE_UPDATE_HIT
                        : Stat.QUEUE_EVPCACHE_UPDATE_MISSED);
        onLoop.run(
                backend.update(new QueueBackend.Text(evpid, text)),
                stored -> {
                    if (stored instanceof QueueBackend.Stored.Ok) {
                        put(evpid, new Stored(changed, text));
                    } else {
                        drop(evpid); // absent, or it is not known what lies there now
                    }
                    then.accept(stored);
                });
    }
}
