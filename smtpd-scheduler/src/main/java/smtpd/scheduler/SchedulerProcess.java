package smtpd.scheduler;

import io.netty.util.concurrent.ScheduledFuture;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import smtpd.conf.Config;
import smtpd.envelope.EnvelopeType;
import smtpd.envelope.Evpid;
import smtpd.imsg.Agent;
import smtpd.imsg.ChildToControl;
import smtpd.imsg.ControlToChild;
import smtpd.imsg.ControlToScheduler;
import smtpd.imsg.ParentToChild;
import smtpd.imsg.QueueToScheduler;
import smtpd.imsg.Role;
import smtpd.imsg.SchedulerToControl;
import smtpd.imsg.SchedulerToQueue;
import smtpd.imsg.SchedulerToQueue.Discard;
import smtpd.imsg.SchedulerToQueue.Dispatch;
import smtpd.imsg.SchedulerToQueue.Expire;
import smtpd.imsg.SchedulerToQueue.ReadySeen;
import smtpd.imsg.SchedulerToQueue.WarnDelayed;
import smtpd.imsg.ToScheduler;
import smtpd.proc.ChildContext;
import smtpd.proc.ChildMain;
import smtpd.proc.ChildProcess;
import smtpd.proc.Edge;
import smtpd.proc.Frame;
import smtpd.stat.Stat;

/**
 * When each envelope is tried, and in which batch. Messages change the schedule and are done at
 * once; what follows from them happens in turns, each small and posted behind whatever waits, so
 * that no flood makes the process deaf.
 */
public final class SchedulerProcess extends ChildProcess<ToScheduler> {

    private static final Logger LOG = LoggerFactory.getLogger(SchedulerProcess.class);

    private static final int LOADED_A_TURN = 1024;
    private static final int ROWS_A_FRAME = 256;

    /** Keys are wall time and the timer is not: never sleep long without looking at the clock. */
    private static final long MAX_SLEEP_MILLIS = 60_000;

    /** The edge to the queue was full: look again. */
    private static final long CONGESTED_MILLIS = 20;

    private static final long CLOCK_JUMP_SECONDS = 120;
    private static final long STUCK_SECONDS = 600;

    private final LongSupplier clock;
    private final long snapshotTimeoutMillis;
    private final Edge<SchedulerToQueue> queue = edge(Role.QUEUE, SchedulerToQueue.class);
    private final Edge<ChildToControl> control = edge(Role.CONTROL, ChildToControl.class);
    private final Edge<SchedulerToControl> pages = edge(Role.CONTROL, SchedulerToControl.class);
    private final Tracer trace = new Tracer();
    private final Schedule schedule;
    private final Batches batches;
    private final Reconciliation reconciliation;
    private final Intake intake;
    private final Operators operators;

    private boolean isMtaPaused;
    private boolean isMdaPaused;
    private boolean isPosted;
    private boolean isSeqTimerSet;
    private long seqTold;
    private ScheduledFuture<?> timer;
    private long timerMillis;
    private int queueIncarnation;
    private long lastTurn;
    private long nextLook;
    private long fullSince = -1;
    private long longestTurn;

    /** Entry point of the process; the arguments come from the parent. */
    public static void main(String[] arguments) {
        ChildMain.run(arguments, SchedulerProcess::new);
    }

    /** As the daemon runs it. */
    public SchedulerProcess(ChildContext context) {
        this(context, System::currentTimeMillis, Backoff.MTA, Backoff.LOCAL, 12_000);
    }

    /**
     * @param clock Unix milliseconds
     * @param mta spacing of tries at other hosts
     * @param local spacing of local tries and notices
     * @param snapshotTimeoutMillis how long to wait for the queue to tell what the agents hold
     */
    SchedulerProcess(
            ChildContext context,
            LongSupplier clock,
            Backoff mta,
            Backoff local,
            long snapshotTimeoutMillis) {
        super(Role.SCHEDULER, ToScheduler.class, context);
        this.clock = clock;
        this.snapshotTimeoutMillis = snapshotTimeoutMillis;
        this.schedule = new Schedule(Tuning.DEFAULT, mta, local);
        this.batches = new Batches(schedule);
        this.reconciliation = new Reconciliation(schedule, stats());
        this.intake =
                new Intake(schedule, reconciliation, stats(), trace, this::now, new FromIntake());
        this.operators = new Operators(schedule, intake, queue, control, pages);
        this.lastTurn = now();
    }

    private long now() {
        return clock.getAsLong() / 1000;
    }

    private final class FromIntake implements Intake.Listener {
        @Override
        public void inserted(int row) {
            operators.inserted(row);
        }

        @Override
        public void warn(WarnDelayed warning) {
            queue.send(0, warning);
        }
    }

    // ---- configuration, run state

    @Override
    protected void configure(Config config) {}

    @Override
    protected void activate(Config config, Runnable ready) {
        schedule.tuning(Tuning.of(config));
        ready.run();
        post();
    }

    @Override
    protected void runState(ParentToChild.RunState state) {
        isMtaPaused = state.mtaPaused();
        isMdaPaused = state.mdaPaused();
        post();
    }

    // ---- messages

    @Override
    protected void dispatch(Frame frame, ToScheduler message) {
        switch (message) {
            case QueueToScheduler m -> {
                intake.take(m, frame.more());
                tellSeqSoon();
            }
            case ControlToScheduler.PauseAgent m -> pause(frame, m.agent(), true);
            case ControlToScheduler.ResumeAgent m -> pause(frame, m.agent(), false);
            case ControlToScheduler.Suspend m -> operators.suspend(frame, m);
            case ControlToScheduler.Unsuspend m -> operators.resume(frame, m);
            case ControlToScheduler.Remove m -> operators.remove(frame, m);
            case ControlToScheduler.Schedule m -> operators.schedule(frame, m);
            case ControlToScheduler.ListMessages m -> operators.list(frame, m);
            case ControlToScheduler.ListEnvelopes m -> operators.list(frame, m);
            case ControlToScheduler.ShowHolds _ -> operators.showHolds(frame);
            case ParentToChild _, ControlToChild _ ->
                    throw new IllegalStateException("house-keeping is not dispatched");
        }
        post();
    }

    private void pause(Frame frame, Role agent, boolean pause) {
        switch (agent) {
            case MTA -> isMtaPaused = pause;
            case MDA -> isMdaPaused = pause;
            default -> {
                operators.refuseUnknownAgent(frame);
                return;
            }
        }
        LOG.info("event={} agent={}", pause ? "pause" : "resume", agent.title());
        operators.acknowledge(frame);
    }

    /** So that a restarted queue need not tell again what is known here. */
    private void tellSeqSoon() {
        if (!isSeqTimerSet && intake.highestSeq() > seqTold) {
            isSeqTimerSet = true;
            loop().schedule(this::tellSeq, 1, TimeUnit.SECONDS);
        }
    }

    private void tellSeq() {
        isSeqTimerSet = false;
        long seq = intake.highestSeq();
        if (seq > seqTold && queue.send(0, new ReadySeen(seq))) {
            seqTold = seq;
        }
    }

    // ---- death and return

    @Override
    protected void lost(Role peer) {
        switch (peer) {
            case QUEUE -> {
                reconciliation.queueLost();
                intake.queueLost();
            }
            case CONTROL -> operators.controlLost();
            default -> {
                // there is no other edge
            }
        }
    }

    @Override
    protected void joined(Role peer) {
        if (peer == Role.QUEUE) {
            int incarnation = ++queueIncarnation;
            seqTold = intake.highestSeq();
            queue.send(0, new ReadySeen(seqTold));
            loop().schedule(
                            () -> assumeSnapshots(incarnation),
                            snapshotTimeoutMillis,
                            TimeUnit.MILLISECONDS);
        }
        post();
    }

    /** The queue waits 10 s for an agent's report and then tells; this is the net below that. */
    private void assumeSnapshots(int incarnation) {
        if (incarnation != queueIncarnation || !queue.isUp()) {
            return;
        }
        for (Agent agent : Agent.values()) {
            if (reconciliation.isUnknown(agent)) {
                LOG.warn("event=no-snapshot agent={}", agent);
                intake.take(new QueueToScheduler.InFlightSnapshot(agent, List.of()), false);
            }
        }
        post();
    }

    @Override
    protected void stop(long deadlineMillis) {
        // Memory is all there is here, and the queue can tell it again.
        if (timer != null) {
            timer.cancel(false);
        }
        finished();
    }

    // ---- turns

    /**
     * A turn soon, behind what waits. A timer of 0, because the loop runs all its tasks, those that
     * tasks add included, before it reads its sockets again.
     */
    private void post() {
        if (!isPosted && !isStopping()) {
            isPosted = true;
            loop().schedule(this::turn, 0, TimeUnit.NANOSECONDS);
        }
    }

    private void turn() {
        isPosted = false;
        if (isStopping()) {
            return;
        }
        try {
            runTurn();
        } catch (RuntimeException | Error e) {
            crash("turn of the scheduler", e);
        }
    }

    private void runTurn() {
        long began = System.nanoTime();
        long millis = clock.getAsLong();
        long now = millis / 1000;
        watchClock(now);
        boolean more = intake.step(LOADED_A_TURN, now);
        more |= reconciliation.step(now);
        more |= operators.step(now);
        int maxDue = schedule.tuning().maxDue();
        int due = schedule.due(now, maxDue);
        trace.due(due);
        if (due == maxDue) {
            stats().increment(Stat.SCHEDULER_DUE_CAPPED);
        }
        boolean isCongested = queue.isCongested();
        int allowed = isCongested ? 0 : allowedKinds();
        if (allowed != 0) {
            batches.pick(allowed, now);
            sendBatches();
        }
        more |= schedule.settle();
        long next = schedule.nextMoment();
        if (more || (next >= 0 && next <= now) || batches.openKinds(allowed) != 0) {
            post();
        } else {
            sleep(next, millis, isCongested);
        }
        if (now >= nextLook) {
            nextLook = now + MAX_SLEEP_MILLIS / 1000;
            remind(now);
        }
        watchLimit(now);
        publish(now, (System.nanoTime() - began) / 1000);
    }

    private void watchClock(long now) {
        if (now < lastTurn || now > lastTurn + CLOCK_JUMP_SECONDS) {
            LOG.info("event=clock-jump seconds={}", now - lastTurn);
        }
        lastTurn = now;
    }

    private int allowedKinds() {
        if (!queue.isUp()) {
            return 0;
        }
        int allowed = 0;
        if (reconciliation.isOpen(Agent.BOUNCE)) {
            allowed |= Kind.BOUNCE.bit() | Kind.EXPIRED.bit() | Kind.REMOVED.bit();
        }
        if (!isMdaPaused && reconciliation.isOpen(Agent.MDA)) {
            allowed |= Kind.MDA.bit();
        }
        if (!isMtaPaused && reconciliation.isOpen(Agent.MTA)) {
            allowed |= Kind.MTA.bit();
        }
        return allowed;
    }

    private void sendBatches() {
        for (Kind kind : KINDS) {
            Batches.Batch batch = batches.batch(kind);
            for (int from = 0; from < batch.size(); from += ROWS_A_FRAME) {
                int to = Math.min(from + ROWS_A_FRAME, batch.size());
                List<Evpid> evpids = new ArrayList<>(to - from);
                for (int i = from; i < to; i++) {
                    evpids.add(new Evpid(batch.evpid(i)));
                }
                queue.send(0, frame(kind, evpids, batch.uid()));
                stats().add(Stat.SCHEDULER_TURN_ROWS, evpids.size());
                trace.batch(kind, evpids.size(), schedule.inFlight());
            }
        }
    }

    private static final Kind[] KINDS = Kind.values();

    private static SchedulerToQueue frame(Kind kind, List<Evpid> evpids, int uid) {
        return switch (kind) {
            case REMOVED -> new Discard(evpids, uid);
            case EXPIRED -> new Expire(evpids);
            case BOUNCE -> new Dispatch(Agent.BOUNCE, evpids);
            case MDA -> new Dispatch(Agent.MDA, evpids);
            case MTA -> new Dispatch(Agent.MTA, evpids);
        };
    }

    /** Nothing to do before {@code next}; one timer, set anew only when it would ring too late. */
    private void sleep(long next, long millis, boolean isCongested) {
        long wait = MAX_SLEEP_MILLIS;
        if (isCongested) {
            wait = CONGESTED_MILLIS;
        } else if (next < 0) {
            trace.sleep(-1);
            if (schedule.inFlight() == 0) {
                return; // an empty queue needs no clock
            }
        } else {
            wait = Math.clamp(next * 1000 - millis, 1, MAX_SLEEP_MILLIS);
            trace.sleep(wait / 1000);
        }
        long at = millis + wait;
        if (timer != null && !timer.isDone() && timerMillis <= at && timerMillis > millis) {
            return;
        }
        if (timer != null) {
            timer.cancel(false);
        }
        timerMillis = at;
        timer = loop().schedule(this::post, wait, TimeUnit.MILLISECONDS);
    }

    // ---- watch

    /** A lost release must show: one line for each hour that a queue holds back. */
    private void remind(long now) {
        for (int i = 0; i < 16; i++) {
            Holds.Hold hold = schedule.holds().reminder(now);
            if (hold == null) {
                return;
            }
            LOG.info(
                    "event=held holdq={} agent={} envelopes={} seconds={}",
                    Tracer.hex(hold.key.key()),
                    hold.key.agent() == Holds.OWN ? "scheduler" : Agent.values()[hold.key.agent()],
                    hold.rows.size(),
                    now - schedule.table().next(hold.rows.first()));
        }
    }

    /** In flight at the limit and no result for ten minutes: something leaks or hangs. */
    private void watchLimit(long now) {
        if (schedule.inFlight() < schedule.tuning().maxInFlight()) {
            fullSince = -1;
            return;
        }
        if (fullSince < 0) {
            fullSince = now;
            stats().increment(Stat.SCHEDULER_LIMIT_HIT);
        }
        if (fullSince != Long.MAX_VALUE
                && now - Math.max(fullSince, intake.lastResult()) >= STUCK_SECONDS) {
            fullSince = Long.MAX_VALUE;
            LOG.warn(
                    "event=stuck-in-flight mta={} mda={} bounce={} ack={} oldest={}",
                    inFlight(EnvelopeType.MTA),
                    inFlight(EnvelopeType.MDA),
                    inFlight(EnvelopeType.BOUNCE),
                    schedule.flight(Schedule.ENDINGS).size(),
                    oldest());
        }
    }

    private String oldest() {
        EnvelopeTable table = schedule.table();
        int oldest = -1;
        for (int list = 0; list <= Schedule.ENDINGS; list++) {
            int row = schedule.flight(list).first();
            if (row >= 0 && (oldest < 0 || table.since(row) < table.since(oldest))) {
                oldest = row;
            }
        }
        return oldest < 0 ? "" : Tracer.hex(table.evpid(oldest));
    }

    private int inFlight(EnvelopeType type) {
        return schedule.flight(type.ordinal()).size();
    }

    private void publish(long now, long micros) {
        stats().increment(Stat.SCHEDULER_TURN_COUNT);
        longestTurn = Math.max(longestTurn, micros);
        stats().set(Stat.SCHEDULER_TURN_MAX, longestTurn);
        stats().set(Stat.SCHEDULER_ENVELOPE, schedule.table().size());
        stats().set(Stat.SCHEDULER_ENVELOPE_INFLIGHT, schedule.inFlight());
        stats().set(Stat.SCHEDULER_RAMQUEUE_ENVELOPE, schedule.table().size());
        stats().set(Stat.SCHEDULER_RAMQUEUE_MESSAGE, schedule.table().messages());
        stats().set(Stat.SCHEDULER_RAMQUEUE_HOLD, schedule.holds().rows());
        stats().set(Stat.SCHEDULER_RAMQUEUE_HOLDQ, schedule.holds().queues());
        stats().set(Stat.SCHEDULER_RAMQUEUE_HOLD_OVERFLOW, schedule.holdOverflows());
        stats().set(Stat.SCHEDULER_INFLIGHT_MTA, inFlight(EnvelopeType.MTA));
        stats().set(Stat.SCHEDULER_INFLIGHT_MDA, inFlight(EnvelopeType.MDA));
        stats().set(Stat.SCHEDULER_INFLIGHT_BOUNCE, inFlight(EnvelopeType.BOUNCE));
        stats().set(Stat.SCHEDULER_INFLIGHT_ACK, schedule.flight(Schedule.ENDINGS).size());
        stats().set(Stat.SCHEDULER_READY_MTA, schedule.ready(Kind.MTA).size());
        stats().set(Stat.SCHEDULER_READY_MDA, schedule.ready(Kind.MDA).size());
        stats().set(Stat.SCHEDULER_READY_BOUNCE, schedule.ready(Kind.BOUNCE).size());
        stats().set(Stat.SCHEDULER_READY_EXPIRED, schedule.ready(Kind.EXPIRED).size());
        stats().set(Stat.SCHEDULER_READY_REMOVED, schedule.ready(Kind.REMOVED).size());
        stats().set(Stat.SCHEDULER_PENDING, schedule.heap().size());
        stats().set(Stat.SCHEDULER_SUSPENDED, schedule.suspended());
        stats().set(Stat.SCHEDULER_ROUTES, schedule.routes().size());
        stats().set(Stat.SCHEDULER_SPREAD, schedule.spread());
        stats().set(Stat.SCHEDULER_MEMORY, schedule.bytes());
        stats().set(Stat.SCHEDULER_LAG, lag(now));
    }

    private long lag(long now) {
        long lag = 0;
        for (Kind kind : KINDS) {
            int row = schedule.ready(kind).first();
            if (row >= 0) {
                lag = Math.max(lag, now - schedule.table().since(row));
            }
        }
        return lag;
    }

    /** For tests, on the loop. */
    smtpd.stat.Stats statistics() {
        return stats();
    }

    /** For tests, on the loop. */
    Schedule schedule() {
        return schedule;
    }
}
