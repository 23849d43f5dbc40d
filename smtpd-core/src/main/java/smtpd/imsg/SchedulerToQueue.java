package smtpd.imsg;

import java.util.List;
import smtpd.envelope.Evpid;

/** What the scheduler tells the queue. */
public sealed interface SchedulerToQueue extends ToQueue {

    /** Highest sequence of MessageReady seen; once a second. */
    record ReadySeen(long seq) implements SchedulerToQueue {}

    /** Due: hand these to the agent, grouped by message. Each ends in exactly one answer. */
    record Dispatch(Agent agent, List<Evpid> evpids) implements SchedulerToQueue {}

    /** Life is over: notice, delete, Gone. */
    record Expire(List<Evpid> evpids) implements SchedulerToQueue {}

    /** Removed by the administrator: delete without notice, Gone. */
    record Discard(List<Evpid> evpids, int uid) implements SchedulerToQueue {}

    /**
     * Tell the sender that it takes longer; times in seconds.
     *
     * @param threshold the delay that was passed
     * @param delay seconds since ctime
     * @param expire life of the envelope
     */
    record WarnDelayed(Evpid evpid, long threshold, long delay, long expire)
            implements SchedulerToQueue {}

    /** The flag is stored in the envelope. */
    record MarkSuspended(List<Evpid> evpids, boolean on, int uid) implements SchedulerToQueue {}

    /** One row of a listing, without the text that only the queue has. */
    record DescribeRow(Evpid evpid, int state, long time, int retry, long holdKey) {}

    /**
     * Part of a listing for the control client in the header's peer; the queue sends EnvelopeLine
     * and ControlDone to control.
     *
     * @param last last id looked at, 0 when nothing is left
     */
    record DescribeEnvelopes(List<DescribeRow> rows, long last) implements SchedulerToQueue {}
}
