package smtpd.scheduler;

/**
 * Finds the row of a key: open addressing, one int a slot, the key itself is read in the column.
 * Grows in small steps, because moving a million entries at once would stop the process for 30 ms.
 */
final class LongIndex {

    /** Slots moved by each insert while growing: enough to be done long before it is full again. */
    private static final int STEP = 16;

    private final LongColumn keys;
    private Table table = new Table(1024);

    /**
     * The smaller table that is being emptied into {@link #table}; slots below cursor are empty.
     */
    private Table old;

    private int cursor;

    LongIndex(LongColumn keys) {
        this.keys = keys;
    }

    /** Slots hold row + 1; a chunk that is not there holds nothing. */
    private final class Table {
        final int capacity;
        final int[][] chunks;
        int used;

        Table(int capacity) {
            this.capacity = capacity;
            this.chunks = new int[(capacity + IntColumn.CHUNK - 1) >>> IntColumn.CHUNK_SHIFT][];
        }

        int slot(int i) {
            int[] chunk = chunks[i >>> IntColumn.CHUNK_SHIFT];
            return chunk == null ? 0 : chunk[i & (IntColumn.CHUNK - 1)];
        }

        void slot(int i, int value) {
            int c = i >>> IntColumn.CHUNK_SHIFT;
            if (chunks[c] == null) {
                chunks[c] = new int[Math.min(capacity, IntColumn.CHUNK)];
            }
            chunks[c][i & (IntColumn.CHUNK - 1)] = value;
        }

        int home(long key) {
            return Hash.below(capacity, key);
        }

        int after(int i) {
            return i + 1 == capacity ? 0 : i + 1;
        }

        /** The slot of the key, or -1. */
        int find(long key) {
            for (int i = home(key); ; i = after(i)) {
                int row = slot(i) - 1;
                if (row < 0) {
                    return -1;
                }
                if (keys.get(row) == key) {
                    return i;
                }
            }
        }

        void add(int row) {
            int i = home(keys.get(row));
            while (slot(i) != 0) {
                i = after(i);
            }
            slot(i, row + 1);
            used++;
        }

        /** Empties a slot and closes the gap, so that no tombstones are needed. */
        void clear(int hole) {
            int gap = hole;
            for (int i = after(gap); ; i = after(i)) {
                int entry = slot(i);
                if (entry == 0) {
                    break;
                }
                int home = home(keys.get(entry - 1));
                boolean stays = gap < i ? gap < home && home <= i : gap < home || home <= i;
                if (!stays) {
                    slot(gap, entry);
                    gap = i;
                }
            }
            slot(gap, 0);
            used--;
        }
    }

    /** The row of this key, or -1. */
    int find(long key) {
        int i = table.find(key);
        if (i >= 0) {
            return table.slot(i) - 1;
        }
        if (old != null) {
            i = old.find(key);
            if (i >= 0) {
                return old.slot(i) - 1;
            }
        }
        return -1;
    }

    /** Adds a row whose key stands in the column and is in no other row of this index. */
    void add(int row) {
        if (old != null) {
            grow(STEP);
        }
        if (old == null && (table.used + 1L) * 4 > table.capacity * 3L) {
            old = table;
            cursor = 0;
            long next = old.capacity < 1 << 17 ? old.capacity * 2L : old.capacity * 9L / 8;
            table = new Table((int) Math.min(next, Integer.MAX_VALUE - IntColumn.CHUNK));
        }
        table.add(row);
    }

    void remove(int row) {
        long key = keys.get(row);
        int i = table.find(key);
        if (i >= 0) {
            table.clear(i);
        } else if (old != null) {
            i = old.find(key);
            if (i >= 0) {
                old.clear(i);
            }
        }
    }

    /** Goes on with growing. */
    void grow(int slots) {
        for (int n = 0; n < slots && old != null; n++) {
            int entry;
            while ((entry = old.slot(cursor)) != 0) {
                old.clear(cursor);
                table.add(entry - 1);
            }
            cursor++;
            if (cursor % IntColumn.CHUNK == 0) {
                old.chunks[(cursor >>> IntColumn.CHUNK_SHIFT) - 1] = null;
            }
            if (cursor == old.capacity) {
                old = null;
            }
        }
    }

    boolean isGrowing() {
        return old != null;
    }

    int size() {
        return table.used + (old == null ? 0 : old.used);
    }

    long bytes() {
        return 4L * (table.capacity + (old == null ? 0 : old.capacity - cursor));
    }
}
