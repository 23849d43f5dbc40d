package smtpd.mta;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import smtpd.envelope.Evpid;
import smtpd.imsg.AgentToQueue;
import smtpd.imsg.MtaToQueue;
import smtpd.mta.route.Letter;
import smtpd.mta.route.Outside;
import smtpd.mta.session.Result;
import smtpd.proc.Edge;

/**
 * Results on their way to storage: each is kept until the queue says it is stored, and told again,
 * with the same number, to a queue that came back. A result told twice does no harm, one told never
 * delivers a mail twice.
 */
final class ResultBook {

    private static final int MAX_IDS = 256;

    private record Kept(long seq, List<Evpid> evpids, MtaToQueue message) {}

    /** So many envelopes with results that nobody stores: no more are made. */
    private static final int FULL = 100_000;

    private final Edge<MtaToQueue> queue;
    private final int full;
    private final ArrayDeque<Kept> kept = new ArrayDeque<>();
    private long lastSeq;
    private int envelopes;

    ResultBook(Edge<MtaToQueue> queue) {
        this(queue, FULL);
    }

    ResultBook(Edge<MtaToQueue> queue, int full) {
        this.queue = queue;
        this.full = full;
    }

    void add(Outside.Outcome outcome) {
        List<Evpid> evpids = new ArrayList<>(outcome.letters().size());
        for (Letter letter : outcome.letters()) {
            evpids.add(letter.evpid());
        }
        for (int from = 0; from < evpids.size(); from += MAX_IDS) {
            List<Evpid> part =
                    List.copyOf(evpids.subList(from, Math.min(evpids.size(), from + MAX_IDS)));
            long seq = ++lastSeq;
            Kept entry = new Kept(seq, part, message(seq, part, outcome));
            kept.add(entry);
            envelopes += part.size();
            queue.send(0, entry.message());
        }
    }

    private static MtaToQueue message(long seq, List<Evpid> evpids, Outside.Outcome outcome) {
        Result result = outcome.result();
        String text = Texts.cut(result.text(), 2_047);
        String remote = outcome.session() == null ? "" : Texts.cut(outcome.session().peer(), 255);
        return switch (result.kind()) {
            case DELIVERED ->
                    new AgentToQueue.Delivered(
                            seq, evpids, result.esc(), text, outcome.dsnCapable(), remote);
            case DEFERRED ->
                    new AgentToQueue.Deferred(
                            seq, evpids, result.esc(), text, result.reason().key(), remote);
            case FAILED ->
                    new AgentToQueue.Failed(
                            seq, evpids, result.esc(), text, result.reason().key(), remote);
            case LOOPED -> new AgentToQueue.Looped(seq, evpids);
        };
    }

    /** Up to and with this number all are stored. */
    void stored(long seq) {
        while (!kept.isEmpty() && kept.peek().seq() <= seq) {
            envelopes -= kept.poll().evpids().size();
        }
    }

    void repeat() {
        for (Kept entry : kept) {
            queue.send(0, entry.message());
        }
    }

    void addTo(List<Evpid> evpids) {
        kept.forEach(entry -> evpids.addAll(entry.evpids()));
    }

    /** Storage is so far behind that what is sent now might be sent twice. */
    boolean isFull() {
        return envelopes >= full;
    }

    boolean isEmpty() {
        return kept.isEmpty();
    }
}
