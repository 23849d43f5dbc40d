package smtpd.lka;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Threads for what may wait: each kind has its own few, so that a silent directory server does not
 * hold up the reading of an alias file. A full queue refuses, which is a temporary failure.
 *
 * @param users questions to the user database
 * @param disk tables, included files, {@code .forward}
 * @param watch looks whether system files changed; at most one task a file
 */
record Executors(ExecutorService users, ExecutorService disk, ExecutorService watch) {

    private static final int MAX_WAITING = 4096;

    static Executors start() {
        return new Executors(pool("lka-user", 4), pool("lka-disk", 4), pool("lka-watch", 1));
    }

    private static ExecutorService pool(String name, int threads) {
        ThreadPoolExecutor pool =
                new ThreadPoolExecutor(
                        threads,
                        threads,
                        30,
                        TimeUnit.SECONDS,
                        new ArrayBlockingQueue<>(MAX_WAITING),
                        Thread.ofPlatform().daemon().name(name + "-", 0).factory());
        pool.allowCoreThreadTimeOut(true);
        return pool;
    }
}
