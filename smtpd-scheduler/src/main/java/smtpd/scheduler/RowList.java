package smtpd.scheduler;

/** Rows in the order they came, linked through two columns; a row is in one list at most. */
final class RowList {

    private final IntColumn next;
    private final IntColumn previous;
    private int head = -1;
    private int tail = -1;
    private int size;

    RowList(IntColumn next, IntColumn previous) {
        this.next = next;
        this.previous = previous;
    }

    void add(int row) {
        next.set(row, -1);
        previous.set(row, tail);
        if (tail < 0) {
            head = row;
        } else {
            next.set(tail, row);
        }
        tail = row;
        size++;
    }

    void remove(int row) {
        int after = next.get(row);
        int before = previous.get(row);
        if (before < 0) {
            head = after;
        } else {
            next.set(before, after);
        }
        if (after < 0) {
            tail = before;
        } else {
            previous.set(after, before);
        }
        size--;
    }

    /** The oldest, or -1. */
    int first() {
        return head;
    }

    int after(int row) {
        return next.get(row);
    }

    int size() {
        return size;
    }

    boolean isEmpty() {
        return size == 0;
    }
}
