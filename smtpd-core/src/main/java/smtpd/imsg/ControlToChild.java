package smtpd.imsg;

/** What control tells every process. */
public sealed interface ControlToChild
        extends ToSmtp, ToMfa, ToLka, ToQueue, ToScheduler, ToMta, ToMda {

    /** The full state of tracing, never a delta. Answered by TraceApplied. */
    record TraceState(long mask, long profileMask, boolean verbose) implements ControlToChild {}

    /**
     * Send what has not been sent. Answered by a StatDelta if something changed, then StatsDone.
     */
    record StatsRequest() implements ControlToChild {}

    /** Rows of the profile {@code what} (imsg, queue), answered by ShowRow, then ControlDone. */
    record ShowProfile(@Max(255) String what) implements ControlToChild, CtlToControl {}
}
