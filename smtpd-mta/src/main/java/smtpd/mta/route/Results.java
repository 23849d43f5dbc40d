package smtpd.mta.route;

import java.util.ArrayList;
import java.util.List;
import smtpd.envelope.Evpid;
import smtpd.mta.session.Result;
import smtpd.stat.Stat;
import smtpd.stat.Stats;

/** What became of envelopes: told to the process, and to those who wait for the same domain. */
final class Results {

    private final Outside outside;
    private final Timers timers;
    private final Stats stats;
    private HostStats hostStats;

    Results(Outside outside, Timers timers, Stats stats) {
        this.outside = outside;
        this.timers = timers;
        this.stats = stats;
    }

    /**
     * @param maxDeferred so many envelopes of a domain that failed for want of a host
     */
    void remember(int maxDeferred) {
        hostStats = new HostStats(maxDeferred);
    }

    /** Its envelopes are tried when their domains are heard again. */
    void remember(Task task) {
        for (Letter letter : task.letters()) {
            hostStats.deferred(letter.domain(), letter.evpid(), timers.millis());
        }
    }

    /** All envelopes of a waiting task get this result. */
    void finish(Task task, Result result) {
        List<Letter> letters = new ArrayList<>(task.letters());
        task.letters().clear();
        stats.add(Stat.MTA_ENVELOPE, -letters.size());
        answer(task, letters, result);
        forget(task);
    }

    /** Envelopes that never waited here. */
    void answer(Task task, List<Letter> letters, Result result) {
        outside.result(new Outside.Outcome(task, letters, result, null, false, ""));
    }

    /** No envelope of it is left. */
    void forget(Task task) {
        stats.decrement(Stat.MTA_TASK);
        Message message = task.message();
        message.tasks().remove(task);
        if (message.isDone()) {
            outside.contentDone(message);
        }
    }

    /** What a session found out. */
    void tell(Outside.Outcome outcome) {
        stats.add(Stat.MTA_ENVELOPE, -outcome.letters().size());
        if (outcome.result().kind() == Result.Kind.DELIVERED) {
            List<Evpid> again = new ArrayList<>();
            for (Letter letter : outcome.letters()) {
                hostStats.forget(letter.domain(), letter.evpid());
                again.addAll(hostStats.worked(letter.domain(), timers.millis()));
            }
            if (!again.isEmpty()) {
                outside.scheduleNow(again);
            }
        }
        outside.result(outcome);
    }
}
