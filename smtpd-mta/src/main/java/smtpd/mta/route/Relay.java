package smtpd.mta.route;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/** A destination with its options, and the tasks that wait for it. */
final class Relay extends Counted {

    final RelayKey key;
    final long id;
    final Domain domain;
    final List<Connector> connectors = new ArrayList<>();
    final Set<LiveSession> sessions = new HashSet<>();

    private final ArrayDeque<Task> fast = new ArrayDeque<>();
    private final ArrayDeque<Task> bulk = new ArrayDeque<>();
    private final Map<Task.Key, Task> open = new HashMap<>();
    private boolean bulkNext;
    int running;

    /** Sessions on their way to the greeting's end. */
    int connecting;

    /** High water was reached: what comes is held until low water. */
    boolean onHold;

    /** Something is, or may be, in its hold queue. */
    boolean hasHeld;

    /** A release was asked for and nothing has come yet. */
    boolean releasing;

    /** Open questions about its connectors. */
    int questions;

    boolean askingMx;
    boolean askingPreference;
    boolean askingSources;
    boolean hasSources;
    int backupPreference = Integer.MAX_VALUE;
    boolean hasPreference;

    /** It failed: what comes before this time is deferred at once. */
    long failedUntil = NEVER;

    smtpd.mta.session.Result failure;
    Timers.Timer failureTimer;
    Timers.Timer startTimer;
    boolean freed;

    Relay(RelayKey key, long id, Domain domain) {
        this.key = key;
        this.id = id;
        this.domain = domain;
    }

    /** Tasks not with a session. */
    int waitingTasks() {
        return fast.size() + bulk.size();
    }

    int tasks() {
        return waitingTasks() + running;
    }

    boolean isAsking() {
        return askingMx || askingPreference || askingSources;
    }

    /** The waiting task an envelope may join; null = none. */
    Task joinable(Task.Key taskKey) {
        Task task = open.get(taskKey);
        return task != null && task.letters().size() < Task.MAX_LETTERS ? task : null;
    }

    void add(Task task) {
        (task.isFast() ? fast : bulk).add(task);
        open.put(task.key(), task);
    }

    /** Back to the head of its lane. */
    void putBack(Task task) {
        task.running(false);
        running--;
        (task.isFast() ? fast : bulk).addFirst(task);
        open.put(task.key(), task);
    }

    /** The next task that fits, the lanes in turns. */
    Task take(Predicate<Task> fits) {
        ArrayDeque<Task> first = bulkNext ? bulk : fast;
        ArrayDeque<Task> second = bulkNext ? fast : bulk;
        Task task = take(first, fits);
        if (task == null) {
            task = take(second, fits);
        } else {
            bulkNext = !bulkNext;
        }
        if (task != null) {
            open.remove(task.key(), task);
            task.running(true);
            running++;
        }
        return task;
    }

    private static Task take(ArrayDeque<Task> lane, Predicate<Task> fits) {
        Task head = lane.peek();
        if (head == null) {
            return null;
        }
        if (fits.test(head)) {
            return lane.poll();
        }
        for (Task task : lane) {
            if (fits.test(task)) {
                lane.remove(task);
                return task;
            }
        }
        return null;
    }

    Task head() {
        Task head = fast.peek();
        return head != null ? head : bulk.peek();
    }

    void remove(Task task) {
        if (!fast.remove(task)) {
            bulk.remove(task);
        }
        open.remove(task.key(), task);
    }

    List<Task> waitingList() {
        List<Task> all = new ArrayList<>(fast);
        all.addAll(bulk);
        return all;
    }

    /** True when every waiting task is too big for this host: no use to go there. */
    boolean isUseless(Host host) {
        for (Task task : fast) {
            if (!task.isTooBigAt(host)) {
                return false;
            }
        }
        for (Task task : bulk) {
            if (!task.isTooBigAt(host)) {
                return false;
            }
        }
        return waitingTasks() > 0;
    }

    /** Own sessions that wait and could take one of the tasks. */
    int usefulIdle() {
        int count = 0;
        for (LiveSession session : sessions) {
            if (session.isIdle() && !isUseless(session.route.host)) {
                count++;
            }
        }
        return count;
    }
}
