package smtpd.proc;

import io.netty.channel.EventLoop;
import io.netty.util.collection.LongObjectHashMap;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import smtpd.imsg.Role;

/**
 * Requests that wait for their answer, by id. One structure serves the answer, the timer and the
 * loss of any peer that could answer; whoever comes second finds nothing. Deadlines are looked at
 * once a second, so they are late by up to that. Belongs to the event loop.
 *
 * @param <T> what the asker needs to go on
 */
public final class Pending<T> {

    private record Entry<T>(T request, long deadlineNanos, EnumSet<Role> peers) {}

    private final EventLoop loop;
    private final Consumer<T> expired;
    private final LongObjectHashMap<Entry<T>> waiting = new LongObjectHashMap<>();
    private ScheduledFuture<?> timer;

    /**
     * @param expired called for each request whose time is up, after it was taken out
     */
    public Pending(EventLoop loop, Consumer<T> expired) {
        this.loop = loop;
        this.expired = expired;
    }

    /**
     * Waits for an answer.
     *
     * @param peers all processes whose death loses the answer
     */
    public void add(long id, long timeoutMillis, EnumSet<Role> peers, T request) {
        waiting.put(
                id,
                new Entry<>(
                        request,
                        System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMillis),
                        peers));
        if (timer == null) {
            timer = loop.scheduleAtFixedRate(this::sweep, 1, 1, TimeUnit.SECONDS);
        }
    }

    /**
     * The request of this id, which no longer waits; null when it is unknown (late, or answered).
     */
    public T take(long id) {
        Entry<T> entry = waiting.remove(id);
        return entry == null ? null : entry.request();
    }

    /** The request of this id, which goes on waiting; null when it is unknown. */
    public T get(long id) {
        Entry<T> entry = waiting.get(id);
        return entry == null ? null : entry.request();
    }

    /** Takes out all requests that {@code peer} was to answer. */
    public List<T> lost(Role peer) {
        return takeIf(entry -> entry.peers().contains(peer));
    }

    public int size() {
        return waiting.size();
    }

    private void sweep() {
        if (waiting.isEmpty()) {
            timer.cancel(false);
            timer = null;
            return;
        }
        long now = System.nanoTime();
        takeIf(entry -> entry.deadlineNanos() - now < 0).forEach(expired);
    }

    private List<T> takeIf(java.util.function.Predicate<Entry<T>> chosen) {
        List<T> taken = new ArrayList<>();
        for (var entries = waiting.entries().iterator(); entries.hasNext(); ) {
            Entry<T> entry = entries.next().value();
            if (chosen.test(entry)) {
                taken.add(entry.request());
                entries.remove();
            }
        }
        return taken;
    }
}
