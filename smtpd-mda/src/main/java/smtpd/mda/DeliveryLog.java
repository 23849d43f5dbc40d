package smtpd.mda;

import org.slf4j.Logger;
import smtpd.log.LogLine;
import smtpd.log.Trace;
import smtpd.mda.deliver.Verdict;

/** The log line of a local delivery. */
final class DeliveryLog {

    private DeliveryLog() {}

    static void write(Logger log, Delivery d, Verdict verdict, long nowSeconds) {
        if (!log.isInfoEnabled()) {
            return;
        }
        LogLine line =
                LogLine.of(d.session, "mda", "delivery")
                        .id("evpid", d.evpid.value())
                        .address("from", d.envelope.sender())
                        .address("to", d.envelope.dest());
        if (!d.envelope.rcpt().equals(d.envelope.dest())) {
            line.address("rcpt", d.envelope.rcpt());
        }
        line.add("user", d.envelope.mda().user())
                .duration("delay", nowSeconds - d.envelope.ctime())
                .quoted("result", verdict.word())
                .quoted("stat", stat(verdict))
                .add("method", d.method.word())
                .add("dsn", verdict.esc())
                .add("attempt", d.envelope.retry() + 1);
        if (d.startedNanos != 0) {
            line.add("duration_ms", (System.nanoTime() - d.startedNanos) / 1_000_000);
        }
        line.info(log);
    }

    /**
     * For {@code trace io}: a thread begins to write, the last thing heard of one that is stuck.
     */
    static void begun(Delivery d) {
        if (Trace.IO.isOn()) {
            String text = "begin " + d.method.word() + " evpid=" + d.evpid;
            Trace.IO.line(d.session, "", text + " user=" + d.envelope.mda().user());
        }
    }

    /** For {@code trace io}: the thread is back. */
    static void ended(Delivery d, Verdict verdict) {
        if (Trace.IO.isOn()) {
            String text = "end " + d.method.word() + " evpid=" + d.evpid;
            Trace.IO.line(d.session, "", text + ": " + stat(verdict));
        }
    }

    private static String stat(Verdict verdict) {
        return switch (verdict) {
            case Verdict.Delivered v -> v.text();
            case Verdict.Looped v -> v.text();
            case Verdict.Temporary v -> "Error (temporary failure: " + v.text() + ")";
            case Verdict.Permanent v -> "Error (permanent failure: " + v.text() + ")";
        };
    }
}
