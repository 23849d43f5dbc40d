package smtpd.ctl;

import java.util.Locale;
import java.util.Map;

/** The lines of {@code smtpctl monitor}: totals first, then what changed, a second. */
final class Monitor {

    private static final int HEADER_EVERY = 25;

    private static final String[] HEADER = {
        "--- client ---  -- envelope --   ---- relay/delivery --- ------- misc -------",
        "curr conn disc  curr  enq  deq   ok tmpfail prmfail loop expire remove bounce"
    };

    private static final int CLIENTS = 0;
    private static final int ENVELOPES = 3;
    private static final int COLUMNS = 13;

    private long[] last;
    private int lines;

    /** Adds a line, and the header where it is due. */
    void line(Map<String, Long> stats, int seconds, Output out) {
        if (lines % HEADER_EVERY == 0) {
            if (lines > 0) {
                out.line("");
            }
            out.line(HEADER[0]);
            out.line(HEADER[1]);
        }
        lines++;
        long[] now = digest(stats);
        long[] shown = now.clone();
        if (last != null) {
            for (int i = 0; i < COLUMNS; i++) {
                if (i != CLIENTS && i != ENVELOPES) {
                    shown[i] = (now[i] - last[i]) / seconds;
                }
            }
        }
        last = now;
        Object[] columns = new Object[COLUMNS];
        for (int i = 0; i < COLUMNS; i++) {
            columns[i] = shown[i];
        }
        out.line(
                String.format(
                        Locale.ROOT,
                        "%4d %4d %4d  %4d %4d %4d %4d %7d %7d %4d %6d %6d %6d",
                        columns));
        out.flush();
    }

    /** What came and what is there tell what went: the daemon counts no disconnections. */
    private static long[] digest(Map<String, Long> stats) {
        long clients = get(stats, "smtp.session");
        long connected =
                get(stats, "smtp.session.inet4")
                        + get(stats, "smtp.session.inet6")
                        + get(stats, "smtp.session.local");
        long envelopes = get(stats, "scheduler.envelope");
        long ok = get(stats, "scheduler.delivery.ok");
        long permanent = get(stats, "scheduler.delivery.permfail");
        long loop = get(stats, "scheduler.delivery.loop");
        long expired = get(stats, "scheduler.envelope.expired");
        long removed = get(stats, "scheduler.envelope.removed");
        long dequeued = ok + permanent + loop + expired + removed;
        return new long[] {
            clients,
            connected,
            Math.max(0, connected - clients),
            envelopes,
            envelopes + dequeued,
            dequeued,
            ok,
            get(stats, "scheduler.delivery.tempfail"),
            permanent,
            loop,
            expired,
            removed,
            get(stats, "queue.bounce")
        };
    }

    private static long get(Map<String, Long> stats, String key) {
        return stats.getOrDefault(key, 0L);
    }
}
