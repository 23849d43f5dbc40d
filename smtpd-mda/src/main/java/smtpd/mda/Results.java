package smtpd.mda;

import io.netty.channel.EventLoop;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import smtpd.envelope.Evpid;
import smtpd.imsg.AgentToQueue;
import smtpd.imsg.MdaToQueue;
import smtpd.mda.deliver.Verdict;
import smtpd.proc.Edge;

/**
 * What became of the deliveries: told to the queue in lists of one text, and kept until it says
 * that they are stored. Results of one turn of the loop share frames.
 */
final class Results {

    private static final int MAX_LIST = 256;

    private final EventLoop loop;
    private final Edge<MdaToQueue> queue;
    private final Map<Verdict, List<Evpid>> gathered = new LinkedHashMap<>();
    private final TreeMap<Long, MdaToQueue> kept = new TreeMap<>();
    private final Map<Long, List<Evpid>> keptIds = new HashMap<>();
    private final Set<Evpid> unstored = new HashSet<>();
    private long seq;
    private boolean flushing;

    Results(EventLoop loop, Edge<MdaToQueue> queue) {
        this.loop = loop;
        this.queue = queue;
    }

    void add(Evpid evpid, Verdict verdict) {
        gathered.computeIfAbsent(verdict, _ -> new ArrayList<>()).add(evpid);
        unstored.add(evpid);
        if (!flushing) {
            flushing = true;
            loop.execute(this::flush);
        }
    }

    void flush() {
        flushing = false;
        gathered.forEach(
                (verdict, all) -> {
                    for (int from = 0; from < all.size(); from += MAX_LIST) {
                        send(verdict, all.subList(from, Math.min(all.size(), from + MAX_LIST)));
                    }
                });
        gathered.clear();
    }

    private void send(Verdict verdict, List<Evpid> part) {
        List<Evpid> evpids = List.copyOf(part);
        long number = ++seq;
        MdaToQueue result =
                switch (verdict) {
                    case Verdict.Delivered v ->
                            new AgentToQueue.Delivered(
                                    number, evpids, v.esc(), v.text(), false, "");
                    case Verdict.Temporary v ->
                            new AgentToQueue.Deferred(
                                    number, evpids, v.esc(), v.text(), reason(v.cause()), "");
                    case Verdict.Permanent v ->
                            new AgentToQueue.Failed(number, evpids, v.esc(), v.text(), "error", "");
                    case Verdict.Looped _ -> new AgentToQueue.Looped(number, evpids);
                };
        kept.put(number, result);
        keptIds.put(number, evpids);
        queue.send(0, result); // away: it goes when the queue is back
    }

    private static String reason(Verdict.Cause cause) {
        return switch (cause) {
            case FULL -> "mailbox-full";
            case DEVICE, CONTENT -> "io-error";
            case MAIL, LOCKED, RESOURCES, STOPPED -> "local-tempfail";
        };
    }

    /** Everything up to and with this number is stored. */
    void stored(long upTo) {
        var done = kept.headMap(upTo, true);
        for (long number : done.keySet()) {
            keptIds.remove(number).forEach(unstored::remove);
        }
        done.clear();
    }

    /** Envelopes whose result is not stored yet. */
    Set<Evpid> unstored() {
        return unstored;
    }

    boolean isEmpty() {
        return kept.isEmpty() && gathered.isEmpty();
    }

    /** The queue is new: the same results again, with the same numbers. */
    void repeat() {
        kept.values().forEach(result -> queue.send(0, result));
    }
}
