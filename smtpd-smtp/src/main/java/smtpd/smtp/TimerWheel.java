package smtpd.smtp;

/**
 * Deadlines of all sessions of one loop, to the second, for one timer. Moving a deadline later
 * costs a store: the entry stays where it is and finds its new place when its old one comes round.
 */
final class TimerWheel {

    private static final int SLOTS = 512;

    /** Something with at most one deadline. */
    abstract static class Timed {
        private long due = Long.MAX_VALUE;
        private long filedAt = -1;
        private Timed previous;
        private Timed next;

        /** The deadline passed; it is not set any more. */
        abstract void expired();

        boolean isHead() {
            return false;
        }
    }

    private static final class Head extends Timed {
        @Override
        void expired() {}

        @Override
        boolean isHead() {
            return true;
        }
    }

    private final Head[] slots = new Head[SLOTS];
    private long now;

    TimerWheel() {
        for (int i = 0; i < SLOTS; i++) {
            Head head = new Head();
            ((Timed) head).previous = head;
            ((Timed) head).next = head;
            slots[i] = head;
        }
    }

    /** Sets the deadline; it replaces the one before. */
    void arm(Timed timed, int seconds) {
        timed.due = now + Math.max(1, seconds);
        if (timed.filedAt < 0) {
            file(timed);
        } else if (timed.due < timed.filedAt) {
            unlink(timed);
            file(timed);
        }
    }

    /** Seconds since the wheel was made. */
    long now() {
        return now;
    }

    /** No deadline any more; the wheel forgets the entry. */
    void forget(Timed timed) {
        timed.due = Long.MAX_VALUE;
        if (timed.filedAt >= 0) {
            unlink(timed);
        }
    }

    /** One second has passed. */
    void tick() {
        now++;
        Timed head = slots[(int) (now % SLOTS)];
        Timed timed = head.next;
        while (!timed.isHead()) {
            Timed following = timed.next;
            if (timed.filedAt <= now) {
                unlink(timed);
                if (timed.due > now) {
                    file(timed);
                } else {
                    timed.due = Long.MAX_VALUE;
                    timed.expired();
                    if (following.filedAt < 0 && !following.isHead()) {
                        following = head.next; // its neighbour left with it
                    }
                }
            }
            timed = following;
        }
    }

    private void file(Timed timed) {
        timed.filedAt = Math.min(timed.due, now + SLOTS - 1);
        Timed head = slots[(int) (timed.filedAt % SLOTS)];
        timed.previous = head.previous;
        timed.next = head;
        head.previous.next = timed;
        head.previous = timed;
    }

    private static void unlink(Timed timed) {
        timed.previous.next = timed.next;
        timed.next.previous = timed.previous;
        timed.previous = null;
        timed.next = null;
        timed.filedAt = -1;
    }
}
