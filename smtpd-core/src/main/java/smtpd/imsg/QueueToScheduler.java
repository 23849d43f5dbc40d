package smtpd.imsg;

import java.util.List;
import smtpd.envelope.EnvelopeType;
import smtpd.envelope.Evpid;
import smtpd.envelope.Msgid;

/** What the queue tells the scheduler. */
public sealed interface QueueToScheduler extends ToScheduler {

    enum Origin {
        NEW,
        LOADED,
        BOUNCE,
        FOUND
    }

    /**
     * One envelope as the scheduler needs it.
     *
     * @param low low half of its id
     * @param ctime creation, Unix seconds
     * @param expire life from ctime, seconds
     * @param lastBounce threshold time of the last delay warning
     * @param routeKey stands for the destination: equal for envelopes that share a route
     * @param inFlight known to be with an agent already
     */
    record Plan(
            int low,
            EnvelopeType type,
            long ctime,
            long expire,
            int retry,
            long lastBounce,
            long routeKey,
            boolean suspended,
            boolean inFlight) {}

    /** Durable mail, told once. */
    record MessageReady(long seq, Msgid msgid, Origin origin, List<Plan> plans)
            implements QueueToScheduler {}

    /** Retry times of a route key whose action sets its own; seconds. */
    record RouteTimes(long routeKey, int base, int max, int jitterPercent)
            implements QueueToScheduler {}

    enum LoadPhase {
        BEGIN,
        RUNNING,
        END
    }

    record LoadProgress(LoadPhase phase, long count) implements QueueToScheduler {}

    /** Expired or discarded envelopes are gone. */
    record Gone(List<Evpid> evpids) implements QueueToScheduler {}

    /** Not in storage any more: truly absent, not unreadable. */
    record Vanished(Evpid evpid, boolean wasInFlight) implements QueueToScheduler {}

    /** All results read from the dead agent have been passed on. */
    record AgentLost(Agent agent) implements QueueToScheduler {}

    /** What an agent really holds, in parts; rows in flight in no part are freed. */
    record InFlightSnapshot(Agent agent, List<Evpid> evpids) implements QueueToScheduler {}

    enum Result {
        OK,
        FAIL,
        LOOP
    }

    record DoneRow(Evpid evpid, Result result) {}

    record Done(List<DoneRow> rows) implements QueueToScheduler {}

    record RetryRow(Evpid evpid, int retry, long lastBounce) {}

    record Retry(List<RetryRow> rows) implements QueueToScheduler {}

    /**
     * The queue could not read it now: due again after {@code delaySeconds}, retry count unchanged.
     */
    record LocalDelay(Evpid evpid, int delaySeconds) implements QueueToScheduler {}

    /** The agent is full for this key: not now, and it counts as no try. */
    record HoldRows(Agent agent, int generation, long key, List<Evpid> evpids)
            implements QueueToScheduler {}

    /**
     * Room again.
     *
     * @param count how many to release; 0 all, -1 all as if deferred
     */
    record ReleaseRows(Agent agent, int generation, long key, int count)
            implements QueueToScheduler {}

    /** A host works again: these are due now. */
    record DueNow(List<Evpid> evpids) implements QueueToScheduler {}
}
