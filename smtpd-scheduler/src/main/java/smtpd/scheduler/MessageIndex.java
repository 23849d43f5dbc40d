package smtpd.scheduler;

import java.util.Arrays;

/**
 * One row of each message, findable by msgid and in ascending order of msgids: a directory by the
 * high 16 bits, each entry a small sorted array. Msgids are random, so a million messages are 15 an
 * entry, and paging needs no sort.
 */
final class MessageIndex {

    private static final int BUCKETS = 1 << 16;

    private final LongColumn evpid;
    private final int[][] buckets = new int[BUCKETS][];
    private final int[] counts = new int[BUCKETS];
    private int size;
    private long slots;

    MessageIndex(LongColumn evpid) {
        this.evpid = evpid;
    }

    private int msgid(int row) {
        return (int) (evpid.get(row) >>> 32);
    }

    /** Where the msgid stands in its bucket, or -1 - where it would. */
    private int search(int bucket, int msgid) {
        int[] rows = buckets[bucket];
        int low = 0;
        int high = counts[bucket] - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            int order = Integer.compareUnsigned(msgid(rows[middle]), msgid);
            if (order == 0) {
                return middle;
            }
            if (order < 0) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return -1 - low;
    }

    /** A row of this message, or -1. */
    int find(int msgid) {
        int bucket = msgid >>> 16;
        int i = search(bucket, msgid);
        return i < 0 ? -1 : buckets[bucket][i];
    }

    /** A row of the first message whose id is not below {@code msgid}, or -1. */
    int ceiling(int msgid) {
        int bucket = msgid >>> 16;
        int i = search(bucket, msgid);
        if (i < 0) {
            i = -1 - i;
        }
        while (i >= counts[bucket]) {
            if (++bucket == BUCKETS) {
                return -1;
            }
            i = 0;
        }
        return buckets[bucket][i];
    }

    /** Adds the first row of a message. */
    void add(int row) {
        int msgid = msgid(row);
        int bucket = msgid >>> 16;
        int at = -1 - search(bucket, msgid);
        int count = counts[bucket];
        int[] rows = buckets[bucket];
        if (rows == null || count == rows.length) {
            int length = count + 4 + (count >>> 3);
            rows = rows == null ? new int[2] : Arrays.copyOf(rows, length);
            slots += rows.length - count;
            buckets[bucket] = rows;
        }
        System.arraycopy(rows, at, rows, at + 1, count - at);
        rows[at] = row;
        counts[bucket]++;
        size++;
    }

    /** Another row of the same message stands for it now. */
    void replace(int row, int by) {
        int msgid = msgid(row);
        int bucket = msgid >>> 16;
        int i = search(bucket, msgid);
        if (buckets[bucket][i] == row) {
            buckets[bucket][i] = by;
        }
    }

    /** The last row of a message goes. */
    void remove(int row) {
        int msgid = msgid(row);
        int bucket = msgid >>> 16;
        int at = search(bucket, msgid);
        int[] rows = buckets[bucket];
        int count = --counts[bucket];
        System.arraycopy(rows, at + 1, rows, at, count - at);
        if (count == 0) {
            slots -= rows.length;
            buckets[bucket] = null;
        }
        size--;
    }

    int size() {
        return size;
    }

    long bytes() {
        return 4 * slots + 8L * BUCKETS + 16L * Math.min(size, BUCKETS);
    }
}
