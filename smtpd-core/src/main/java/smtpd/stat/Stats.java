package smtpd.stat;

import io.netty.channel.EventLoop;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import smtpd.imsg.ChildToControl.StatValue;

/**
 * The counters of one process. Values are absolute for this incarnation, so telling them twice does
 * no harm. Belongs to the event loop; an idle process tells nothing and sets no timer.
 */
public final class Stats {

    /** Takes the values to control. */
    @FunctionalInterface
    public interface Sender {
        /** False when control is away; the values are told again when it is back. */
        boolean send(List<StatValue> values);
    }

    private static final Stat[] ALL = Stat.values();

    private final EventLoop loop;
    private final Sender sender;
    private final long[] values = new long[ALL.length];
    private final boolean[] changed = new boolean[ALL.length];
    private boolean scheduled;

    public Stats(EventLoop loop, Sender sender) {
        this.loop = loop;
        this.sender = sender;
    }

    public void add(Stat stat, long n) {
        if (n != 0) {
            values[stat.ordinal()] += n;
            mark(stat);
        }
    }

    public void increment(Stat stat) {
        values[stat.ordinal()]++;
        mark(stat);
    }

    public void decrement(Stat stat) {
        values[stat.ordinal()]--;
        mark(stat);
    }

    public void set(Stat stat, long value) {
        if (values[stat.ordinal()] != value) {
            values[stat.ordinal()] = value;
            mark(stat);
        }
    }

    public long get(Stat stat) {
        return values[stat.ordinal()];
    }

    private void mark(Stat stat) {
        changed[stat.ordinal()] = true;
        if (!scheduled) {
            scheduled = true;
            loop.schedule(this::flush, 1, TimeUnit.SECONDS);
        }
    }

    /** Tells what changed, now. */
    public void flush() {
        scheduled = false;
        List<StatValue> delta = new ArrayList<>();
        for (int i = 0; i < values.length; i++) {
            if (changed[i]) {
                delta.add(new StatValue(i, values[i]));
            }
        }
        if (!delta.isEmpty() && sender.send(delta)) {
            java.util.Arrays.fill(changed, false);
        }
    }

    /** Control is new: everything that is not 0 is told again. */
    public void repeat() {
        for (int i = 0; i < values.length; i++) {
            if (values[i] != 0) {
                mark(ALL[i]);
            }
        }
    }
}
