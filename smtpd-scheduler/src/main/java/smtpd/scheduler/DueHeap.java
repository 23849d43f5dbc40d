package smtpd.scheduler;

/**
 * Rows by the moment at which something is to be done about them: a 4-ary heap that knows where
 * each row stands, so that any row leaves in O(log n). Equal moments are ordered by evpid, which
 * keeps the recipients of one message together.
 */
final class DueHeap {

    private final EnvelopeTable table;
    private final IntColumn slots = new IntColumn();
    private int size;

    DueHeap(EnvelopeTable table) {
        this.table = table;
    }

    int size() {
        return size;
    }

    /** The row that is due first, or -1. */
    int first() {
        return size == 0 ? -1 : slots.get(0);
    }

    void add(int row) {
        slots.reach(size);
        up(size++, row);
    }

    void remove(int row) {
        int hole = table.heapPosition(row);
        table.heapPosition(row, -1);
        int last = slots.get(--size);
        if (last == row) {
            return;
        }
        if (hole > 0 && isBefore(last, slots.get((hole - 1) >>> 2))) {
            up(hole, last);
        } else {
            down(hole, last);
        }
    }

    private void up(int from, int row) {
        int i = from;
        while (i > 0) {
            int parent = (i - 1) >>> 2;
            int above = slots.get(parent);
            if (!isBefore(row, above)) {
                break;
            }
            place(i, above);
            i = parent;
        }
        place(i, row);
    }

    private void down(int from, int row) {
        int i = from;
        while (true) {
            int child = (i << 2) + 1;
            if (child >= size) {
                break;
            }
            int least = child;
            int end = Math.min(child + 4, size);
            for (int c = child + 1; c < end; c++) {
                if (isBefore(slots.get(c), slots.get(least))) {
                    least = c;
                }
            }
            int below = slots.get(least);
            if (!isBefore(below, row)) {
                break;
            }
            place(i, below);
            i = least;
        }
        place(i, row);
    }

    private void place(int slot, int row) {
        slots.set(slot, row);
        table.heapPosition(row, slot);
    }

    private boolean isBefore(int a, int b) {
        int order = Integer.compareUnsigned(table.key(a), table.key(b));
        return order < 0
                || (order == 0 && Long.compareUnsigned(table.evpid(a), table.evpid(b)) < 0);
    }

    /** The row at a place of the heap, for checks. */
    int at(int slot) {
        return slots.get(slot);
    }

    long bytes() {
        return slots.bytes();
    }
}
