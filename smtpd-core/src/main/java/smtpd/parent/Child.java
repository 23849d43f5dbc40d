package smtpd.parent;

import java.util.ArrayDeque;
import java.util.Deque;
import smtpd.imsg.Role;

/** What the parent knows of one child, over all its incarnations. Belongs to the parent's loop. */
final class Child {

    /** Where an incarnation stands. */
    enum State {
        /** Waits for its back-off to end. */
        DEAD,
        /** Spawned; has not said hello. */
        SPAWNED,
        /** Said hello; was offered the configuration. */
        OFFERED,
        /** Accepted it. */
        ACCEPTED,
        /** Activates it. */
        ACTIVATED,
        READY
    }

    private static final long WINDOW_NANOS = 60_000_000_000L;

    /** Deaths in a minute that end the daemon. */
    static final int MAX_DEATHS = 5;

    final Role role;
    State state = State.DEAD;
    int generation;
    int pid = -1;
    long spawnedNanos;
    boolean wasReady;
    boolean stopSent;
    boolean orderedStop;
    int pingsOut;
    final Deque<Long> deaths = new ArrayDeque<>();
    final Deque<Long> accusations = new ArrayDeque<>();

    Child(Role role) {
        this.role = role;
    }

    boolean isAlive() {
        return state != State.DEAD;
    }

    /** Deaths within the last minute, this one counted. */
    int died(long now) {
        deaths.addLast(now);
        return forget(deaths, now);
    }

    int accused(long now) {
        accusations.addLast(now);
        return forget(accusations, now);
    }

    private static int forget(Deque<Long> times, long now) {
        while (now - times.peekFirst() > WINDOW_NANOS) {
            times.removeFirst();
        }
        return times.size();
    }

    /** Seconds to wait before the next incarnation: 0, 1, 2, 4. */
    int backoffSeconds() {
        int recent = deaths.size();
        return recent <= 1 ? 0 : 1 << Math.min(recent - 2, 2);
    }
}
