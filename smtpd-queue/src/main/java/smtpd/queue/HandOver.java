package smtpd.queue;

import io.netty.channel.EventLoop;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import smtpd.envelope.ContentFacts;
import smtpd.envelope.Evpid;
import smtpd.envelope.Msgid;
import smtpd.imsg.Agent;
import smtpd.imsg.AgentToQueue;
import smtpd.imsg.Content;
import smtpd.imsg.Outcome;
import smtpd.imsg.QueueToAgent;
import smtpd.imsg.QueueToAgent.ContentForm;
import smtpd.imsg.StoredEnvelope;
import smtpd.proc.Edge;
import smtpd.proc.Frame;
import smtpd.sys.Fd;

/**
 * What one agent holds: turns the ids of a batch into envelopes, brings the content with the first
 * hand-over of a message, keeps within the agent's credit, and knows what is in flight.
 */
final class HandOver {

    private static final Logger LOG = LoggerFactory.getLogger(HandOver.class);
    private static final int CREDIT_DESCRIPTORS = 256;
    private static final long CREDIT_BYTES = 16L << 20;

    /** Messages read from storage at once for this agent. */
    private static final int MAX_READING = 64;

    /** Frames with content stay under the cap of 256 KiB together with their envelopes. */
    private static final int MAX_ENVELOPE_BYTES = 60 << 10;

    private static final int MAX_LIST = 256;
    private static final int MAX_INLINE = 128 << 10;
    private static final int BACKLOG_SECONDS = 60;
    private static final int CONGESTED_MILLIS = 20;

    private final Agent agent;
    private final Edge<? super QueueToAgent> edge;
    private final EnvelopeStore envelopes;
    private final ContentStore contents;
    private final SchedulerFeed scheduler;
    private final EventLoop loop;
    private final BooleanSupplier mayHandOut;

    /** Ordered by the scheduler and not answered; true when the agent has it. */
    private final Map<Evpid, Boolean> inFlight = new HashMap<>();

    /** How many envelopes of a message the agent has. */
    private final Map<Msgid, Integer> held = new HashMap<>();

    private final Deque<List<Evpid>> waiting = new ArrayDeque<>();
    private int descriptors = CREDIT_DESCRIPTORS;
    private long bytes = CREDIT_BYTES;
    private int reading;
    private boolean isGoing;
    private boolean isRetrying;

    /** Counts incarnations of the agent, so that what was begun for one does not reach the next. */
    private int epoch;

    /** It died, and its last results are not all stored. */
    private boolean isLeaving;

    private boolean joinedMeanwhile;
    private boolean hasJoined;
    private boolean owesSnapshot;

    /**
     * @param mayHandOut false while too many results wait for storage
     */
    HandOver(
            Agent agent,
            Edge<? super QueueToAgent> edge,
            EnvelopeStore envelopes,
            ContentStore contents,
            SchedulerFeed scheduler,
            EventLoop loop,
            BooleanSupplier mayHandOut) {
        this.agent = agent;
        this.edge = edge;
        this.envelopes = envelopes;
        this.contents = contents;
        this.scheduler = scheduler;
        this.loop = loop;
        this.mayHandOut = mayHandOut;
    }

    Agent agent() {
        return agent;
    }

    /** The sending side towards the agent. */
    Edge<? super QueueToAgent> edge() {
        return edge;
    }

    int inFlightCount() {
        return inFlight.size();
    }

    int heldCount() {
        return held.size();
    }

    boolean holds(Msgid msgid) {
        return held.containsKey(msgid);
    }

    // ---- out

    /** A batch, grouped by message. */
    void dispatch(List<Evpid> evpids) {
        if (isLeaving) {
            return; // AgentLost, which follows, answers for these too
        }
        if (!edge.isUp() || !mayHandOut.getAsBoolean()) {
            int seconds = edge.isUp() ? BACKLOG_SECONDS : 1;
            evpids.forEach(id -> scheduler.localDelay(id, seconds));
            return;
        }
        List<Evpid> group = new ArrayList<>();
        for (Evpid id : evpids) {
            if (inFlight.putIfAbsent(id, false) != null) {
                continue; // the agent has it already, and its answer is the answer to this too
            }
            if (!group.isEmpty() && group.getFirst().value() >>> 32 != id.value() >>> 32) {
                waiting.add(group);
                group = new ArrayList<>();
            }
            group.add(id);
        }
        if (!group.isEmpty()) {
            waiting.add(group);
        }
        goOn();
    }

    /** Groups found in memory end in the same turn and come back here: a loop, no recursion. */
    private void goOn() {
        if (isGoing) {
            return;
        }
        isGoing = true;
        while (reading < MAX_READING && !waiting.isEmpty() && !edge.isCongested()) {
            new Group(waiting.poll()).load();
        }
        isGoing = false;
        if (!waiting.isEmpty() && reading == 0 && !isRetrying) {
            isRetrying = true;
            loop.schedule(
                    () -> {
                        isRetrying = false;
                        goOn();
                    },
                    CONGESTED_MILLIS,
                    TimeUnit.MILLISECONDS);
        }
    }

    /** The envelopes of one message in one batch. */
    private final class Group {
        private final List<Evpid> ids;
        private final Map<Evpid, EnvelopeStore.Stored> found = new LinkedHashMap<>();
        private final int born = epoch;
        private int left;

        Group(List<Evpid> ids) {
            this.ids = ids;
            this.left = ids.size();
        }

        void load() {
            reading++;
            for (Evpid id : ids) {
                envelopes.load(id, loaded -> got(id, loaded));
            }
        }

        private boolean isStale() {
            return born != epoch;
        }

        private void got(Evpid id, EnvelopeStore.Loaded loaded) {
            if (!isStale()) {
                switch (loaded) {
                    case EnvelopeStore.Loaded.Found f -> found.put(id, f.stored());
                    case EnvelopeStore.Loaded.Absent _ -> {
                        LOG.info(
                                "0000000000000000 queue remove evpid={} action=removed-by-hand",
                                id);
                        inFlight.remove(id);
                        scheduler.vanished(id, true);
                    }
                    case EnvelopeStore.Loaded.Unreadable u -> {
                        inFlight.remove(id);
                        scheduler.localDelay(id, envelopes.localDelay(id, u.cause()));
                    }
                }
            }
            if (--left == 0) {
                content();
            }
        }

        private void content() {
            if (found.isEmpty() || isStale()) {
                end();
                return;
            }
            Msgid msgid = ids.getFirst().msgid();
            if (held.containsKey(msgid)) {
                send(msgid, ContentForm.KNOWN, Content.NONE, -1);
                return;
            }
            ContentFacts facts = facts();
            long inline = facts != null && facts.size() <= MAX_INLINE ? facts.size() : -1;
            if (inline >= 0 ? bytes < inline : descriptors <= 0) {
                send(msgid, ContentForm.ASK, Content.NONE, -1);
                return;
            }
            // Taken before the content is read: many are read at once.
            take(inline, 1);
            contents.get(msgid, content -> fetched(msgid, inline, content));
        }

        private void take(long inline, int sign) {
            if (inline >= 0) {
                bytes -= sign * inline;
            } else {
                descriptors -= sign;
            }
        }

        private void fetched(Msgid msgid, long inline, ContentStore.Found content) {
            if (isStale()) {
                if (content instanceof ContentStore.Found.File f) {
                    Fd.closeQuietly(f.fd());
                }
                end();
                return;
            }
            take(inline, -1);
            switch (content) {
                case ContentStore.Found.Bytes b -> {
                    bytes -= b.content().length();
                    send(msgid, ContentForm.INLINE, b.content(), -1);
                }
                case ContentStore.Found.File f -> {
                    descriptors--;
                    send(msgid, ContentForm.DESCRIPTOR, Content.NONE, f.fd());
                }
                // The agent asks, hears why, and defers: it counts as a try.
                case ContentStore.Found.Missing _ -> send(msgid, ContentForm.ASK, Content.NONE, -1);
            }
        }

        private ContentFacts facts() {
            return found.values().iterator().next().envelope().content();
        }

        private void send(Msgid msgid, ContentForm form, Content content, int fd) {
            List<StoredEnvelope> part = new ArrayList<>();
            int partBytes = 0;
            ContentForm how = form;
            Content with = content;
            int descriptor = fd;
            for (var entry : found.entrySet()) {
                byte[] text = entry.getValue().sendable();
                if (!part.isEmpty()
                        && (partBytes + text.length > MAX_ENVELOPE_BYTES
                                || part.size() == MAX_LIST)) {
                    hand(msgid, part, how, with, descriptor);
                    part = new ArrayList<>();
                    partBytes = 0;
                    how = form == ContentForm.ASK ? form : ContentForm.KNOWN;
                    with = Content.NONE;
                    descriptor = -1;
                }
                part.add(new StoredEnvelope(entry.getKey(), text));
                partBytes += text.length;
            }
            hand(msgid, part, how, with, descriptor);
            end();
        }

        private void hand(
                Msgid msgid, List<StoredEnvelope> part, ContentForm form, Content content, int fd) {
            ContentFacts facts = facts();
            long size = facts == null ? 0 : facts.size();
            int crc = facts == null ? 0 : facts.crc32c();
            long lines = facts == null ? 0 : facts.lines();
            boolean sent =
                    edge.send(
                            0,
                            new QueueToAgent.Transfer(msgid, part, form, content, size, crc, lines),
                            fd);
            if (!sent) {
                return; // it died; AgentLost answers for these
            }
            for (StoredEnvelope e : part) {
                isWith(e.evpid());
            }
        }

        private void end() {
            reading--;
            goOn();
        }
    }

    private void isWith(Evpid id) {
        if (!Boolean.TRUE.equals(inFlight.put(id, true))) {
            held.merge(id.msgid(), 1, Integer::sum);
        }
    }

    /** The agent starts a session for a message whose content it does not hold. */
    void open(Frame frame, Msgid msgid) {
        int born = epoch;
        contents.get(
                msgid,
                content -> {
                    int fd = content instanceof ContentStore.Found.File f ? f.fd() : -1;
                    if (born != epoch) {
                        Fd.closeQuietly(fd);
                        return;
                    }
                    QueueToAgent.MessageFile answer =
                            switch (content) {
                                case ContentStore.Found.Bytes b -> {
                                    bytes -= b.content().length();
                                    yield new QueueToAgent.MessageFile(
                                            msgid, Outcome.ok(), ContentForm.INLINE, b.content());
                                }
                                case ContentStore.Found.File _ -> {
                                    descriptors--;
                                    yield new QueueToAgent.MessageFile(
                                            msgid,
                                            Outcome.ok(),
                                            ContentForm.DESCRIPTOR,
                                            Content.NONE);
                                }
                                case ContentStore.Found.Missing m ->
                                        new QueueToAgent.MessageFile(
                                                msgid,
                                                new Outcome.Temporary(
                                                        "451 4.3.0 content unavailable: "
                                                                + m.cause(),
                                                        "4.3.0"),
                                                ContentForm.ASK,
                                                Content.NONE);
                            };
                    edge.send(frame.id(), answer, fd);
                });
    }

    void released(AgentToQueue.ContentReleased m) {
        descriptors = Math.min(CREDIT_DESCRIPTORS, descriptors + Math.max(0, m.descriptors()));
        bytes = Math.min(CREDIT_BYTES, bytes + Math.max(0, m.bytes()));
    }

    // ---- back

    /** The agent has answered for this envelope; true when it was in flight with it. */
    boolean answered(Evpid evpid) {
        Boolean wasWithAgent = inFlight.remove(evpid);
        if (wasWithAgent == null) {
            return false;
        }
        if (wasWithAgent) {
            held.computeIfPresent(evpid.msgid(), (_, n) -> n == 1 ? null : n - 1);
        }
        return true;
    }

    void hold(AgentToQueue.Hold m, int generation) {
        m.evpids().forEach(this::answered);
        scheduler.hold(agent, generation, m.key(), m.evpids());
    }

    void release(AgentToQueue.Release m, int generation) {
        scheduler.release(agent, generation, m.key(), m.count());
    }

    // ---- the agent comes and goes

    void joined() {
        hasJoined = true;
        if (isLeaving) {
            joinedMeanwhile = true; // nothing for the new one before the old one is settled
            return;
        }
        descriptors = CREDIT_DESCRIPTORS;
        bytes = CREDIT_BYTES;
        edge.send(0, new QueueToAgent.HandoverCredit(CREDIT_DESCRIPTORS, CREDIT_BYTES));
    }

    /** Its edge is gone; {@link #lost} follows when all results it sent are stored. */
    void leaving() {
        isLeaving = true;
        joinedMeanwhile = false;
        epoch++;
        waiting.clear();
    }

    void lost() {
        isLeaving = false;
        inFlight.clear();
        held.clear();
        scheduler.agentLost(agent);
        if (owesSnapshot) {
            tell();
        }
        if (joinedMeanwhile) {
            joinedMeanwhile = false;
            joined();
        }
    }

    /**
     * The scheduler is new, or we are: it must know what is in flight.
     *
     * @param mayComeLater an agent that is not here yet may hold mail that this process never saw
     */
    void ask(boolean mayComeLater, int waitSeconds) {
        owesSnapshot = true;
        if (isLeaving) {
            return; // lost() tells
        }
        if (edge.send(0, new QueueToAgent.InFlightQuery()) || (mayComeLater && !hasJoined)) {
            loop.schedule(
                    () -> {
                        if (owesSnapshot && !isLeaving) {
                            tell();
                        }
                    },
                    waitSeconds,
                    TimeUnit.SECONDS);
        } else {
            tell();
        }
    }

    /**
     * What the agent holds, asked for, or told by itself when this process is new.
     *
     * @param isAnswered its result is stored, and the agent did not know that yet
     */
    void inFlight(AgentToQueue.InFlightReport m, boolean more, Predicate<Evpid> isAnswered) {
        if (isLeaving) {
            return; // the new one holds nothing yet
        }
        for (Evpid id : m.evpids()) {
            if (!isAnswered.test(id)) {
                isWith(id);
            }
        }
        if (!more && owesSnapshot) {
            tell();
        }
    }

    /** What is here on its way to the agent is in flight as much as what the agent reports. */
    private void tell() {
        owesSnapshot = false;
        scheduler.snapshot(agent, new ArrayList<>(inFlight.keySet()));
    }
}
