package smtpd.imsg;

import smtpd.envelope.Evpid;
import smtpd.envelope.Msgid;

/** What control asks the scheduler. Each ends in ControlDone with the number of rows changed. */
public sealed interface ControlToScheduler extends ToScheduler {

    /** No new batches for this agent; what is in flight goes on. */
    record PauseAgent(Role agent) implements ControlToScheduler {}

    record ResumeAgent(Role agent) implements ControlToScheduler {}

    record Suspend(Selection what, int uid) implements ControlToScheduler, CtlToControl {}

    record Unsuspend(Selection what, int uid) implements ControlToScheduler, CtlToControl {}

    record Remove(Selection what, int uid) implements ControlToScheduler, CtlToControl {}

    record Schedule(Selection what, int uid) implements ControlToScheduler, CtlToControl {}

    /** Message ids from {@code from} on, ascending; at most 1,024. */
    record ListMessages(Msgid from, int limit) implements ControlToScheduler, CtlToControl {}

    /**
     * Envelopes from {@code from} on, ascending over all; at most 256. The rows come from the
     * queue, and so does the ControlDone, whose {@code last} carries the last id looked at.
     */
    record ListEnvelopes(Evpid from, int limit) implements ControlToScheduler, CtlToControl {}

    record ShowHolds() implements ControlToScheduler, CtlToControl {}
}
