package smtpd.queue;

import io.netty.channel.EventLoop;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import smtpd.envelope.ContentFacts;
import smtpd.envelope.Envelope;
import smtpd.envelope.Evpid;
import smtpd.envelope.Msgid;
import smtpd.imsg.Agent;
import smtpd.imsg.AgentToQueue;
import smtpd.imsg.Content;
import smtpd.imsg.Outcome;
import smtpd.imsg.QueueToAgent;
import smtpd.imsg.QueueToAgent.ContentForm;
import smtpd.imsg.StoredEnvelope;
import smtpd.proc.Frame;

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

    private static final int MAX_INLINE = 128 << 10;
    private static final int UNREADABLE_SECONDS = 60;

    private final Agent agent;
    private final AgentPort port;
    private final EnvelopeStore envelopes;
    private final ContentStore contents;
    private final SchedulerFeed scheduler;
    private final Set<Evpid> inFlight = new HashSet<>();
    private final Map<Msgid, Integer> held = new HashMap<>();
    private final Deque<List<Evpid>> waiting = new ArrayDeque<>();
    private final List<Evpid> reported = new ArrayList<>();
    private int descriptors = CREDIT_DESCRIPTORS;
    private long bytes = CREDIT_BYTES;
    private int reading;

    HandOver(
            Agent agent,
            AgentPort port,
            EnvelopeStore envelopes,
            ContentStore contents,
            SchedulerFeed scheduler) {
        this.agent = agent;
        this.port = port;
        this.envelopes = envelopes;
        this.contents = contents;
        this.scheduler = scheduler;
    }

    Agent agent() {
        return agent;
    }

    AgentPort port() {
        return port;
    }

    int inFlightCount() {
        return inFlight.size();
    }

    boolean holds(Msgid msgid) {
        return held.containsKey(msgid);
    }

    // ---- out

    /** A batch, grouped by message. */
    void dispatch(List<Evpid> evpids) {
        if (!port.isUp()) {
            // Told by AgentLost that nothing is in flight with it; these were on their way.
            evpids.forEach(id -> scheduler.localDelay(id, 1));
            return;
        }
        List<Evpid> group = new ArrayList<>();
        for (Evpid id : evpids) {
            if (!group.isEmpty() && group.getFirst().msgid().value() != id.msgid().value()) {
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

    private void goOn() {
        while (reading < MAX_READING && !waiting.isEmpty() && !port.isCongested()) {
            new Group(waiting.poll()).load();
        }
        if (!waiting.isEmpty() && reading == 0 && port.isCongested()) {
            retryTimer.run();
        }
    }

    private Runnable retryTimer = () -> {};

    /** How to look again later while the agent reads slowly. */
    void setLoop(EventLoop loop) {
        retryTimer =
                () -> loop.schedule(this::goOn, 20, java.util.concurrent.TimeUnit.MILLISECONDS);
    }

    /** The envelopes of one message in one batch. */
    private final class Group {
        private final List<Evpid> ids;
        private final Map<Evpid, EnvelopeStore.Stored> found = new LinkedHashMap<>();
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

        private void got(Evpid id, EnvelopeStore.Loaded loaded) {
            switch (loaded) {
                case EnvelopeStore.Loaded.Found f -> found.put(id, f.stored());
                case EnvelopeStore.Loaded.Absent _ -> {
                    LOG.info("0000000000000000 queue remove evpid={} action=removed-by-hand", id);
                    scheduler.vanished(id, true);
                }
                case EnvelopeStore.Loaded.Unreadable u -> {
                    LOG.warn("problem=unreadable evpid={} cause=\"{}\"", id, u.cause());
                    scheduler.localDelay(id, UNREADABLE_SECONDS);
                }
            }
            if (--left == 0) {
                content();
            }
        }

        private void content() {
            if (found.isEmpty()) {
                end();
                return;
            }
            Msgid msgid = ids.getFirst().msgid();
            if (held.containsKey(msgid)) {
                send(msgid, ContentForm.KNOWN, Content.NONE, -1);
                return;
            }
            ContentFacts facts = facts();
            boolean inline = facts != null && facts.size() <= MAX_INLINE;
            if (inline ? bytes < facts.size() : descriptors == 0) {
                send(msgid, ContentForm.ASK, Content.NONE, -1);
                return;
            }
            contents.get(
                    msgid,
                    content -> {
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
                            case ContentStore.Found.Missing _ ->
                                    send(msgid, ContentForm.ASK, Content.NONE, -1);
                        }
                    });
        }

        private ContentFacts facts() {
            Envelope any = found.values().iterator().next().envelope();
            return any.content();
        }

        private void send(Msgid msgid, ContentForm form, Content content, int fd) {
            ContentFacts facts = facts();
            long size = facts == null ? 0 : facts.size();
            int crc = facts == null ? 0 : facts.crc32c();
            long lines = facts == null ? 0 : facts.lines();
            List<StoredEnvelope> part = new ArrayList<>();
            int partBytes = 0;
            ContentForm how = form;
            Content with = content;
            int descriptor = fd;
            boolean lost = false;
            for (var entry : found.entrySet()) {
                byte[] text = entry.getValue().text();
                if (partBytes + text.length > MAX_ENVELOPE_BYTES) {
                    lost |= !hand(msgid, part, how, with, size, crc, lines, descriptor);
                    part = new ArrayList<>();
                    partBytes = 0;
                    how = form == ContentForm.ASK ? form : ContentForm.KNOWN;
                    with = Content.NONE;
                    descriptor = -1;
                }
                part.add(new StoredEnvelope(entry.getKey(), text));
                partBytes += text.length;
            }
            lost |= !hand(msgid, part, how, with, size, crc, lines, descriptor);
            if (lost) {
                LOG.debug("{} went away during a hand-over", agent);
            }
            end();
        }

        private boolean hand(
                Msgid msgid,
                List<StoredEnvelope> part,
                ContentForm form,
                Content content,
                long size,
                int crc,
                long lines,
                int fd) {
            boolean sent =
                    port.transfer(
                            new QueueToAgent.Transfer(msgid, part, form, content, size, crc, lines),
                            fd);
            for (StoredEnvelope e : part) {
                if (!sent) {
                    scheduler.localDelay(e.evpid(), 1);
                } else if (inFlight.add(e.evpid())) {
                    held.merge(msgid, 1, Integer::sum);
                }
            }
            return sent;
        }

        private void end() {
            reading--;
            goOn();
        }
    }

    /** The agent starts a session for a message whose content it does not hold. */
    void open(Frame frame, Msgid msgid) {
        contents.get(
                msgid,
                content -> {
                    switch (content) {
                        case ContentStore.Found.Bytes b -> {
                            bytes -= b.content().length();
                            port.file(
                                    frame.id(),
                                    new QueueToAgent.MessageFile(
                                            msgid, Outcome.ok(), ContentForm.INLINE, b.content()),
                                    -1);
                        }
                        case ContentStore.Found.File f -> {
                            descriptors--;
                            port.file(
                                    frame.id(),
                                    new QueueToAgent.MessageFile(
                                            msgid,
                                            Outcome.ok(),
                                            ContentForm.DESCRIPTOR,
                                            Content.NONE),
                                    f.fd());
                        }
                        case ContentStore.Found.Missing m ->
                                port.file(
                                        frame.id(),
                                        new QueueToAgent.MessageFile(
                                                msgid,
                                                new Outcome.Temporary(
                                                        "451 4.3.0 content unavailable: "
                                                                + m.cause(),
                                                        "4.3.0"),
                                                ContentForm.ASK,
                                                Content.NONE),
                                        -1);
                    }
                });
    }

    void released(AgentToQueue.ContentReleased m) {
        descriptors = Math.min(CREDIT_DESCRIPTORS, descriptors + m.descriptors());
        bytes = Math.min(CREDIT_BYTES, bytes + m.bytes());
    }

    // ---- back

    /** The agent has answered for this envelope; true when it was in flight with it. */
    boolean answered(Evpid evpid) {
        if (!inFlight.remove(evpid)) {
            return false;
        }
        Msgid msgid = evpid.msgid();
        held.computeIfPresent(msgid, (_, n) -> n == 1 ? null : n - 1);
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
        descriptors = CREDIT_DESCRIPTORS;
        bytes = CREDIT_BYTES;
        port.credit(new QueueToAgent.HandoverCredit(CREDIT_DESCRIPTORS, CREDIT_BYTES));
    }

    /** All results it sent are stored. */
    void lost() {
        waiting.clear();
        inFlight.clear();
        held.clear();
        reported.clear();
        scheduler.agentLost(agent);
    }

    /** The scheduler is new: it must know what is in flight. */
    void ask() {
        reported.clear();
        if (!port.query()) {
            scheduler.snapshot(agent, List.of(), false);
        }
    }

    /** What the agent holds, asked for, or told by itself when this process is new. */
    void inFlight(AgentToQueue.InFlightReport m, boolean more) {
        for (Evpid id : m.evpids()) {
            if (inFlight.add(id)) {
                held.merge(id.msgid(), 1, Integer::sum);
            }
        }
        // What is here on its way to the agent is in flight as much as what it reports.
        scheduler.snapshot(agent, m.evpids(), true);
        if (!more) {
            List<Evpid> all = new ArrayList<>(inFlight);
            waiting.forEach(all::addAll);
            for (int i = 0; i < all.size(); i += 256) {
                scheduler.snapshot(agent, all.subList(i, Math.min(all.size(), i + 256)), true);
            }
            scheduler.snapshot(agent, List.of(), false);
        }
    }
}
