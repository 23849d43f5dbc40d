package smtpd.scheduler;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The lines of {@code trace scheduler}: what happens to the touched row, never the whole queue. */
final class Tracer {

    /** Bit of the trace mask. */
    static final long MASK = 0x80;

    private static final Logger LOG = LoggerFactory.getLogger("smtpd.trace.scheduler");

    private boolean on;

    void switchTo(boolean isOn) {
        on = isOn;
    }

    /** Ask before building anything that costs. */
    boolean isOn() {
        return on;
    }

    void insert(Schedule schedule, int row, String origin, long now) {
        if (on) {
            EnvelopeTable table = schedule.table();
            LOG.info(
                    "sched: insert evp={} type={} route={} retry={} next={} origin={}",
                    hex(table.evpid(row)),
                    table.type(row),
                    hex(schedule.routes().key(table.route(row))),
                    table.retry(row),
                    in(table.next(row) - now),
                    origin);
        }
    }

    void retry(EnvelopeTable table, int row, long now) {
        if (on) {
            LOG.info(
                    "sched: retry evp={} retry={} next={}",
                    hex(table.evpid(row)),
                    table.retry(row),
                    in(table.next(row) - now));
        }
    }

    void done(long evpid, Object result) {
        if (on) {
            LOG.info("sched: done evp={} result={}", hex(evpid), result);
        }
    }

    void due(int rows) {
        if (on && rows > 0) {
            LOG.info("sched: due n={}", rows);
        }
    }

    void hold(long evpid, long key) {
        if (on) {
            LOG.info("sched: hold evp={} holdq={}", hex(evpid), hex(key));
        }
    }

    void release(long key, int asked, int released) {
        if (on) {
            LOG.info("sched: release holdq={} asked={} n={}", hex(key), asked, released);
        }
    }

    void warn(long evpid, long threshold) {
        if (on) {
            LOG.info("sched: warn evp={} threshold={}", hex(evpid), threshold);
        }
    }

    void batch(Kind kind, int rows, int inFlight) {
        if (on) {
            LOG.info("sched: batch rows={} kind={} inflight={}", rows, kind, inFlight);
        }
    }

    void sleep(long seconds) {
        if (on) {
            LOG.info(seconds < 0 ? "sched: sleep forever" : "sched: sleep {}s", seconds);
        }
    }

    static String hex(long evpid) {
        String digits = Long.toHexString(evpid);
        return "0000000000000000".substring(digits.length()) + digits;
    }

    private static String in(long seconds) {
        return seconds < 0 ? "past" : "+" + seconds + "s";
    }
}
