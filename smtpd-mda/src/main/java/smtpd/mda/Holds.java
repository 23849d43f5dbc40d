package smtpd.mda;

import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import smtpd.conf.Limit;
import smtpd.conf.Limits;
import smtpd.envelope.Evpid;
import smtpd.imsg.AgentToQueue;
import smtpd.imsg.MdaToQueue;
import smtpd.log.LogLine;
import smtpd.proc.Edge;
import smtpd.stat.Stat;
import smtpd.stat.Stats;

/**
 * Users with more mail than they can take: the scheduler keeps the rest, and gets it released as
 * the pile goes down.
 */
final class Holds {

    private static final Logger LOG = LoggerFactory.getLogger(MdaProcess.class);
    private static final int MAX_LIST = 256;

    private final Stats stats;
    private final Edge<MdaToQueue> queue;
    private Limits limits;

    Holds(Stats stats, Edge<MdaToQueue> queue) {
        this.stats = stats;
        this.queue = queue;
    }

    void limits(Limits now) {
        limits = now;
    }

    /** Whether the next mail of this user goes back to the scheduler. */
    boolean isFull(UserQueue user) {
        return user.isHolding()
                || user.isStuck()
                || user.pending() >= limits.intOf(Limit.MDA_TASK_HIWAT);
    }

    void begin(UserQueue user) {
        if (!user.isHolding()) {
            user.holding(true);
            stats.increment(Stat.MDA_HELD);
            LogLine.of("mda", "hold")
                    .add("user", user.key)
                    .add("pending", user.pending())
                    .info(LOG);
        }
    }

    /** The scheduler shall keep these until the user is released. */
    void give(UserQueue user, List<Evpid> evpids) {
        for (int from = 0; from < evpids.size(); from += MAX_LIST) {
            List<Evpid> part = evpids.subList(from, Math.min(evpids.size(), from + MAX_LIST));
            queue.send(0, new AgentToQueue.Hold(user.holdKey, List.copyOf(part)));
        }
    }

    /** A mail of the user is done: some of what is held may come. */
    void oneLess(UserQueue user) {
        if (user.isHolding() && !user.isStuck()) {
            if (user.isIdle()) {
                release(user, 0);
            } else if (user.pending() <= limits.intOf(Limit.MDA_TASK_LOWAT)) {
                release(user, limits.intOf(Limit.MDA_TASK_RELEASE));
                user.owes(true);
            }
        } else if (user.owes()) {
            // What the scheduler still holds comes by and by.
            boolean last = user.isIdle();
            user.owes(!last);
            release(user, last ? 0 : limits.intOf(Limit.MDA_TASK_RELEASE));
        }
    }

    /**
     * @param count how many may come; 0 for all
     */
    void release(UserQueue user, int count) {
        if (user.isHolding()) {
            user.holding(false);
            stats.decrement(Stat.MDA_HELD);
            LogLine.of("mda", "release").add("user", user.key).info(LOG);
        }
        queue.send(0, new AgentToQueue.Release(user.holdKey, count));
    }
}
