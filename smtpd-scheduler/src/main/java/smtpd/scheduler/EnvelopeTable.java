package smtpd.scheduler;

import java.util.Arrays;

/**
 * The rows of all envelopes: columns, the index by evpid, the index by msgid and the rings that
 * join the rows of one message. Knows no policy. A row is an int that is reused when its envelope
 * is gone.
 *
 * <p>52 bytes a row in columns; heap slot and indexes bring it to about 64 in all. The rings are
 * linked both ways: with one link, each result for a message of 100,000 recipients would walk it.
 */
final class EnvelopeTable {

    /** Times are kept as unsigned seconds since this day (2020-01-01). */
    static final long EPOCH = 1_577_836_800L;

    private static final long TIME_MASK = 0xffffffffL;

    /** Where a row is. */
    static final int FREE = 0;

    static final int PENDING = 1;
    static final int SCHEDULED = 2;
    static final int INFLIGHT = 3;
    static final int HELD = 4;

    /** What an operator or time decided about it. */
    static final int SUSPENDED = 1 << 5;

    static final int REMOVED = 1 << 6;
    static final int EXPIRED = 1 << 7;

    /** In flight as Expire or Discard, not with an agent. */
    static final int ENDING = 1 << 8;

    private static final int TYPE_MASK = 3;
    private static final int STATE_SHIFT = 2;
    private static final int STATE_MASK = 7 << STATE_SHIFT;
    private static final int RETRY_SHIFT = 16;
    private static final int MAX_RETRY = 0xffff;

    private final LongColumn evpid = new LongColumn();
    private final IntColumn next = new IntColumn();
    private final IntColumn expire = new IntColumn();
    private final IntColumn ctime = new IntColumn();
    private final IntColumn route = new IntColumn();
    private final IntColumn sinceOrHold = new IntColumn();
    private final IntColumn bits = new IntColumn();
    private final IntColumn heapPosition = new IntColumn();
    private final IntColumn listNext = new IntColumn();
    private final IntColumn listPrevious = new IntColumn();
    private final IntColumn ringNext = new IntColumn();
    private final IntColumn ringPrevious = new IntColumn();
    private final LongIndex index = new LongIndex(evpid);
    private final MessageIndex messages = new MessageIndex(evpid);
    private int reached;
    private int free = -1;
    private int size;
    private long[] scratch = new long[64];

    // ---- life of a row

    /** The row of this envelope, or -1. */
    int find(long id) {
        return index.find(id);
    }

    /** A row for an envelope that is not known yet. Its state is still to be set. */
    int add(long id, int type, long created, long expires, int retry, int routeNumber) {
        int row = free;
        if (row >= 0) {
            free = listNext.get(row);
        } else {
            row = reached++;
            reach(row);
        }
        evpid.set(row, id);
        ctime.set(row, pack(created));
        expire.set(row, pack(expires));
        route.set(row, routeNumber);
        bits.set(row, type);
        retry(row, retry);
        heapPosition.set(row, -1);
        index.add(row);
        link(row, messages.find((int) (id >>> 32)));
        size++;
        return row;
    }

    private void reach(int row) {
        evpid.reach(row);
        next.reach(row);
        expire.reach(row);
        ctime.reach(row);
        route.reach(row);
        sinceOrHold.reach(row);
        bits.reach(row);
        heapPosition.reach(row);
        listNext.reach(row);
        listPrevious.reach(row);
        ringNext.reach(row);
        ringPrevious.reach(row);
    }

    private void link(int row, int sibling) {
        if (sibling < 0) {
            ringNext.set(row, row);
            ringPrevious.set(row, row);
            messages.add(row);
        } else {
            int before = ringPrevious.get(sibling);
            ringNext.set(before, row);
            ringPrevious.set(row, before);
            ringNext.set(row, sibling);
            ringPrevious.set(sibling, row);
        }
    }

    /** The envelope is gone. The row must be in no list and not in the heap. */
    void remove(int row) {
        int after = ringNext.get(row);
        if (after == row) {
            messages.remove(row);
        } else {
            int before = ringPrevious.get(row);
            ringNext.set(before, after);
            ringPrevious.set(after, before);
            messages.replace(row, after);
        }
        index.remove(row);
        bits.set(row, FREE);
        listNext.set(row, free);
        free = row;
        size--;
    }

    int size() {
        return size;
    }

    int messages() {
        return messages.size();
    }

    /** Rows ever used; row numbers are below it. */
    int reached() {
        return reached;
    }

    /** A step of the work that growing leaves behind. */
    boolean settle(int slots) {
        index.grow(slots);
        return index.isGrowing();
    }

    // ---- columns

    long evpid(int row) {
        return evpid.get(row);
    }

    int msgid(int row) {
        return (int) (evpid.get(row) >>> 32);
    }

    /** Number of {@code EnvelopeType}. */
    int type(int row) {
        return bits.get(row) & TYPE_MASK;
    }

    int state(int row) {
        return (bits.get(row) & STATE_MASK) >>> STATE_SHIFT;
    }

    void state(int row, int state) {
        bits.set(row, (bits.get(row) & ~STATE_MASK) | (state << STATE_SHIFT));
    }

    boolean has(int row, int flags) {
        return (bits.get(row) & flags) != 0;
    }

    void flag(int row, int flags) {
        bits.set(row, bits.get(row) | flags);
    }

    void unflag(int row, int flags) {
        bits.set(row, bits.get(row) & ~flags);
    }

    int retry(int row) {
        return bits.get(row) >>> RETRY_SHIFT;
    }

    void retry(int row, int count) {
        int saturated = Math.clamp(count, 0, MAX_RETRY);
        bits.set(row, (bits.get(row) & MAX_RETRY) | (saturated << RETRY_SHIFT));
    }

    long ctime(int row) {
        return unpack(ctime.get(row));
    }

    long expire(int row) {
        return unpack(expire.get(row));
    }

    int route(int row) {
        return route.get(row);
    }

    /** Next try, Unix seconds; of a held row: since when it is held. */
    long next(int row) {
        return unpack(next.get(row));
    }

    void next(int row, long time) {
        next.set(row, pack(time));
    }

    /** Who removed it: takes the place of the next try, which a removed row has no more. */
    int uid(int row) {
        return next.get(row);
    }

    void uid(int row, int uid) {
        next.set(row, uid);
    }

    /** Last change of state of a row that is scheduled or in flight. */
    long since(int row) {
        return unpack(sinceOrHold.get(row));
    }

    void since(int row, long time) {
        sinceOrHold.set(row, pack(time));
    }

    /** Number of the hold queue of a held row. */
    int hold(int row) {
        return sinceOrHold.get(row);
    }

    void hold(int row, int number) {
        sinceOrHold.set(row, number);
    }

    int heapPosition(int row) {
        return heapPosition.get(row);
    }

    void heapPosition(int row, int slot) {
        heapPosition.set(row, slot);
    }

    /** The moment by which the heap orders a row, packed; only expiry wakes a held one. */
    int key(int row) {
        int end = expire.get(row);
        if (state(row) == HELD) {
            return end;
        }
        int due = next.get(row);
        return Integer.compareUnsigned(due, end) < 0 ? due : end;
    }

    RowList newList() {
        return new RowList(listNext, listPrevious);
    }

    static int pack(long unix) {
        return (int) Math.clamp(unix - EPOCH, 0, TIME_MASK);
    }

    static long unpack(int packed) {
        return EPOCH + (packed & TIME_MASK);
    }

    // ---- ascending order

    /** A row of the first message whose id is not below this one, or -1. */
    int messageFrom(int msgid) {
        return messages.ceiling(msgid);
    }

    /** A row of this message, or -1. */
    int message(int msgid) {
        return messages.find(msgid);
    }

    /**
     * Rows with {@code from <= evpid <= to}, both unsigned, in ascending order. Asked by id and not
     * by place, it stays right whatever comes and goes between two calls.
     *
     * @return how many were put into {@code rows}; fewer than fit means that no more are there
     */
    int ascending(long from, long to, int[] rows) {
        int count = 0;
        long start = from;
        while (count < rows.length) {
            int row = messages.ceiling((int) (start >>> 32));
            if (row < 0) {
                break;
            }
            int msgid = msgid(row);
            if (Integer.compareUnsigned(msgid, (int) (to >>> 32)) > 0) {
                break;
            }
            long first = msgid == (int) (start >>> 32) ? start : (long) msgid << 32;
            count = ring(row, first, to, rows, count);
            if (msgid == -1) {
                break;
            }
            start = (msgid + 1L) << 32;
        }
        return count;
    }

    /** The rows of one message from {@code first} on, smallest first, as many as fit. */
    private int ring(int head, long first, long to, int[] rows, int count) {
        int room = rows.length - count;
        int n = 0;
        int row = head;
        do {
            long id = evpid.get(row);
            if (Long.compareUnsigned(id, first) >= 0 && Long.compareUnsigned(id, to) <= 0) {
                if (n == scratch.length) {
                    n = smallest(n, room);
                }
                scratch[n++] = ((id ^ 0x80000000L) << 32) | row;
            }
            row = ringNext.get(row);
        } while (row != head);
        n = Math.min(smallest(n, scratch.length), room);
        for (int i = 0; i < n; i++) {
            rows[count + i] = (int) scratch[i];
        }
        return count + n;
    }

    /** Sorts what was gathered; makes room by dropping what cannot be among the first. */
    private int smallest(int n, int room) {
        Arrays.sort(scratch, 0, n);
        if (n < scratch.length) {
            return n;
        }
        if (room > n / 2) {
            scratch = Arrays.copyOf(scratch, n * 2);
            return n;
        }
        return room;
    }

    long bytes() {
        return evpid.bytes() + 11 * next.bytes() + index.bytes() + messages.bytes();
    }
}
