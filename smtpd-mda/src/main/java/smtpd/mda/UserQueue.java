package smtpd.mda;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Predicate;
import smtpd.mda.deliver.Account;

/** All that waits and runs for one user, and what is known of him. */
final class UserQueue {

    /** What stands between this user's mail and its delivery. */
    enum State {
        /** lka is asked who this is. */
        LOOKUP,
        RUNNABLE,
        /** His file system is sick or does not let a thread go. */
        PAUSED
    }

    final EnvelopeJobs.UserKey key;

    /** Names the hold queue to the scheduler. */
    final long holdKey;

    private final Deque<Delivery> pending = new ArrayDeque<>();
    private State state = State.LOOKUP;
    private Account account;
    private int running;
    private int stuck;
    private boolean holding;
    private boolean owes;
    private boolean inRing;
    private long knownUntilNanos;

    UserQueue(EnvelopeJobs.UserKey key, long holdKey) {
        this.key = key;
        this.holdKey = holdKey;
    }

    void add(Delivery delivery) {
        pending.add(delivery);
    }

    void putBack(Delivery delivery) {
        pending.addFirst(delivery);
    }

    int pending() {
        return pending.size();
    }

    /** The first that may start now, taken out; null when there is none. */
    Delivery next(Predicate<Delivery> mayStart) {
        for (Iterator<Delivery> all = pending.iterator(); all.hasNext(); ) {
            Delivery delivery = all.next();
            if (mayStart.test(delivery)) {
                all.remove();
                return delivery;
            }
        }
        return null;
    }

    void each(Consumer<Delivery> work) {
        pending.forEach(work);
    }

    List<Delivery> takeAll() {
        List<Delivery> all = new ArrayList<>(pending);
        pending.clear();
        return all;
    }

    State state() {
        return state;
    }

    /** Unknown again: the next mail asks. */
    void forget() {
        state = State.LOOKUP;
        account = null;
    }

    void known(Account found, long untilNanos) {
        account = found;
        knownUntilNanos = untilNanos;
        state = stuck > 0 ? State.PAUSED : State.RUNNABLE;
    }

    boolean isStale(long nowNanos) {
        return account != null && nowNanos - knownUntilNanos >= 0;
    }

    Account account() {
        return account;
    }

    int running() {
        return running;
    }

    void started() {
        running++;
    }

    void ended() {
        running--;
    }

    void pause() {
        if (state == State.RUNNABLE) {
            state = State.PAUSED;
        }
    }

    void resume() {
        if (state == State.PAUSED && stuck == 0) {
            state = State.RUNNABLE;
        }
    }

    void stuck(int change) {
        stuck += change;
    }

    boolean isStuck() {
        return stuck > 0;
    }

    boolean isHolding() {
        return holding;
    }

    void holding(boolean now) {
        holding = now;
    }

    /** Whether the scheduler may still hold mail of this user that we asked it to hold. */
    boolean owes() {
        return owes;
    }

    void owes(boolean now) {
        owes = now;
    }

    boolean isInRing() {
        return inRing;
    }

    void inRing(boolean now) {
        inRing = now;
    }

    boolean isIdle() {
        return pending.isEmpty() && running == 0 && stuck == 0;
    }
}
