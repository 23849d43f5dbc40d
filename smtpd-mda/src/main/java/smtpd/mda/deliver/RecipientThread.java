package smtpd.mda.deliver;

import java.util.concurrent.TimeUnit;
import smtpd.sys.SysException;

/**
 * One thread that becomes the recipient, does one thing and ends.
 *
 * <p>Threads inherit credentials from the one that makes them, so what runs here makes none: no
 * log, no executor, no virtual thread. The result waits in a field for the thread that joins.
 *
 * @param <T> what is left behind
 */
final class RecipientThread<T> {

    /** What to do as the recipient. */
    interface Work<T> {
        T run();
    }

    /** The change of credentials. */
    interface Become {
        void apply() throws SysException;
    }

    private final Thread thread;
    private T result;
    private SysException refused;
    private Throwable broken;

    RecipientThread(String name, Become become, Work<T> work) {
        this.thread =
                Thread.ofPlatform()
                        .name(name)
                        .daemon(true)
                        .stackSize(256 * 1024)
                        .inheritInheritableThreadLocals(false)
                        .unstarted(() -> run(become, work));
    }

    private void run(Become become, Work<T> work) {
        try {
            become.apply();
            result = work.run();
        } catch (SysException e) {
            refused = e;
        } catch (RuntimeException | Error e) {
            broken = e; // told by the thread that joins: this one may not log
        }
    }

    /**
     * Runs it to its end.
     *
     * @return false when the time was up first; the thread goes on by itself
     */
    boolean runUntil(long deadlineNanos) throws InterruptedException {
        thread.start();
        long left = deadlineNanos - System.nanoTime();
        TimeUnit.NANOSECONDS.timedJoin(thread, Math.max(left, 1));
        return !thread.isAlive();
    }

    Thread thread() {
        return thread;
    }

    /** What the work left; null when it did not come to that. */
    T result() {
        if (broken != null) {
            throw new IllegalStateException("delivery thread broke", broken);
        }
        return result;
    }

    /** Why the thread could not become the recipient; null when it did. */
    SysException refused() {
        return refused;
    }
}
