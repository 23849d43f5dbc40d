package smtpd.imsg;

import java.util.List;

/** What every process tells control. */
public sealed interface ChildToControl extends ToControl {

    /**
     * One counter.
     *
     * @param stat number of {@code smtpd.stat.Stat}
     * @param value a sum's increment, or a gauge's present value
     */
    record StatValue(int stat, long value) {}

    /** What changed since the last one. */
    record StatDelta(Role process, int generation, @Max(256) List<StatValue> values)
            implements ChildToControl {}

    record StatsDone() implements ChildToControl {}

    record TraceApplied(long mask) implements ChildToControl {}

    /** One row of an answer; the client stands in the header's peer. smtpctl formats all lines. */
    record ShowRow(@Max(255) String kind, List<String> fields)
            implements ChildToControl, ControlToCtl {}

    /**
     * End of an answer, behind its rows.
     *
     * @param count rows or items concerned
     * @param last last id looked at, 0 when nothing is left
     * @param text for the operator; empty when there is nothing to say
     */
    record ControlDone(boolean ok, long count, long last, @Max(2047) String text)
            implements ChildToControl, ControlToCtl {}
}
