package smtpd.control;

import java.time.Clock;
import smtpd.sys.At;
import smtpd.sys.SysException;

/** Since when the daemon, not only this process, is there. */
final class Uptime {

    private final boolean isFirst;
    private long since = Clock.systemUTC().millis() / 1000;

    Uptime(int generation) {
        isFirst = generation <= 1;
    }

    /**
     * A later incarnation of this process takes the age of the socket file: the parent binds it
     * once, at the start of the daemon.
     */
    void socket(String path) {
        if (isFirst) {
            return;
        }
        try {
            since = Math.min(since, At.lstat(At.CWD, path).mtimeNanos() / 1_000_000_000L);
        } catch (SysException e) {
            // Out of sight of this sandbox: the age of this process is the next best.
            return;
        }
    }

    long seconds() {
        return Math.max(0, Clock.systemUTC().millis() / 1000 - since);
    }
}
