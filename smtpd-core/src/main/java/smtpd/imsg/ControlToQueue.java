package smtpd.imsg;

import smtpd.envelope.Evpid;
import smtpd.envelope.Msgid;

/** What control asks the queue. Each ends in ControlDone. */
public sealed interface ControlToQueue extends ToQueue {

    enum What {
        ENVELOPE,
        MESSAGE
    }

    /** Text of an envelope or content of a message in MessageContent frames. */
    record ShowMessage(Evpid id, What what) implements ControlToQueue, CtlToControl {}

    /** Take in what an operator put into the spool; an id with low half 0 is a whole message. */
    record Discover(Evpid id) implements ControlToQueue, CtlToControl {}

    /** Make everything plain files. */
    record Flush() implements ControlToQueue, CtlToControl {}

    /** Bring back from {@code corrupt/}. */
    record Restore(Msgid msgid) implements ControlToQueue, CtlToControl {}

    record ShowProblems() implements ControlToQueue, CtlToControl {}

    /** An agent is paused or runs again: paused mail must lie as plain files. */
    record AgentPaused(Role agent, boolean paused) implements ControlToQueue {}
}
