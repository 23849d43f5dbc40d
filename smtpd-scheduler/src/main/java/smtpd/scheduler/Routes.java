package smtpd.scheduler;

/**
 * The destinations of the envelopes, as numbers that only tell equal from unequal: how many rows
 * each has, how many of them are in flight, and retry times that its action set.
 */
final class Routes {

    /** Routes without a row that are kept because the queue told their times only once. */
    private static final int MAX_IDLE = 65_536;

    private static final int NONE = -1;

    private final LongColumn keys = new LongColumn();
    private final IntColumn rows = new IntColumn();
    private final IntColumn inFlight = new IntColumn();
    private final IntColumn hold = new IntColumn();

    /** 0 for the default, else jitter + 1 in the high byte, base in the low 24 bits (seconds). */
    private final IntColumn base = new IntColumn();

    private final IntColumn max = new IntColumn();
    private final LongIndex index = new LongIndex(keys);
    private int reached;
    private int free = NONE;
    private int size;
    private int idle;

    private int number(long key) {
        int number = index.find(key);
        if (number >= 0) {
            return number;
        }
        number = free;
        if (number >= 0) {
            free = rows.get(number);
        } else {
            number = reached++;
            keys.reach(number);
            rows.reach(number);
            inFlight.reach(number);
            hold.reach(number);
            base.reach(number);
            max.reach(number);
        }
        keys.set(number, key);
        rows.set(number, 0);
        inFlight.set(number, 0);
        hold.set(number, -1);
        base.set(number, 0);
        max.set(number, 0);
        index.add(number);
        size++;
        idle++;
        return number;
    }

    /** One more row. */
    int acquire(long key) {
        int number = number(key);
        if (rows.get(number) == 0) {
            idle--;
        }
        rows.set(number, rows.get(number) + 1);
        return number;
    }

    /** One row less. */
    void release(int number) {
        int left = rows.get(number) - 1;
        rows.set(number, left);
        if (left == 0) {
            idle++;
            if (base.get(number) == 0 || idle > MAX_IDLE) {
                free(number);
            }
        }
    }

    private void free(int number) {
        index.remove(number);
        rows.set(number, free);
        free = number;
        size--;
        idle--;
    }

    /**
     * The action of this route sets its own times; seconds, 0 for the default; jitter below 0 too.
     */
    void times(long key, int baseSeconds, int maxSeconds, int jitterPercent) {
        int number = number(key);
        int jitter = (jitterPercent < 0 ? Backoff.JITTER : Math.min(jitterPercent, 50)) + 1;
        base.set(number, (jitter << 24) | Math.clamp(baseSeconds, 0, 0xffffff));
        max.set(number, Math.max(0, maxSeconds));
        if (rows.get(number) == 0 && idle > MAX_IDLE) {
            free(number);
        }
    }

    /** How the tries on this route are spaced. */
    Backoff backoff(int number, Backoff byDefault) {
        int own = base.get(number);
        if (own == 0) {
            return byDefault;
        }
        long b = (own & 0xffffff) * 1000L;
        long m = max.get(number) * 1000L;
        return new Backoff(
                b == 0 ? byDefault.base() : b, m == 0 ? byDefault.max() : m, (own >>> 24) - 1);
    }

    long key(int number) {
        return keys.get(number);
    }

    int inFlight(int number) {
        return inFlight.get(number);
    }

    void inFlight(int number, int count) {
        inFlight.set(number, count);
    }

    /** Number of the hold queue in which the scheduler itself keeps rows of a slow route, or -1. */
    int hold(int number) {
        return hold.get(number);
    }

    void hold(int number, int holdNumber) {
        hold.set(number, holdNumber);
    }

    int size() {
        return size;
    }

    boolean settle(int slots) {
        index.grow(slots);
        return index.isGrowing();
    }

    long bytes() {
        return keys.bytes() + 5 * rows.bytes() + index.bytes();
    }
}
