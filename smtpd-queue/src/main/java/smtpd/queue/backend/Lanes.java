package smtpd.queue.backend;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executor;
import smtpd.envelope.Msgid;

/**
 * Runs tasks that touch the same message one after the other in the order they were given, and all
 * others in parallel. A task may touch several messages: it starts when it is first in each of
 * their lanes. Tasks enter all their lanes at once, so two of them can never wait for each other.
 */
public final class Lanes {

    private static final class Task {
        private final Set<Msgid> keys;
        private final Runnable work;
        private int ahead;

        Task(Set<Msgid> keys, Runnable work) {
            this.keys = keys;
            this.work = work;
        }
    }

    private final Executor executor;

    /** Guarded by this, as are the counts in its tasks. */
    private final Map<Msgid, ArrayDeque<Task>> lanes = new HashMap<>();

    public Lanes(Executor executor) {
        this.executor = executor;
    }

    public void submit(Set<Msgid> keys, Runnable work) {
        Task task = new Task(Set.copyOf(keys), work);
        boolean isFirst;
        synchronized (this) {
            for (Msgid key : task.keys) {
                ArrayDeque<Task> lane = lanes.computeIfAbsent(key, k -> new ArrayDeque<>(2));
                if (!lane.isEmpty()) {
                    task.ahead++;
                }
                lane.add(task);
            }
            isFirst = task.ahead == 0;
        }
        if (isFirst) {
            start(task);
        }
    }

    /** Messages with a task now. */
    public synchronized int size() {
        return lanes.size();
    }

    private void start(Task task) {
        executor.execute(
                () -> {
                    try {
                        task.work.run();
                    } finally {
                        done(task);
                    }
                });
    }

    private void done(Task task) {
        List<Task> ready = new java.util.ArrayList<>(1);
        synchronized (this) {
            for (Msgid key : task.keys) {
                ArrayDeque<Task> lane = lanes.get(key);
                lane.poll();
                Task next = lane.peek();
                if (next == null) {
                    lanes.remove(key);
                } else if (--next.ahead == 0) {
                    ready.add(next);
                }
            }
        }
        ready.forEach(this::start);
    }
}
