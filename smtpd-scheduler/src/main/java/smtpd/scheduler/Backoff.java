package smtpd.scheduler;

/**
 * How long to wait: quadratic steps anchored at creation, {@code next = ctime + base * step²}.
 * Never last try plus something, so the pace of an envelope depends on its age alone.
 *
 * @param base first wait, milliseconds
 * @param max longest gap between two steps, milliseconds
 * @param jitterPercent by how much the base of one (message, route) may differ, 0 to 50
 */
record Backoff(long base, long max, int jitterPercent) {

    static final long MAX_GAP = 6 * 3600 * 1000L;
    static final int JITTER = 10;

    /** 6m40s for other hosts. */
    static final Backoff MTA = new Backoff(400_000, MAX_GAP, JITTER);

    /** 10 s for this host and for notices. */
    static final Backoff LOCAL = new Backoff(10_000, MAX_GAP, JITTER);

    private static final int MAX_STEP = 1 << 24;

    Backoff {
        base = Math.clamp(base, 1000, 3600 * 1000L);
        max = Math.clamp(max, base, 7 * 86_400_000L);
        jitterPercent = Math.clamp(jitterPercent, 0, 50);
    }

    /**
     * The base of one message on one route. All its recipients there get the same, so that they
     * stay one transaction, and it never changes, so that times only grow.
     */
    private long base(int msgid, long routeKey) {
        if (jitterPercent == 0) {
            return base;
        }
        long u = Hash.mix(routeKey ^ ((long) msgid << 32) ^ msgid) >>> 44; // 20 bits
        return base * (100 - jitterPercent) / 100 + ((base * 2 * jitterPercent / 100 * u) >>> 20);
    }

    /** Seconds from creation to a step. */
    private long age(long b, long step) {
        long s = Math.min(step, MAX_STEP);
        long last = max < b ? 0 : (max - b) / (2 * b) + 1; // from here on the gap would pass max
        long millis = s <= last ? b * s * s : b * last * last + max * (s - last);
        return millis / 1000;
    }

    /** The time of the try after {@code retry} deferrals; may be past. 0 is at once. */
    long first(int msgid, long routeKey, long ctime, int retry) {
        return ctime + age(base(msgid, routeKey), retry);
    }

    /** The same, but the first step that lies in the future. */
    long next(int msgid, long routeKey, long ctime, int retry, long now) {
        long from = Math.min(ctime, now); // a clock set back must not push mail into the future
        long b = base(msgid, routeKey);
        long elapsed = now - from;
        long step = retry;
        if (age(b, step) <= elapsed) {
            long low = step; // its time has passed
            long high = Math.max(1, step);
            while (age(b, high) <= elapsed) {
                low = high;
                high = Math.min(high * 2, MAX_STEP);
                if (low == MAX_STEP) {
                    return now + max / 1000;
                }
            }
            while (high - low > 1) {
                long middle = (low + high) >>> 1;
                if (age(b, middle) <= elapsed) {
                    low = middle;
                } else {
                    high = middle;
                }
            }
            step = high;
        }
        return from + age(b, step);
    }

    /** Seconds over which mail that is overdue after a restart is spread. */
    int spread() {
        return (int) Math.min(60, base / 1000);
    }
}
