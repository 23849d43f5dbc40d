package smtpd.scheduler;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import smtpd.envelope.Evpid;
import smtpd.imsg.QueueToScheduler;
import smtpd.imsg.QueueToScheduler.AgentLost;
import smtpd.imsg.QueueToScheduler.Done;
import smtpd.imsg.QueueToScheduler.DoneRow;
import smtpd.imsg.QueueToScheduler.DueNow;
import smtpd.imsg.QueueToScheduler.Gone;
import smtpd.imsg.QueueToScheduler.HoldRows;
import smtpd.imsg.QueueToScheduler.InFlightSnapshot;
import smtpd.imsg.QueueToScheduler.LoadPhase;
import smtpd.imsg.QueueToScheduler.LoadProgress;
import smtpd.imsg.QueueToScheduler.LocalDelay;
import smtpd.imsg.QueueToScheduler.MessageReady;
import smtpd.imsg.QueueToScheduler.Origin;
import smtpd.imsg.QueueToScheduler.Plan;
import smtpd.imsg.QueueToScheduler.ReleaseRows;
import smtpd.imsg.QueueToScheduler.Result;
import smtpd.imsg.QueueToScheduler.Retry;
import smtpd.imsg.QueueToScheduler.RetryRow;
import smtpd.imsg.QueueToScheduler.RouteTimes;
import smtpd.imsg.QueueToScheduler.Vanished;
import smtpd.imsg.SchedulerToQueue.WarnDelayed;
import smtpd.stat.Stat;
import smtpd.stat.Stats;

/**
 * What the queue tells, applied to the schedule. New mail overtakes mail that is loaded again after
 * a restart: that stands in line and is taken in by pieces. A result for an envelope that is still
 * in that line goes to its end, so for each envelope the order of the queue is kept.
 */
final class Intake {

    private static final Logger LOG = LoggerFactory.getLogger(Intake.class);

    /**
     * Rows that may stand in line; beyond that they are taken in at once, which slows the queue.
     */
    private static final int MAX_WAITING = 1 << 17;

    private static final long LOAD_LOG_SECONDS = 10;

    /** How the outside of the schedule hears of what happens in it. */
    interface Listener {
        /** A row was inserted. */
        void inserted(int row);

        void warn(WarnDelayed warning);
    }

    private record Waiting(QueueToScheduler message, boolean more) {}

    private final Schedule schedule;
    private final Reconciliation reconciliation;
    private final Stats stats;
    private final Tracer trace;
    private final LongSupplier clock;
    private final Listener listener;
    private final ArrayDeque<Waiting> line = new ArrayDeque<>();
    private final ArrayDeque<Release> releases = new ArrayDeque<>();
    private final Set<String> repairs = new HashSet<>();
    private long rowsInLine;
    private long highestSeq;
    private boolean isLoading;
    private long loaded;
    private long loadLogged;
    private long lastResult;

    /**
     * @param clock Unix seconds
     */
    Intake(
            Schedule schedule,
            Reconciliation reconciliation,
            Stats stats,
            Tracer trace,
            LongSupplier clock,
            Listener listener) {
        this.schedule = schedule;
        this.reconciliation = reconciliation;
        this.stats = stats;
        this.trace = trace;
        this.clock = clock;
        this.listener = listener;
    }

    /** A message of the queue. */
    void take(QueueToScheduler message, boolean more) {
        long now = clock.getAsLong();
        if (mustWait(message)) {
            if (message instanceof AgentLost m) {
                reconciliation.close(m.agent());
            } else if (message instanceof InFlightSnapshot m) {
                reconciliation.close(m.agent());
            }
            line.add(new Waiting(message, more));
            while (rowsInLine > MAX_WAITING) {
                applyFirst(now);
            }
        } else {
            apply(message, more, now);
        }
    }

    private boolean mustWait(QueueToScheduler message) {
        if (message instanceof MessageReady m && m.origin() == Origin.LOADED) {
            rowsInLine += m.plans().size();
            return true;
        }
        return !line.isEmpty()
                && (message instanceof AgentLost
                        || message instanceof InFlightSnapshot
                        || message instanceof LoadProgress
                        || message instanceof ReleaseRows);
    }

    /** Takes in a piece of what stands in line; true when more is left. */
    boolean step(int rows, long now) {
        long until = rowsInLine - rows;
        int others = rows;
        while (!line.isEmpty() && rowsInLine > until && others-- > 0) {
            applyFirst(now);
        }
        int room = Job.PIECE;
        while (room > 0 && !releases.isEmpty()) {
            room -= releases.peek().step(room, now);
            if (releases.peek().isDone()) {
                releases.poll();
            }
        }
        return !line.isEmpty() || !releases.isEmpty();
    }

    private void applyFirst(long now) {
        Waiting first = line.poll();
        switch (first.message) {
            case AgentLost m -> reconciliation.unclose(m.agent());
            case InFlightSnapshot m -> reconciliation.unclose(m.agent());
            case MessageReady m -> rowsInLine -= m.plans().size();
            default -> {
                // only those three count something
            }
        }
        apply(first.message, first.more, now);
    }

    private void apply(QueueToScheduler message, boolean more, long now) {
        switch (message) {
            case MessageReady m -> ready(m, more, now);
            case RouteTimes m ->
                    schedule.routes().times(m.routeKey(), m.base(), m.max(), m.jitterPercent());
            case LoadProgress m -> progress(m, now);
            case Done m -> done(m, now);
            case Retry m -> retry(m, now);
            case LocalDelay m -> delay(m, now);
            case Gone m -> gone(m, now);
            case Vanished m -> vanished(m, now);
            case HoldRows m -> hold(m, now);
            case ReleaseRows m -> release(m, now);
            case DueNow m -> dueNow(m, now);
            case AgentLost m -> reconciliation.agentLost(m.agent());
            case InFlightSnapshot m -> reconciliation.snapshot(m.agent(), m.evpids(), more, now);
        }
    }

    // ---- mail

    private void ready(MessageReady m, boolean more, long now) {
        boolean isLoaded = m.origin() == Origin.LOADED;
        List<Plan> plans = m.plans();
        for (int i = 0; i < plans.size(); i++) {
            int row = schedule.insert(m.msgid().value(), plans.get(i), isLoaded, now);
            if (row < 0) {
                stats.increment(Stat.SCHEDULER_DUPLICATE);
                continue;
            }
            reconciliation.inserted(row, now);
            listener.inserted(row);
            trace.insert(schedule, row, m.origin().name(), now);
        }
        if (isLoaded) {
            loaded += plans.size();
            stats.add(Stat.SCHEDULER_LOADED, plans.size());
            if (now - loadLogged >= LOAD_LOG_SECONDS) {
                loadLogged = now;
                LOG.info("event=loading envelopes={}", loaded);
            }
        }
        if (!more) {
            highestSeq = Math.max(highestSeq, m.seq());
        }
    }

    private void progress(LoadProgress m, long now) {
        isLoading = m.phase() != LoadPhase.END;
        if (m.phase() == LoadPhase.BEGIN) {
            loaded = 0;
            loadLogged = now;
            LOG.info("event=load-begin");
        } else if (m.phase() == LoadPhase.END) {
            reconciliation.loaded();
            LOG.info("event=load-end envelopes={}", loaded);
        }
    }

    // ---- results

    /** The row if it is with an agent, else -1: such a result is dropped and counted. */
    private int withAgent(String kind, long evpid, long now) {
        int row = schedule.table().find(evpid);
        if (row >= 0 && schedule.isWithAgent(row)) {
            lastResult = now;
            return row;
        }
        repair(kind, row < 0 ? "unknown" : "not-in-flight", evpid);
        return -1;
    }

    private void repair(String kind, String cause, long evpid) {
        stats.increment(Stat.SCHEDULER_REPAIR);
        if (repairs.add(kind + cause)) {
            LOG.info("event=repair kind={} cause={} evpid={}", kind, cause, Tracer.hex(evpid));
        }
    }

    /** A result for an envelope that may still be in the line has to wait for it. */
    private boolean isInLine(long evpid) {
        return rowsInLine > 0 && schedule.table().find(evpid) < 0;
    }

    private void done(Done m, long now) {
        List<DoneRow> late = null;
        List<DoneRow> rows = m.rows();
        for (int i = 0; i < rows.size(); i++) {
            DoneRow r = rows.get(i);
            long evpid = r.evpid().value();
            if (isInLine(evpid)) {
                late = keep(late, r);
                continue;
            }
            int row = withAgent("done", evpid, now);
            if (row >= 0) {
                schedule.forget(row, now);
                stats.increment(stat(r.result()));
                trace.done(evpid, r.result());
            } else {
                reconciliation.gone(evpid);
            }
        }
        if (late != null) {
            line.add(new Waiting(new Done(late), false));
        }
    }

    private static Stat stat(Result result) {
        return switch (result) {
            case OK -> Stat.SCHEDULER_DELIVERY_OK;
            case FAIL -> Stat.SCHEDULER_DELIVERY_PERMFAIL;
            case LOOP -> Stat.SCHEDULER_DELIVERY_LOOP;
        };
    }

    private void retry(Retry m, long now) {
        List<RetryRow> late = null;
        List<RetryRow> rows = m.rows();
        for (int i = 0; i < rows.size(); i++) {
            RetryRow r = rows.get(i);
            if (isInLine(r.evpid().value())) {
                late = keep(late, r);
                continue;
            }
            int row = withAgent("retry", r.evpid().value(), now);
            if (row >= 0) {
                schedule.retry(row, r.retry(), now);
                stats.increment(Stat.SCHEDULER_DELIVERY_TEMPFAIL);
                trace.retry(schedule.table(), row, now);
                warn(row, r);
            }
        }
        if (late != null) {
            line.add(new Waiting(new Retry(late), false));
        }
    }

    private void warn(int row, RetryRow r) {
        long delay = schedule.warning(row, r.lastBounce());
        if (delay >= 0) {
            EnvelopeTable table = schedule.table();
            long ctime = table.ctime(row);
            stats.increment(Stat.SCHEDULER_WARNED);
            trace.warn(r.evpid().value(), ctime + delay);
            listener.warn(
                    new WarnDelayed(r.evpid(), ctime + delay, delay, table.expire(row) - ctime));
        }
    }

    private void delay(LocalDelay m, long now) {
        if (isInLine(m.evpid().value())) {
            line.add(new Waiting(m, false));
            return;
        }
        // An Expire or Discard that could not be done now returns too, and is asked for again.
        int row = schedule.table().find(m.evpid().value());
        if (row >= 0 && schedule.isInFlight(row)) {
            schedule.comeBack(row, now + Math.max(1, m.delaySeconds()), now);
        } else {
            repair("delay", row < 0 ? "unknown" : "not-in-flight", m.evpid().value());
        }
    }

    private void gone(Gone m, long now) {
        List<Evpid> late = null;
        List<Evpid> evpids = m.evpids();
        for (int i = 0; i < evpids.size(); i++) {
            Evpid evpid = evpids.get(i);
            if (isInLine(evpid.value())) {
                late = keep(late, evpid);
                continue;
            }
            int row = schedule.table().find(evpid.value());
            if (row < 0) {
                repair("gone", "unknown", evpid.value());
                continue;
            }
            if (schedule.isEnding(row)) {
                boolean isRemoved = schedule.table().has(row, EnvelopeTable.REMOVED);
                stats.increment(
                        isRemoved
                                ? Stat.SCHEDULER_ENVELOPE_REMOVED
                                : Stat.SCHEDULER_ENVELOPE_EXPIRED);
                lastResult = now;
            } else {
                repair("gone", "not-in-flight", evpid.value());
            }
            schedule.forget(row, now);
            trace.done(evpid.value(), "gone");
        }
        if (late != null) {
            line.add(new Waiting(new Gone(late), false));
        }
    }

    private void vanished(Vanished m, long now) {
        long evpid = m.evpid().value();
        if (isInLine(evpid)) {
            line.add(new Waiting(m, false));
            return;
        }
        reconciliation.gone(evpid);
        int row = schedule.table().find(evpid);
        if (row >= 0) {
            lastResult = now;
            schedule.forget(row, now);
            trace.done(evpid, "vanished");
        }
    }

    private static <T> List<T> keep(List<T> late, T one) {
        List<T> list = late == null ? new ArrayList<>() : late;
        list.add(one);
        return list;
    }

    // ---- holds

    private void hold(HoldRows m, long now) {
        Holds.Key key = new Holds.Key(m.agent().ordinal(), m.generation(), m.key());
        List<Evpid> late = null;
        List<Evpid> evpids = m.evpids();
        for (int i = 0; i < evpids.size(); i++) {
            Evpid evpid = evpids.get(i);
            if (isInLine(evpid.value())) {
                late = keep(late, evpid);
                continue;
            }
            int row = withAgent("hold", evpid.value(), now);
            if (row >= 0) {
                schedule.hold(row, key, now);
                trace.hold(evpid.value(), m.key());
            }
        }
        if (late != null) {
            line.add(new Waiting(new HoldRows(m.agent(), m.generation(), m.key(), late), false));
        }
    }

    private void release(ReleaseRows m, long now) {
        Holds.Hold hold =
                schedule.holds().find(new Holds.Key(m.agent().ordinal(), m.generation(), m.key()));
        if (hold == null) {
            stats.increment(Stat.SCHEDULER_RELEASE_UNKNOWN);
            return;
        }
        int asked = m.count() <= 0 ? hold.rows.size() : m.count();
        trace.release(m.key(), m.count(), Math.min(asked, hold.rows.size()));
        Release release = new Release(hold, asked, m.count() < 0);
        release.step(Job.PIECE, now);
        if (!release.isDone()) {
            releases.add(release);
        }
    }

    /** The release of more rows than fit a turn. */
    private final class Release {
        private final Holds.Hold hold;
        private final boolean asDeferred;
        private int left;

        Release(Holds.Hold hold, int count, boolean asDeferred) {
            this.hold = hold;
            this.left = count;
            this.asDeferred = asDeferred;
        }

        int step(int room, long now) {
            int released = schedule.release(hold, Math.min(left, room), asDeferred, now);
            left -= released;
            stats.add(Stat.SCHEDULER_RELEASE, released);
            if (asDeferred) {
                stats.add(Stat.SCHEDULER_ENVELOPE_UPDATED, released);
            }
            return Math.max(1, released);
        }

        boolean isDone() {
            return left <= 0 || hold.rows.isEmpty();
        }
    }

    private void dueNow(DueNow m, long now) {
        List<Evpid> evpids = m.evpids();
        for (int i = 0; i < evpids.size(); i++) {
            int row = schedule.table().find(evpids.get(i).value());
            // A host that works again is no order of the operator: suspended mail stays so.
            if (row >= 0 && !schedule.table().has(row, EnvelopeTable.SUSPENDED)) {
                schedule.scheduleNow(row, now);
            }
        }
    }

    // ---- what is known

    /** The queue is gone: its next incarnation loads anew. */
    void queueLost() {
        isLoading = false;
    }

    /** Highest journal sequence whose mail is here. */
    long highestSeq() {
        return highestSeq;
    }

    boolean isLoading() {
        return isLoading || rowsInLine > 0;
    }

    /** Envelopes loaded so far. */
    long loaded() {
        return loaded;
    }

    /** When the last result came, Unix seconds. */
    long lastResult() {
        return lastResult;
    }
}
