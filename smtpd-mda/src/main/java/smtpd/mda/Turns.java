package smtpd.mda;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Consumer;
import smtpd.conf.Limit;
import smtpd.conf.Limits;

/**
 * Whose turn it is: users with work stand in a ring, each gets one session at a time, then the next
 * user. Keeps the limits in all, per user, and one writer per mailbox file.
 */
final class Turns {

    private final Consumer<Delivery> start;
    private final Deque<UserQueue> ring = new ArrayDeque<>();
    private final Set<String> busyFiles = new HashSet<>();
    private final Set<UserQueue> waitingForFile = new HashSet<>();
    private int maxSessions;
    private int maxPerUser;
    private int running;
    private boolean paused;

    Turns(Consumer<Delivery> start) {
        this.start = start;
    }

    void limits(Limits limits) {
        maxSessions = limits.intOf(Limit.MDA_MAX_SESSION);
        maxPerUser = limits.intOf(Limit.MDA_MAX_SESSION_PER_USER);
    }

    int running() {
        return running;
    }

    /** Nothing starts while paused. */
    void pause(boolean now) {
        paused = now;
    }

    /** This user may have something to start. */
    void ready(UserQueue user) {
        if (!user.isInRing()
                && user.state() == UserQueue.State.RUNNABLE
                && user.pending() > 0
                && user.running() < maxPerUser) {
            user.inRing(true);
            ring.addLast(user);
        }
    }

    /** Starts as many as the limits allow. */
    void run() {
        while (!paused && running < maxSessions && !ring.isEmpty()) {
            UserQueue user = ring.pollFirst();
            user.inRing(false);
            if (user.state() != UserQueue.State.RUNNABLE || user.running() >= maxPerUser) {
                continue; // comes back when a session ends
            }
            Delivery next = user.next(d -> d.file == null || !busyFiles.contains(d.file));
            if (next == null) {
                if (user.pending() > 0) {
                    waitingForFile.add(user);
                }
                continue;
            }
            if (next.file != null) {
                busyFiles.add(next.file);
            }
            running++;
            user.started();
            start.accept(next);
            ready(user);
        }
    }

    void ended(Delivery delivery) {
        running--;
        delivery.user.ended();
        if (delivery.file != null && busyFiles.remove(delivery.file)) {
            Set<UserQueue> waiting = Set.copyOf(waitingForFile);
            waitingForFile.clear();
            waiting.forEach(this::ready);
        }
        ready(delivery.user);
    }
}
