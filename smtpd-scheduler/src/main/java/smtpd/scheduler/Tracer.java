package smtpd.scheduler;

import org.slf4j.helpers.MessageFormatter;
import smtpd.log.Trace;

/** The lines of {@code trace scheduler}: what happens to the touched row, never the whole queue. */
final class Tracer {

    /** Ask before building anything that costs. */
    boolean isOn() {
        return Trace.SCHEDULER.isOn();
    }

    void insert(Schedule schedule, int row, String origin, long now) {
        if (isOn()) {
            EnvelopeTable table = schedule.table();
            say(
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
        if (isOn()) {
            say(
                    "sched: retry evp={} retry={} next={}",
                    hex(table.evpid(row)),
                    table.retry(row),
                    in(table.next(row) - now));
        }
    }

    void done(long evpid, Object result) {
        if (isOn()) {
            say("sched: done evp={} result={}", hex(evpid), result);
        }
    }

    void due(int rows) {
        if (isOn() && rows > 0) {
            say("sched: due n={}", rows);
        }
    }

    void hold(long evpid, long key) {
        if (isOn()) {
            say("sched: hold evp={} holdq={}", hex(evpid), hex(key));
        }
    }

    void release(long key, int asked, int released) {
        if (isOn()) {
            say("sched: release holdq={} asked={} n={}", hex(key), asked, released);
        }
    }

    void warn(long evpid, long threshold) {
        if (isOn()) {
            say("sched: warn evp={} threshold={}", hex(evpid), threshold);
        }
    }

    void batch(Kind kind, int rows, int inFlight) {
        if (isOn()) {
            say("sched: batch rows={} kind={} inflight={}", rows, kind, inFlight);
        }
    }

    void sleep(long seconds) {
        if (isOn()) {
            say(seconds < 0 ? "sched: sleep forever" : "sched: sleep {}s", seconds);
        }
    }

    private static void say(String format, Object... values) {
        Trace.SCHEDULER.line(0, "", MessageFormatter.arrayFormat(format, values).getMessage());
    }

    static String hex(long evpid) {
        String digits = Long.toHexString(evpid);
        return "0000000000000000".substring(digits.length()) + digits;
    }

    private static String in(long seconds) {
        return seconds < 0 ? "past" : "+" + seconds + "s";
    }
}
