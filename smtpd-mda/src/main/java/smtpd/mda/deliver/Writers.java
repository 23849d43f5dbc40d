package smtpd.mda.deliver;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The threads that write mailboxes, and the mails that wait for them.
 *
 * <p>A thread belongs to one recipient and what he may reach, for good. It takes his waiting mails
 * together, and ends when none has come for a second, or when one failed: then the next begins from
 * scratch. Threads are made by who submits or by the teller, which have mda's own identity; the
 * teller also says how mails ended, and gives up those whose time is over.
 */
public final class Writers implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Writers.class);

    private static final int MAX_BATCH = 16;
    private static final int MAX_RESTING = 32;
    private static final long REST_NANOS = 1_000_000_000L;
    private static final long LOOK_NANOS = 1_000_000_000L;
    private static final int THREADS_PER_RECIPIENT = 4;

    /** Whose mail may share a thread: the credentials and the folders are the same. */
    private record Whose(int uid, int gid, Reach reach) {}

    /** The mails of one recipient, and his threads. */
    static final class Line {
        private final Whose whose;
        private final Deque<Write> waiting = new ArrayDeque<>();
        private final Deque<WriterThread> resting = new ArrayDeque<>();
        private int threads;
        private int writing;
        private boolean isUnserved;

        private Line(Whose whose) {
            this.whose = whose;
        }
    }

    private final Rights rights;
    private final int limit;
    private final Thread teller;

    // Session threads, writing threads and the teller meet here: the lock guards all below, and
    // what Write and WriterThread say of it. Nothing blocks while it is held.
    private final Object lock = new Object();
    private final Map<Whose, Line> lines = new HashMap<>();
    private final Deque<Line> unserved = new ArrayDeque<>();
    private final Set<WriterThread> resting = new LinkedHashSet<>();
    private final Set<Write> open = new LinkedHashSet<>();
    private List<Write> ended = new ArrayList<>();
    private int writing;
    private boolean isTellerQuiet;
    private boolean isClosing;

    /**
     * @param limit threads that write at once
     */
    public Writers(Rights rights, int limit) {
        this.rights = rights;
        this.limit = limit;
        this.teller = Thread.ofPlatform().name("mda-teller").daemon(true).unstarted(this::tell);
        teller.start();
    }

    /** Has the mail written; only from a thread of mda's own identity. */
    void submit(Write mail) {
        WriterThread made;
        boolean wake;
        synchronized (lock) {
            Whose whose = new Whose(mail.account.uid(), mail.account.gid(), mail.reach);
            Line line = lines.computeIfAbsent(whose, Line::new);
            open.add(mail);
            line.waiting.add(mail);
            made = serve(line, mail.account);
            wake = isTellerQuiet;
            isTellerQuiet = false;
        }
        start(made);
        if (wake) {
            LockSupport.unpark(teller); // it watches the deadline
        }
    }

    /** Threads that exist, resting ones with them. */
    int threads() {
        synchronized (lock) {
            return lines.values().stream().mapToInt(line -> line.threads).sum();
        }
    }

    /** Ends resting threads; what is under way comes to its end. */
    @Override
    public void close() {
        synchronized (lock) {
            isClosing = true;
            List.copyOf(resting).forEach(this::dismiss);
        }
        LockSupport.unpark(teller);
    }

    // ---- who writes; with the lock held

    /** Gives the line's mails to a thread of his, within the limits; one to be started, or null. */
    private WriterThread serve(Line line, Account account) {
        if (line.waiting.isEmpty() || line.writing >= THREADS_PER_RECIPIENT) {
            return null; // one of his threads takes them when it is done
        }
        if (writing >= limit) {
            leaveUnserved(line);
            return null;
        }
        WriterThread thread = line.resting.pollLast();
        boolean isNew = thread == null;
        if (isNew) {
            thread = new WriterThread(this, line, rights, account, line.whose.reach);
            line.threads++;
        } else {
            resting.remove(thread);
        }
        thread.isWriting = true;
        line.writing++;
        writing++;
        thread.batch = take(line, thread);
        if (!isNew) {
            LockSupport.unpark(thread.thread());
        }
        return isNew ? thread : null;
    }

    private void leaveUnserved(Line line) {
        if (line.writing == 0 && !line.isUnserved) {
            line.isUnserved = true;
            unserved.addLast(line);
        }
    }

    private static List<Write> take(Line line, WriterThread thread) {
        List<Write> batch = new ArrayList<>(Math.min(MAX_BATCH, line.waiting.size()));
        while (batch.size() < MAX_BATCH && !line.waiting.isEmpty()) {
            Write mail = line.waiting.pollFirst();
            mail.thread = thread;
            batch.add(mail);
        }
        return batch;
    }

    private void stopWriting(WriterThread thread) {
        if (thread.isWriting) {
            thread.isWriting = false;
            thread.line.writing--;
            writing--;
            if (!thread.line.waiting.isEmpty()) {
                leaveUnserved(thread.line);
            }
        }
    }

    /** Ends a resting thread; it must not be given anything from here on. */
    private void dismiss(WriterThread thread) {
        resting.remove(thread);
        thread.line.resting.remove(thread);
        thread.isDismissed = true;
        LockSupport.unpark(thread.thread());
    }

    private void leave(WriterThread thread) {
        if (thread.isGone) {
            return;
        }
        thread.isGone = true;
        stopWriting(thread);
        thread.line.threads--;
        resting.remove(thread);
        thread.line.resting.remove(thread);
        forgetIfEmpty(thread.line);
    }

    private void forgetIfEmpty(Line line) {
        if (line.threads == 0 && line.waiting.isEmpty()) {
            lines.remove(line.whose, line);
        }
    }

    // ---- called by writing threads

    List<Write> first(WriterThread thread) {
        synchronized (lock) {
            return handOver(thread);
        }
    }

    private static List<Write> handOver(WriterThread thread) {
        List<Write> batch = thread.batch;
        thread.batch = null;
        return batch;
    }

    /** Takes back what is done, and gives what is next; null when the thread is to end. */
    List<Write> next(WriterThread thread, List<Write> done) {
        List<Write> more = null;
        boolean goesOn;
        synchronized (lock) {
            goesOn = takeBack(thread, done);
            if (goesOn) {
                more = another(thread);
            }
        }
        LockSupport.unpark(teller);
        return more == null && goesOn ? rest(thread) : more;
    }

    /** The thread broke, with what it had in hand. */
    void broke(WriterThread thread, Throwable why) {
        synchronized (lock) {
            List<Write> lost = open.stream().filter(mail -> mail.thread == thread).toList();
            lost.forEach(mail -> mail.broken = why);
            takeBack(thread, lost);
            leave(thread);
        }
        LockSupport.unpark(teller);
    }

    /** Takes back what is done; false when the thread must end, which it has left then. */
    private boolean takeBack(WriterThread thread, List<Write> done) {
        boolean isClean = !thread.isGivenUp && !isClosing;
        for (Write mail : done) {
            if (open.remove(mail)) {
                ended.add(mail);
            }
            isClean &= mail.verdict instanceof Verdict.Delivered;
        }
        if (!isClean) {
            leave(thread);
        }
        return isClean;
    }

    /** More of the same recipient, unless somebody else has waited longer for a thread. */
    private List<Write> another(WriterThread thread) {
        Line line = thread.line;
        if (!line.waiting.isEmpty() && unserved.isEmpty()) {
            return take(line, thread);
        }
        stopWriting(thread);
        line.resting.addLast(thread);
        resting.add(thread);
        if (resting.size() > MAX_RESTING) {
            dismiss(resting.iterator().next());
        }
        return null;
    }

    private List<Write> rest(WriterThread thread) {
        long until = System.nanoTime() + REST_NANOS;
        while (true) {
            LockSupport.parkNanos(this, until - System.nanoTime());
            synchronized (lock) {
                if (thread.batch != null) {
                    return handOver(thread);
                }
                if (thread.isDismissed || System.nanoTime() - until >= 0) {
                    leave(thread);
                    return null;
                }
            }
        }
    }

    // ---- the teller

    private void tell() {
        while (true) {
            List<Write> over = new ArrayList<>();
            List<WriterThread> made = new ArrayList<>();
            List<Write> told;
            boolean isQuiet;
            synchronized (lock) {
                giveUpLate(over);
                while (writing < limit && !unserved.isEmpty()) {
                    Line line = unserved.pollFirst();
                    line.isUnserved = false;
                    forgetIfEmpty(line);
                    if (!line.waiting.isEmpty()) {
                        WriterThread thread = serve(line, line.waiting.peekFirst().account);
                        if (thread != null) {
                            made.add(thread);
                        }
                    }
                }
                told = ended;
                ended = new ArrayList<>();
                isQuiet = open.isEmpty();
                isTellerQuiet = isQuiet;
                if (isQuiet && told.isEmpty() && over.isEmpty() && isClosing) {
                    return;
                }
            }
            made.forEach(this::start);
            for (Write mail : told) {
                tell(mail, ended(mail));
            }
            for (Write mail : over) {
                Thread thread = mail.thread == null ? null : mail.thread.thread();
                tell(
                        mail,
                        new Deliverer.Ended(
                                Verdict.temporary("4.3.0", "delivery timed out"), thread));
            }
            if (told.isEmpty() && over.isEmpty()) {
                if (isQuiet) {
                    LockSupport.park(this);
                } else {
                    LockSupport.parkNanos(this, LOOK_NANOS);
                }
            }
        }
    }

    private static void tell(Write mail, Deliverer.Ended ended) {
        try {
            mail.tell(ended);
        } catch (RuntimeException e) {
            LOG.error("event=result-not-told", e); // the loop is gone
        }
    }

    private static Deliverer.Ended ended(Write mail) {
        if (mail.broken == null) {
            return Deliverer.Ended.with(mail.verdict);
        }
        LOG.error("event=delivery-broke user={}", mail.account.name(), mail.broken);
        return Deliverer.Ended.with(Verdict.temporary("4.3.0", "delivery broke off"));
    }

    /** Mails whose time is over; a thread that has one in hand hangs in the kernel. */
    private void giveUpLate(List<Write> over) {
        long now = System.nanoTime();
        for (Iterator<Write> all = open.iterator(); all.hasNext(); ) {
            Write mail = all.next();
            if (now - mail.deadlineNanos < 0) {
                continue;
            }
            all.remove();
            over.add(mail);
            if (mail.thread == null) {
                lines.values().forEach(line -> line.waiting.remove(mail));
            } else if (!mail.thread.isGivenUp) {
                mail.thread.isGivenUp = true;
                stopWriting(mail.thread);
            }
        }
    }

    private void start(WriterThread thread) {
        if (thread == null) {
            return;
        }
        try {
            thread.thread().start();
        } catch (OutOfMemoryError e) {
            // The kernel gave no thread: nothing was tried.
            synchronized (lock) {
                List<Write> batch = handOver(thread);
                batch.forEach(mail -> mail.verdict = Deliverer.noThread());
                takeBack(thread, batch);
            }
            LockSupport.unpark(teller);
        }
    }
}
