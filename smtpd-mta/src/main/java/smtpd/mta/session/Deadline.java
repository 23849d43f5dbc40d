package smtpd.mta.session;

import io.netty.channel.EventLoop;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/**
 * How long the peer may take over what it does now. One timer: it is put off when it fires and the
 * deadline has moved on, not at each command.
 */
final class Deadline {

    private final EventLoop loop;
    private final SessionTrace trace;
    private final Runnable expired;

    private Phase phase = Phase.CONNECT;
    private long at;
    private long checkAt;
    private ScheduledFuture<?> check;
    private boolean ended;

    Deadline(EventLoop loop, SessionTrace trace, Runnable expired) {
        this.loop = loop;
        this.trace = trace;
        this.expired = expired;
    }

    /** What is waited for. */
    Phase phase() {
        return phase;
    }

    /** From now on this phase, for so long. */
    void arm(Phase next, long millis) {
        trace.phase(next);
        phase = next;
        at = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        if (ended) {
            return;
        }
        if (check == null || checkAt - at > 0) {
            if (check != null) {
                check.cancel(false);
            }
            schedule();
        }
    }

    /** Nothing is waited for any more. */
    void end() {
        ended = true;
        if (check != null) {
            check.cancel(false);
        }
    }

    private void schedule() {
        checkAt = at;
        check = loop.schedule(this::look, at - System.nanoTime(), TimeUnit.NANOSECONDS);
    }

    private void look() {
        check = null;
        if (ended) {
            return;
        }
        if (at - System.nanoTime() > 0) {
            schedule();
        } else {
            expired.run();
        }
    }
}
