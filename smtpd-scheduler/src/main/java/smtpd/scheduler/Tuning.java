package smtpd.scheduler;

import java.time.Duration;
import smtpd.conf.Config;
import smtpd.conf.Limit;
import smtpd.conf.Limits;

/**
 * What the configuration sets for the scheduler.
 *
 * @param maxInFlight rows with agents, all kinds together
 * @param maxSchedule rows of one batch
 * @param maxDue rows moved to the ready lists in one turn
 * @param maxHoldQueue rows of one hold queue; 0 = nothing is held
 * @param envelopePage rows of one page of a listing
 * @param messagePage msgids of one page of a listing
 * @param routeCap rows in flight on one route of mta before the scheduler keeps back the rest
 * @param warnAfter ages at which the sender is told of a delay, seconds, ascending
 */
record Tuning(
        int maxInFlight,
        int maxSchedule,
        int maxDue,
        int maxHoldQueue,
        int envelopePage,
        int messagePage,
        int routeCap,
        long[] warnAfter) {

    static final Tuning DEFAULT = of(Limits.DEFAULT, 50, new long[] {4 * 3600});

    private static Tuning of(Limits limits, int taskHighWater, long[] warnAfter) {
        return new Tuning(
                limits.intOf(Limit.SCHEDULER_MAX_INFLIGHT),
                limits.intOf(Limit.SCHEDULER_MAX_SCHEDULE),
                limits.intOf(Limit.SCHEDULER_MAX_DUE),
                limits.intOf(Limit.SCHEDULER_MAX_HOLD_QUEUE),
                limits.intOf(Limit.SCHEDULER_MAX_EVP_BATCH_SIZE),
                limits.intOf(Limit.SCHEDULER_MAX_MSG_BATCH_SIZE),
                2 * taskHighWater,
                warnAfter);
    }

    static Tuning of(Config config) {
        return of(
                config.limits(),
                config.mtaLimits().general().intOf(Limit.MTA_TASK_HIWAT),
                config.warnAfter().stream().mapToLong(Duration::toSeconds).sorted().toArray());
    }
}
