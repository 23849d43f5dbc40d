package smtpd.mda.deliver;

import java.util.function.Consumer;

/** One mail on its way through a thread that writes it as its recipient. */
final class Write {

    final Account account;
    final Reach reach;
    final Backend backend;
    final long deadlineNanos;

    /** How it ended; set by the writing thread. */
    Verdict verdict;

    /** What broke the writing thread's work on it; a defect of ours. Null normally. */
    Throwable broken;

    /** Who has it in hand; null while it waits. Guarded by {@link Writers}. */
    WriterThread thread;

    private final Consumer<Deliverer.Ended> told;

    /**
     * @param deadlineNanos of {@link System#nanoTime}
     * @param told called once, on a thread of mda's own identity that must not be held up
     */
    Write(
            Account account,
            Reach reach,
            Backend backend,
            long deadlineNanos,
            Consumer<Deliverer.Ended> told) {
        this.account = account;
        this.reach = reach;
        this.backend = backend;
        this.deadlineNanos = deadlineNanos;
        this.told = told;
    }

    void tell(Deliverer.Ended ended) {
        told.accept(ended);
    }
}
