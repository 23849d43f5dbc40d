package smtpd.queue;

import io.netty.channel.EventLoop;
import java.time.Clock;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import smtpd.envelope.Envelope;
import smtpd.envelope.EnvelopeText;
import smtpd.envelope.Evpid;
import smtpd.envelope.Hold;
import smtpd.imsg.Agent;
import smtpd.imsg.AgentToQueue;
import smtpd.imsg.QueueToAgent;
import smtpd.imsg.QueueToScheduler.Origin;
import smtpd.imsg.QueueToScheduler.Result;
import smtpd.imsg.SchedulerToQueue;
import smtpd.log.LogLine;
import smtpd.queue.backend.QueueBackend;
import smtpd.queue.bounce.BounceMaker;
import smtpd.queue.bounce.Bounces;

/**
 * How tries end. Each result is stored first, then the scheduler hears of it, then the agent, which
 * keeps it until then. Storage that fails is tried again; the result waits here meanwhile, and with
 * the agent.
 */
final class Results {

    private static final Logger LOG = LoggerFactory.getLogger(Results.class);
    private static final int RETRY_SECONDS = 5;
    private static final int MAX_BUSY = 100_000;

    private final QueueBackend backend;
    private final EnvelopeStore envelopes;
    private final ContentStore contents;
    private final SchedulerFeed scheduler;
    private final OnLoop onLoop;
    private final EventLoop loop;
    private final Clock clock;
    private final BounceMaker maker;
    private final Map<Agent, Acks> acks = new EnumMap<>(Agent.class);

    /** Envelopes being changed, and what waits for that: two changes must not know one old text. */
    private final Map<Evpid, ArrayDeque<Runnable>> busy = new HashMap<>();

    /** Which numbered results of an agent are stored; told cumulatively, once a turn. */
    private final class Acks {
        final TreeMap<Long, Integer> open = new TreeMap<>();

        /** Stored, but not told to the agent: it still counts these as its own. */
        final TreeMap<Long, List<Evpid>> untold = new TreeMap<>();

        /**
         * Answered around a question what the agent holds: its report, made before it knew that,
         * may still name these. Null when no report is awaited.
         */
        Set<Evpid> sinceQuery;

        long highest;
        boolean scheduled;
        HandOver agent;
        Runnable whenStored;

        void begin(long seq, int envelopes) {
            open.merge(seq, envelopes, Integer::sum);
            highest = Math.max(highest, seq);
        }

        void stored(long seq) {
            Integer left = open.get(seq);
            if (left == null) {
                return;
            }
            if (left > 1) {
                open.put(seq, left - 1);
                return;
            }
            open.remove(seq);
            if (!scheduled) {
                scheduled = true;
                loop.execute(this::tell);
            }
        }

        void tell() {
            scheduled = false;
            long upTo = open.isEmpty() ? highest : open.firstKey() - 1;
            if (whenStored == null) {
                untold.headMap(upTo, true).clear();
                agent.edge().send(0, new QueueToAgent.ResultsStored(upTo));
            }
            checkStored(); // the agent is dead: these numbers mean nothing to its successor
        }

        boolean isAnswered(Evpid id) {
            return sinceQuery != null ? sinceQuery.contains(id) : isUntold(id);
        }

        private boolean isUntold(Evpid id) {
            return untold.values().stream().anyMatch(ids -> ids.contains(id));
        }

        void checkStored() {
            if (open.isEmpty() && whenStored != null) {
                Runnable then = whenStored;
                whenStored = null;
                highest = 0;
                untold.clear();
                sinceQuery = null;
                then.run();
            }
        }
    }

    Results(
            QueueBackend backend,
            EnvelopeStore envelopes,
            ContentStore contents,
            SchedulerFeed scheduler,
            Bounces bounces,
            OnLoop onLoop,
            EventLoop loop,
            Clock clock) {
        this.backend = backend;
        this.envelopes = envelopes;
        this.contents = contents;
        this.scheduler = scheduler;
        this.onLoop = onLoop;
        this.loop = loop;
        this.clock = clock;
        this.maker = bounces.maker();
    }

    // ---- from agents

    void delivered(HandOver agent, AgentToQueue.Delivered m) {
        each(
                agent,
                m.seq(),
                m.evpids(),
                (id, stored) -> {
                    Envelope report = maker.success(id, stored, m);
                    if (report == null) {
                        delete(id, () -> finish(agent, m.seq(), id, Result.OK));
                    } else {
                        fail(id, report, () -> finish(agent, m.seq(), id, Result.OK));
                    }
                });
    }

    void failed(HandOver agent, AgentToQueue.Failed m) {
        each(
                agent,
                m.seq(),
                m.evpids(),
                (id, stored) ->
                        fail(
                                id,
                                maker.failure(id, stored, m.text(), m.esc(), m.remote()),
                                () -> finish(agent, m.seq(), id, Result.FAIL)));
    }

    void looped(HandOver agent, AgentToQueue.Looped m) {
        each(
                agent,
                m.seq(),
                m.evpids(),
                (id, stored) ->
                        fail(
                                id,
                                maker.failure(id, stored, "500 5.4.6 Loop detected", "5.4.6", ""),
                                () -> finish(agent, m.seq(), id, Result.LOOP)));
    }

    void deferred(HandOver agent, AgentToQueue.Deferred m) {
        each(
                agent,
                m.seq(),
                m.evpids(),
                (id, stored) -> {
                    Envelope old = stored.envelope();
                    int retries = Math.min(Envelope.MAX_RETRY, old.retry() + 1);
                    Envelope changed =
                            old.toBuilder()
                                    .errorline(m.text())
                                    .enhancedStatus(m.esc())
                                    .remoteMta(BounceMaker.host(m.remote()))
                                    .lastTry(now())
                                    .retry(retries)
                                    .build();
                    update(
                            id,
                            changed,
                            () -> {
                                agent.answered(id);
                                scheduler.retry(id, retries, changed.lastBounce());
                                ack(agent, m.seq(), id);
                            },
                            () -> vanished(agent, m.seq(), id));
                });
    }

    @FunctionalInterface
    private interface WithEnvelope {
        void accept(Evpid id, EnvelopeStore.Stored stored);
    }

    private void each(HandOver agent, long seq, List<Evpid> ids, WithEnvelope then) {
        Acks known = acks(agent);
        known.begin(seq, Math.max(1, ids.size()));
        if (ids.isEmpty()) {
            known.stored(seq);
        }
        for (Evpid id : ids) {
            withEnvelope(id, then, () -> vanished(agent, seq, id));
        }
    }

    /** Gone meanwhile: the result is acknowledged, and the scheduler still gets its answer. */
    private void vanished(HandOver agent, long seq, Evpid id) {
        scheduler.vanished(id, agent.answered(id));
        ack(agent, seq, id);
    }

    /** Both ends of it call {@link #free}. */
    private void withEnvelope(Evpid id, WithEnvelope then, Runnable absent) {
        if (busy.containsKey(id)) {
            busy.computeIfAbsent(id, _ -> new ArrayDeque<>(1))
                    .add(() -> load(id, then, absent, true));
        } else {
            busy.put(id, null);
            load(id, then, absent, true);
        }
    }

    /** The next change may begin. */
    private void free(Evpid id) {
        ArrayDeque<Runnable> line = busy.get(id);
        if (line == null || line.isEmpty()) {
            busy.remove(id);
        } else {
            loop.execute(line.poll());
        }
    }

    private void load(Evpid id, WithEnvelope then, Runnable absent, boolean isFirst) {
        envelopes.load(
                id,
                loaded -> {
                    switch (loaded) {
                        case EnvelopeStore.Loaded.Found f -> then.accept(id, f.stored());
                        case EnvelopeStore.Loaded.Absent _ -> absent.run();
                        case EnvelopeStore.Loaded.Unreadable u -> {
                            if (isFirst) {
                                LOG.warn("problem=unreadable evpid={} cause=\"{}\"", id, u.cause());
                            }
                            again(() -> load(id, then, absent, false));
                        }
                    }
                });
    }

    private Acks acks(HandOver agent) {
        Acks known = acks.computeIfAbsent(agent.agent(), _ -> new Acks());
        known.agent = agent;
        return known;
    }

    private void ack(HandOver agent, long seq, Evpid id) {
        Acks known = acks(agent);
        known.untold.computeIfAbsent(seq, _ -> new ArrayList<>(1)).add(id);
        if (known.sinceQuery != null) {
            known.sinceQuery.add(id);
        }
        known.stored(seq);
        free(id);
    }

    /** This result is stored, and the agent was not told so far. */
    boolean isAnswered(Agent agent, Evpid id) {
        Acks known = acks.get(agent);
        return known != null && known.isAnswered(id);
    }

    /** The agent is about to be asked what it holds. */
    void reportAwaited(Agent agent) {
        Acks known = acks.computeIfAbsent(agent, _ -> new Acks());
        known.sinceQuery = new HashSet<>();
        known.untold.values().forEach(known.sinceQuery::addAll);
    }

    /** It has said what it holds, or is gone. */
    void reported(Agent agent) {
        Acks known = acks.get(agent);
        if (known != null) {
            known.sinceQuery = null;
        }
    }

    /** False while so many results wait for a storage that fails that no more may be made. */
    boolean hasRoom() {
        return busy.size() < MAX_BUSY;
    }

    private void finish(HandOver agent, long seq, Evpid id, Result result) {
        envelopes.drop(id);
        agent.answered(id);
        scheduler.done(id, result);
        if (!agent.holds(id.msgid())) {
            contents.drop(id.msgid());
        }
        ack(agent, seq, id);
    }

    /** Runs {@code then} when every result read from this agent is stored and passed on. */
    void whenStored(Agent agent, Runnable then) {
        Acks known = acks.computeIfAbsent(agent, _ -> new Acks());
        known.whenStored = then;
        if (!known.scheduled) {
            known.checkStored();
        }
    }

    // ---- storage, tried until it works

    private void again(Runnable what) {
        loop.schedule(what, RETRY_SECONDS, TimeUnit.SECONDS);
    }

    private void delete(Evpid id, Runnable then) {
        onLoop.run(
                backend.delete(List.of(id)),
                stored -> {
                    if (stored instanceof QueueBackend.Stored.Temporary t) {
                        LOG.error("problem=not-deleted evpid={} cause=\"{}\"", id, t.cause());
                        again(() -> delete(id, then));
                    } else {
                        then.run();
                    }
                });
    }

    private void update(Evpid id, Envelope changed, Runnable then, Runnable absent) {
        envelopes.update(
                id,
                changed,
                stored -> {
                    switch (stored) {
                        case QueueBackend.Stored.Ok _ -> then.run();
                        case QueueBackend.Stored.Absent _ -> absent.run();
                        case QueueBackend.Stored.Temporary t -> {
                            LOG.error("problem=not-updated evpid={} cause=\"{}\"", id, t.cause());
                            again(() -> update(id, changed, then, absent));
                        }
                    }
                });
    }

    /** No report wanted: the envelope goes. Else the report takes its place in one commit. */
    private void fail(Evpid id, Envelope report, Runnable then) {
        if (report == null) {
            delete(id, then);
        } else {
            commitReport(id, report, null, then);
        }
    }

    /**
     * The report becomes durable in one commit with what it changes.
     *
     * @param marked the envelope as it stays, null when it goes
     */
    private void commitReport(
            Evpid id, Envelope report, EnvelopeStore.Stored marked, Runnable then) {
        Evpid reportId = Evpid.of(id.msgid(), maker.drawLow());
        byte[] text = EnvelopeText.dump(report);
        List<QueueBackend.Text> texts = new ArrayList<>(2);
        if (marked != null) {
            texts.add(new QueueBackend.Text(id, marked.text()));
        }
        texts.add(new QueueBackend.Text(reportId, text));
        List<Evpid> deletes = marked == null ? List.of(id) : List.of();
        onLoop.run(
                backend.commit(new QueueBackend.Commit(id.msgid(), null, texts, deletes)),
                stored -> {
                    switch (stored) {
                        case QueueBackend.Stored.Ok _ -> {
                            maker.created();
                            envelopes.put(reportId, new EnvelopeStore.Stored(report, text));
                            if (marked != null) {
                                envelopes.put(id, marked);
                            }
                            then.run();
                            scheduler.ready(
                                    id.msgid(),
                                    Origin.BOUNCE,
                                    List.of(scheduler.plan(reportId, report)));
                        }
                        case QueueBackend.Stored.Absent _ -> {
                            LOG.warn("problem=message-gone evpid={} action=no-bounce", id);
                            envelopes.drop(id);
                            then.run();
                        }
                        case QueueBackend.Stored.Temporary t -> {
                            // A full disk must not cost the sender the report: nothing is recorded.
                            LOG.error("problem=no-bounce evpid={} cause=\"{}\"", id, t.cause());
                            again(() -> commitReport(id, report, marked, then));
                        }
                    }
                });
    }

    // ---- from the scheduler

    void expire(List<Evpid> ids) {
        for (Evpid id : ids) {
            withEnvelope(
                    id,
                    (_, stored) -> {
                        log("expire", id, stored.envelope(), "Envelope expired", -1);
                        fail(id, maker.expired(id, stored), () -> gone(id));
                    },
                    () -> gone(id));
        }
    }

    void discard(List<Evpid> ids, int uid) {
        for (Evpid id : ids) {
            withEnvelope(
                    id,
                    (_, stored) -> {
                        log("remove", id, stored.envelope(), "Removed by administrator", uid);
                        delete(id, () -> gone(id));
                    },
                    () -> gone(id));
        }
    }

    private void gone(Evpid id) {
        envelopes.drop(id);
        contents.drop(id.msgid());
        scheduler.gone(id);
        free(id);
    }

    private void log(String event, Evpid id, Envelope envelope, String stat, int uid) {
        LogLine line =
                LogLine.of("queue", event)
                        .add("evpid", id.toString())
                        .address("from", envelope.sender())
                        .address("to", envelope.dest())
                        .address("rcpt", envelope.rcpt())
                        .duration("delay", Math.max(0, now() - envelope.ctime()))
                        .add("stat", stat);
        if (uid >= 0) {
            line.add("by", uid);
        }
        line.info(LOG);
    }

    /** The late warning and its mark in the envelope are one commit. */
    void warnDelayed(SchedulerToQueue.WarnDelayed m) {
        Evpid id = m.evpid();
        withEnvelope(
                id,
                (_, stored) -> {
                    Envelope marked =
                            stored.envelope().toBuilder().lastBounce(m.threshold()).build();
                    Envelope report = maker.delayed(stored, m.delay(), m.expire());
                    if (report == null) {
                        update(id, marked, () -> free(id), () -> notThere(id));
                        return;
                    }
                    commitReport(
                            id,
                            report,
                            new EnvelopeStore.Stored(marked, EnvelopeText.dump(marked)),
                            () -> free(id));
                },
                () -> notThere(id));
    }

    private void notThere(Evpid id) {
        scheduler.vanished(id, false);
        free(id);
    }

    void suspend(SchedulerToQueue.MarkSuspended m) {
        Consumer<Evpid> one =
                id ->
                        withEnvelope(
                                id,
                                (_, stored) ->
                                        update(
                                                id,
                                                stored.envelope().toBuilder()
                                                        .hold(
                                                                m.on()
                                                                        ? new Hold(m.uid(), now())
                                                                        : null)
                                                        .build(),
                                                () -> free(id),
                                                () -> notThere(id)),
                                () -> notThere(id));
        m.evpids().forEach(one);
    }

    private long now() {
        return clock.millis() / 1000;
    }

    /** Nothing is being changed. */
    boolean isQuiet() {
        return busy.isEmpty();
    }
}
