package smtpd.queue;

import io.netty.channel.EventLoop;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.IntConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import smtpd.envelope.Envelope;
import smtpd.envelope.EnvelopeText;
import smtpd.envelope.EnvelopeType;
import smtpd.envelope.Evpid;
import smtpd.envelope.Msgid;
import smtpd.envelope.Verdict;
import smtpd.imsg.QueueToScheduler.LoadPhase;
import smtpd.imsg.QueueToScheduler.Origin;
import smtpd.imsg.QueueToScheduler.Plan;
import smtpd.queue.backend.QueueBackend;
import smtpd.queue.backend.QueueBackend.CommitState;
import smtpd.queue.backend.QueueBackend.Entry;

/**
 * Tells the scheduler what is stored: a walk in the background after a start or when the scheduler
 * is new, and single messages that an operator put into the spool. Pages of a few hundred
 * envelopes, each in a turn of its own, so that new mail goes first.
 */
final class Loader {

    private static final Logger LOG = LoggerFactory.getLogger(Loader.class);
    private static final int PAGE = 256;

    private final QueueBackend backend;
    private final EnvelopeStore envelopes;
    private final SchedulerFeed scheduler;
    private final OnLoop onLoop;
    private final EventLoop loop;
    private final Clock clock;
    private QueueBackend.Walk walk;
    private long count;
    private long lastReport;
    private int run;
    private int settling;
    private boolean done;

    Loader(
            QueueBackend backend,
            EnvelopeStore envelopes,
            SchedulerFeed scheduler,
            OnLoop onLoop,
            EventLoop loop,
            Clock clock) {
        this.backend = backend;
        this.envelopes = envelopes;
        this.scheduler = scheduler;
        this.onLoop = onLoop;
        this.loop = loop;
        this.clock = clock;
    }

    boolean isDone() {
        return done;
    }

    /** Begins anew from the first message. */
    void start() {
        cancel();
        done = false;
        count = 0;
        settling = 0;
        lastReport = clock.millis();
        walk = backend.walk();
        scheduler.progress(LoadPhase.BEGIN, 0);
        next(run);
    }

    /** The scheduler is away: it will want everything from the beginning. */
    void cancel() {
        run++;
        closeWalk();
    }

    private void closeWalk() {
        if (walk != null) {
            walk.close();
            walk = null;
        }
    }

    private void next(int ofRun) {
        if (ofRun != run || walk == null) {
            return;
        }
        if (scheduler.isCongested()) {
            loop.schedule(() -> next(ofRun), 10, TimeUnit.MILLISECONDS);
            return;
        }
        onLoop.run(
                walk.next(PAGE),
                entries -> {
                    if (ofRun != run || walk == null) {
                        return;
                    }
                    if (entries.isEmpty()) {
                        closeWalk();
                        endWhenSettled();
                        return;
                    }
                    tell(entries, Origin.LOADED);
                    long now = clock.millis();
                    if (now - lastReport > 10_000) {
                        lastReport = now;
                        scheduler.progress(LoadPhase.RUNNING, count);
                        LOG.info("event=loading count={}", count);
                    }
                    loop.execute(() -> next(ofRun));
                });
    }

    /** The end is told last: what is still being settled counts as loaded. */
    private void endWhenSettled() {
        if (done || walk != null || settling > 0) {
            return;
        }
        done = true;
        scheduler.progress(LoadPhase.END, count);
        if (count > 0) {
            LOG.info("event=loaded count={}", count);
        }
    }

    private int tell(List<Entry> entries, Origin origin) {
        int told = 0;
        List<Plan> plans = new ArrayList<>();
        Msgid current = Msgid.NONE;
        for (Entry entry : entries) {
            Msgid msgid = entry.id().msgid();
            if (!msgid.equals(current)) {
                told += send(current, origin, plans);
                plans = new ArrayList<>();
                current = msgid;
            }
            Plan plan = plan(entry);
            if (plan != null) {
                plans.add(plan);
            }
        }
        return told + send(current, origin, plans);
    }

    private int send(Msgid msgid, Origin origin, List<Plan> plans) {
        if (!plans.isEmpty()) {
            scheduler.ready(msgid, origin, plans);
            count += plans.size();
        }
        return plans.size();
    }

    /** Null for a text that is set aside, that waits, or that is done. */
    private Plan plan(Entry entry) {
        if (!(EnvelopeText.parse(entry.text()) instanceof Verdict.Usable usable)) {
            envelopes.parse(entry.id(), entry.text());
            envelopes.drop(entry.id());
            return null;
        }
        Envelope envelope = usable.envelope();
        if (envelope.type() == EnvelopeType.BOUNCE && !envelope.bounce().notice().isNone()) {
            settleNotice(entry.id(), envelope);
            return null;
        }
        return scheduler.plan(entry.id(), envelope);
    }

    /** The notice of this bounce was being committed: when it exists, the bounce is done. */
    private void settleNotice(Evpid id, Envelope bounce) {
        int ofRun = run;
        settling++;
        onLoop.run(
                backend.state(bounce.bounce().notice()),
                state -> {
                    if (state == CommitState.DURABLE) {
                        onLoop.run(backend.delete(List.of(id)), _ -> {});
                    } else if (ofRun == run) {
                        send(id.msgid(), Origin.LOADED, List.of(scheduler.plan(id, bounce)));
                    }
                    if (ofRun == run && --settling == 0) {
                        endWhenSettled();
                    }
                });
    }

    /** One message or envelope that an operator put there; what was cached of it is forgotten. */
    void discover(Evpid id, IntConsumer then) {
        onLoop.run(
                backend.discover(id.msgid()),
                entries -> {
                    List<Entry> wanted =
                            id.low() == 0
                                    ? entries
                                    : entries.stream().filter(e -> e.id().equals(id)).toList();
                    wanted.forEach(e -> envelopes.drop(e.id()));
                    int told = tell(wanted, Origin.FOUND);
                    LOG.info(
                            "0000000000000000 queue discover msgid={} action=discovered n={}",
                            id.msgid(),
                            told);
                    then.accept(told);
                });
    }
}
