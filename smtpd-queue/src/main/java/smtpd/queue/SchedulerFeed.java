package smtpd.queue;

import io.netty.channel.EventLoop;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import smtpd.conf.Action;
import smtpd.conf.Retry;
import smtpd.envelope.Envelope;
import smtpd.envelope.Evpid;
import smtpd.envelope.Msgid;
import smtpd.imsg.Agent;
import smtpd.imsg.QueueToScheduler;
import smtpd.imsg.QueueToScheduler.DoneRow;
import smtpd.imsg.QueueToScheduler.Origin;
import smtpd.imsg.QueueToScheduler.Plan;
import smtpd.imsg.QueueToScheduler.Result;
import smtpd.imsg.QueueToScheduler.RetryRow;
import smtpd.proc.Edge;

/**
 * What the scheduler is told. Rows of one turn of the loop go in one frame. While the scheduler is
 * away nothing is kept: it gets everything anew when it returns.
 */
public final class SchedulerFeed {

    private static final int LIST = 256;

    private final EventLoop loop;
    private final Edge<QueueToScheduler> edge;
    private final RetryTimes times;
    private List<DoneRow> done = new ArrayList<>();
    private List<RetryRow> retry = new ArrayList<>();
    private List<Evpid> gone = new ArrayList<>();
    private boolean scheduled;
    private long sequence;

    SchedulerFeed(EventLoop loop, Edge<QueueToScheduler> edge, Map<String, Action> actions) {
        this.loop = loop;
        this.edge = edge;
        this.times = new RetryTimes(actions);
    }

    boolean isUp() {
        return edge.isUp();
    }

    boolean isCongested() {
        return edge.isCongested();
    }

    /** A new scheduler is there. */
    void joined() {
        times.schedulerJoined();
    }

    /** What {@link #ready} says of an envelope. */
    public Plan plan(Evpid evpid, Envelope envelope) {
        Retry retry = times.of(envelope);
        Plan plan = Plans.of(evpid, envelope, retry);
        if (!retry.equals(Retry.DEFAULT)) {
            times.note(plan.routeKey(), retry);
        }
        return plan;
    }

    /** New mail, durable. */
    public void ready(Msgid msgid, Origin origin, List<Plan> plans) {
        flush();
        times.unheard(plans, route -> edge.send(0, route));
        for (int i = 0; i < plans.size(); i += LIST) {
            edge.send(
                    0,
                    new QueueToScheduler.MessageReady(
                            ++sequence,
                            msgid,
                            origin,
                            plans.subList(i, Math.min(plans.size(), i + LIST))));
        }
    }

    /** The row has its end. */
    public void done(Evpid evpid, Result result) {
        done.add(new DoneRow(evpid, result));
        later();
    }

    public void retry(Evpid evpid, int retries, long lastBounce) {
        retry.add(new RetryRow(evpid, retries, lastBounce));
        later();
    }

    /** Expired or discarded, as ordered. */
    public void gone(Evpid evpid) {
        gone.add(evpid);
        later();
    }

    public void vanished(Evpid evpid, boolean wasInFlight) {
        flush();
        edge.send(0, new QueueToScheduler.Vanished(evpid, wasInFlight));
    }

    /** Not readable now: again after a while, and it counts as no try. */
    public void localDelay(Evpid evpid, int seconds) {
        flush();
        edge.send(0, new QueueToScheduler.LocalDelay(evpid, seconds));
    }

    void dueNow(List<Evpid> evpids) {
        edge.send(0, new QueueToScheduler.DueNow(evpids));
    }

    void hold(Agent agent, int generation, long key, List<Evpid> evpids) {
        flush();
        edge.send(0, new QueueToScheduler.HoldRows(agent, generation, key, evpids));
    }

    void release(Agent agent, int generation, long key, int count) {
        flush();
        edge.send(0, new QueueToScheduler.ReleaseRows(agent, generation, key, count));
    }

    void agentLost(Agent agent) {
        flush();
        edge.send(0, new QueueToScheduler.AgentLost(agent));
    }

    /** All that is in flight with an agent. */
    void snapshot(Agent agent, List<Evpid> evpids) {
        flush();
        int from = 0;
        while (evpids.size() - from > LIST) {
            edge.sendMore(
                    0,
                    new QueueToScheduler.InFlightSnapshot(
                            agent, evpids.subList(from, from + LIST)));
            from += LIST;
        }
        edge.send(
                0,
                new QueueToScheduler.InFlightSnapshot(agent, evpids.subList(from, evpids.size())));
    }

    void progress(QueueToScheduler.LoadPhase phase, long count) {
        flush();
        edge.send(0, new QueueToScheduler.LoadProgress(phase, count));
    }

    private void later() {
        if (!scheduled) {
            scheduled = true;
            loop.execute(this::flush);
        }
    }

    /** Rows that wait go before whatever follows: one edge keeps the order. */
    private void flush() {
        scheduled = false;
        if (!done.isEmpty()) {
            List<DoneRow> rows = done;
            done = new ArrayList<>();
            for (int i = 0; i < rows.size(); i += LIST) {
                edge.send(
                        0,
                        new QueueToScheduler.Done(
                                rows.subList(i, Math.min(rows.size(), i + LIST))));
            }
        }
        if (!retry.isEmpty()) {
            List<RetryRow> rows = retry;
            retry = new ArrayList<>();
            for (int i = 0; i < rows.size(); i += LIST) {
                edge.send(
                        0,
                        new QueueToScheduler.Retry(
                                rows.subList(i, Math.min(rows.size(), i + LIST))));
            }
        }
        if (!gone.isEmpty()) {
            List<Evpid> rows = gone;
            gone = new ArrayList<>();
            for (int i = 0; i < rows.size(); i += LIST) {
                edge.send(
                        0,
                        new QueueToScheduler.Gone(
                                rows.subList(i, Math.min(rows.size(), i + LIST))));
            }
        }
    }
}
