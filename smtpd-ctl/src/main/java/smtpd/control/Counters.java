package smtpd.control;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import smtpd.imsg.ChildToControl.StatValue;
import smtpd.imsg.Role;
import smtpd.log.Trace;
import smtpd.stat.Stat;

/**
 * The counters of the whole daemon. Each process tells absolute values of its incarnation: sums of
 * dead incarnations count on, their gauges are void.
 */
final class Counters {

    private static final Stat[] ALL = Stat.values();

    private final Map<Role, Incarnation> living = new EnumMap<>(Role.class);
    private final long[] ended = new long[ALL.length];

    private static final class Incarnation {
        final int generation;
        final long[] values = new long[ALL.length];

        Incarnation(int generation) {
            this.generation = generation;
        }
    }

    /**
     * What a process told.
     *
     * @param role the process whose edge it came on: the frame's own word is not trusted
     */
    void take(Role role, int generation, List<StatValue> values) {
        Incarnation known = living.get(role);
        if (known == null || known.generation != generation) {
            end(role);
            known = new Incarnation(generation);
            living.put(role, known);
        }
        for (StatValue value : values) {
            if (value.stat() >= 0 && value.stat() < ALL.length) {
                set(known, ALL[value.stat()], value.value());
            }
        }
    }

    private void set(Incarnation of, Stat stat, long value) {
        long before = of.values[stat.ordinal()];
        of.values[stat.ordinal()] = value;
        if (before != value && Trace.STAT.isOn()) {
            long now = value(stat);
            changed(stat, now - value + before, now);
        }
    }

    /** Shows a change to {@code trace stat}. */
    static void changed(Stat stat, long before, long now) {
        if (Trace.STAT.isOn() && before != now) {
            Trace.STAT.line(0, "", stat.key() + ": " + before + " -> " + now);
        }
    }

    /** The process is gone: its gauges with it, its sums stay. */
    void end(Role role) {
        Incarnation gone = living.remove(role);
        if (gone == null) {
            return;
        }
        for (Stat stat : ALL) {
            if (stat.kind() == Stat.Kind.SUM) {
                ended[stat.ordinal()] += gone.values[stat.ordinal()];
            }
        }
    }

    long value(Stat stat) {
        long sum = ended[stat.ordinal()];
        for (Incarnation each : living.values()) {
            sum += each.values[stat.ordinal()];
        }
        return sum;
    }
}
