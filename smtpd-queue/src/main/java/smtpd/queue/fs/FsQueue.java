package smtpd.queue.fs;

import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import smtpd.envelope.Evpid;
import smtpd.envelope.Msgid;
import smtpd.queue.backend.BackendException;
import smtpd.queue.backend.ContentFile;
import smtpd.queue.backend.FileOps;
import smtpd.queue.backend.Fitness;
import smtpd.queue.backend.Lanes;
import smtpd.queue.backend.Limits;
import smtpd.queue.backend.QueueBackend;
import smtpd.queue.backend.SpoolConfig;
import smtpd.queue.backend.SyncMode;
import smtpd.sys.Identity;
import smtpd.sys.SysException;

/**
 * The backend of plain files. Owns the threads: writers, on which operations on one message follow
 * each other and all others run in parallel, readers, and a clock for what is due each second.
 */
public final class FsQueue implements QueueBackend {

    private static final int PURGE_SLICE = 1000;
    private static final int SECONDS_BETWEEN_RETRIES = 60;

    /** An operation on files that may fail. */
    private interface Step<T> {
        T run() throws SysException;
    }

    private final SpoolConfig config;
    private final Fitness fitness;
    private final FileOps files;
    private final InstantSource clock;

    private final AtomicInteger commits = new AtomicInteger();
    private final AtomicLong commitBytes = new AtomicLong();
    private final Set<Object> thisRun = ConcurrentHashMap.newKeySet();
    private volatile boolean isTracking = true;
    private volatile boolean isOpen;
    private int seconds;

    private BackendEvents events;
    private Store store;
    private MessageCommit messages;
    private EnvelopeFiles envelopes;
    private Quarantine quarantine;
    private Trash trash;
    private FolderScan scan;
    private DiskState disk;
    private ExecutorService writers;
    private ExecutorService readers;
    private ScheduledExecutorService ticker;
    private Lanes lanes;

    public FsQueue(SpoolConfig config, Fitness fitness) {
        this(config, fitness, FileOps.REAL, InstantSource.system());
    }

    FsQueue(SpoolConfig config, Fitness fitness, FileOps files, InstantSource clock) {
        this.config = config;
        this.fitness = fitness;
        this.files = files;
        this.clock = clock;
    }

    @Override
    public Capabilities capabilities() {
        return new Capabilities(config.sync() != SyncMode.NONE, true, Limits.MAX_INLINE);
    }

    @Override
    public void open(BackendEvents backendEvents) throws BackendException {
        events = backendEvents;
        Spool spool = new Spool(files, config.root(), Identity.euid());
        spool.open();
        Problems problems = new Problems(clock, events);
        store = new Store(files, spool, Syncs.of(config.sync(), files, spool), problems);
        writers = pool("queue-write", config.writers());
        readers = pool("queue-read", config.readers());
        lanes = new Lanes(writers);
        messages = new MessageCommit(store, events::passed);
        envelopes = new EnvelopeFiles(store, events::passed);
        quarantine = new Quarantine(store, envelopes, clock, fitness);
        trash = new Trash(store, new SecureRandom());
        scan = new FolderScan(store, envelopes, trash, lanes, clock);
        disk = new DiskState(config, clock, store);
        try {
            trash.empty(spool.incoming(), "incoming");
            trash.empty(spool.temporary(), "temporary");
            quarantine.look();
        } catch (SysException e) {
            throw new BackendException(e.getMessage(), e);
        }
        disk.look();
        isOpen = true;
        ticker = Executors.newSingleThreadScheduledExecutor(named("queue-clock", false));
        ticker.scheduleWithFixedDelay(this::tick, 1, 1, TimeUnit.SECONDS);
    }

    private static ExecutorService pool(String name, int size) {
        return Executors.newFixedThreadPool(size, named(name, true));
    }

    private static java.util.concurrent.ThreadFactory named(String name, boolean isMany) {
        Thread.Builder.OfPlatform builder = Thread.ofPlatform().daemon();
        return (isMany ? builder.name(name + "-", 0) : builder.name(name)).factory();
    }

    /** What is due each second. Never lets an exception end the clock. */
    void tick() {
        try {
            if (disk.look()) {
                events.healthChanged();
            }
            for (String folder : List.copyOf(store.unsynced)) {
                syncLate(folder);
            }
            if (++seconds % SECONDS_BETWEEN_RETRIES == 0 && !store.undead.isEmpty()) {
                delete(List.copyOf(store.undead));
            }
            trash.purge(PURGE_SLICE);
        } catch (SysException | RuntimeException e) {
            store.problems.add("clock", "task=second", String.valueOf(e.getMessage()));
        }
    }

    /** A removal that is lost costs a duplicate, so its folder may be synced late. */
    private void syncLate(String folder) {
        store.unsynced.remove(folder);
        try {
            store.syncFolder(folder);
        } catch (SysException e) {
            if (!Store.isAbsent(e)) {
                store.problems.add("sync", "folder=" + folder, e.getMessage());
            }
        }
    }

    @Override
    public boolean isFree(Msgid id) {
        // incoming/ and temporary/ hold only what this run makes there, under names it drew.
        return !store.setAside.contains(id) && !files.exists(store.spool.queue(), Names.folder(id));
    }

    @Override
    public CompletionStage<ContentFile> newContent(Msgid id) {
        return in(
                Set.of(id),
                () -> ContentUpload.open(store, id.toString()),
                e -> new ContentFile.Failed(e.getMessage(), disk.failed(e).full()),
                new ContentFile.Failed("closed", false));
    }

    @Override
    public CompletionStage<Stored> commit(Commit commit) {
        long size = size(commit);
        String refused = null;
        long wait = disk.pause();
        int waiting = commits.incrementAndGet();
        long waitingBytes = commitBytes.addAndGet(size);
        if (waiting > Limits.MAX_COMMITS || waitingBytes > Limits.MAX_COMMIT_BYTES) {
            refused = "too many commits at once";
        } else if (wait > 0) {
            refused = "storage failed a moment ago";
        }
        if (refused != null || !isOpen) {
            commits.decrementAndGet();
            commitBytes.addAndGet(-size);
            abort(commit);
            Duration after = wait > 0 ? Duration.ofMillis(wait) : Limits.RETRY;
            return CompletableFuture.completedFuture(
                    new Stored.Temporary(refused == null ? "closed" : refused, after, false));
        }
        Set<Msgid> touched = new HashSet<>();
        touched.add(commit.id());
        commit.deletes().forEach(d -> touched.add(d.msgid()));
        return in(touched, () -> store(commit), disk::failed, closed())
                .whenComplete(
                        (_, _) -> {
                            commits.decrementAndGet();
                            commitBytes.addAndGet(-size);
                        });
    }

    private static long size(Commit commit) {
        long n = commit.content() instanceof NewContent.Memory m ? m.length() : 0;
        for (Text t : commit.texts()) {
            n += t.bytes().length;
        }
        return n;
    }

    private static void abort(Commit commit) {
        if (commit.content() instanceof NewContent.InFile f) {
            f.file().handle().abort();
        }
    }

    private Stored store(Commit commit) throws SysException {
        track(commit);
        try {
            if (commit.content() != null) {
                String wrong = messages.store(commit);
                if (wrong != null) {
                    return new Stored.Temporary(wrong, Limits.RETRY, false);
                }
            } else if (!commit.texts().isEmpty() && !messages.add(commit.id(), commit.texts())) {
                return new Stored.Absent();
            }
        } finally {
            abort(commit); // harmless once it is stored
        }
        // The rest is durable. A removal that fails is kept in mind and tried on.
        envelopes.delete(commit.deletes());
        return new Stored.Ok();
    }

    /** Until the first walk is over, it must not find what the queue knows from this commit. */
    private void track(Commit commit) {
        if (!isTracking) {
            return;
        }
        if (commit.content() != null) {
            thisRun.add(commit.id());
        } else {
            for (Text t : commit.texts()) {
                if (!files.exists(store.spool.queue(), Names.envelope(t.id()))) {
                    thisRun.add(t.id());
                }
            }
        }
    }

    @Override
    public CompletionStage<Stored> update(Text text) {
        return in(
                Set.of(text.id().msgid()),
                () -> envelopes.update(text) ? new Stored.Ok() : new Stored.Absent(),
                disk::failed,
                closed());
    }

    @Override
    public CompletionStage<Stored> delete(List<Evpid> ids) {
        Set<Msgid> touched = new HashSet<>();
        ids.forEach(id -> touched.add(id.msgid()));
        return in(
                touched,
                () -> {
                    String trouble = envelopes.delete(ids);
                    return trouble == null
                            ? new Stored.Ok()
                            : new Stored.Temporary(
                                    trouble, Duration.ofSeconds(SECONDS_BETWEEN_RETRIES), false);
                },
                disk::failed,
                closed());
    }

    @Override
    public CompletionStage<Load> load(Evpid id) {
        return read(() -> envelopes.load(id), new Load.Unreadable("closed"));
    }

    @Override
    public CompletionStage<ContentLoad> content(Msgid id) {
        return read(() -> envelopes.content(id), new ContentLoad.Unreadable("closed"));
    }

    @Override
    public CompletionStage<Stored> quarantine(Evpid id, String reason) {
        return in(
                Set.of(id.msgid()),
                () -> quarantine.take(id, reason) ? new Stored.Ok() : new Stored.Absent(),
                disk::failed,
                closed());
    }

    @Override
    public CompletionStage<Restored> restore(Msgid id) {
        return in(
                Set.of(id),
                () -> quarantine.restore(id),
                e -> new Restored(0, List.of(id + ": " + e.getMessage())),
                new Restored(0, List.of(id + ": closed")));
    }

    @Override
    public CompletionStage<CommitState> state(Msgid id) {
        return in(
                Set.of(id),
                () -> {
                    if (!files.exists(store.spool.queue(), Names.folder(id))) {
                        return CommitState.UNKNOWN;
                    }
                    store.syncFolder(Names.folder(id));
                    store.syncFolder(id.bucket());
                    store.syncs.barrier();
                    return CommitState.DURABLE;
                },
                _ -> CommitState.UNKNOWN,
                CommitState.UNKNOWN);
    }

    @Override
    public Walk walk() {
        Set<Object> skipped = isTracking ? thisRun : Set.of();
        return new SpoolWalk(store, scan, readers, skipped, this::walked);
    }

    private void walked() {
        isTracking = false;
        thisRun.clear();
    }

    @Override
    public CompletionStage<List<Entry>> discover(Msgid id) {
        return read(
                () -> {
                    store.index.forget(id);
                    return scan.read(scan.envelopes(id));
                },
                List.of());
    }

    /** In order behind everything that was asked for before. */
    @Override
    public CompletionStage<Stored> settle(Duration limit) {
        long end = System.nanoTime() + limit.toNanos();
        return read(
                () -> {
                    while (lanes.size() > 0 && System.nanoTime() < end) {
                        java.util.concurrent.locks.LockSupport.parkNanos(1_000_000);
                    }
                    for (String folder : new ArrayList<>(store.unsynced)) {
                        syncLate(folder);
                    }
                    return lanes.size() == 0
                            ? new Stored.Ok()
                            : new Stored.Temporary("still writing", Limits.RETRY, false);
                },
                closed());
    }

    @Override
    public CompletionStage<Stored> materialise(List<Msgid> ids) {
        return CompletableFuture.completedFuture(new Stored.Ok());
    }

    @Override
    public Health health() {
        return isOpen ? disk.health() : new Health(-1, -1, false, "storage");
    }

    @Override
    public List<String> problems() {
        return store == null ? List.of() : store.problems.lines();
    }

    /** Messages in storage, as far as the walk and this run know. */
    public long messages() {
        return store.index.messages();
    }

    /** Envelopes in storage, as far as the walk and this run know. */
    public long envelopes() {
        return store.index.envelopes();
    }

    @Override
    public void close() {
        if (!isOpen) {
            return;
        }
        isOpen = false;
        ticker.shutdown();
        settleBeforeClose();
        for (ExecutorService pool : List.of(ticker, writers, readers)) {
            pool.close();
        }
        store.spool.close();
    }

    private void settleBeforeClose() {
        while (lanes.size() > 0) {
            java.util.concurrent.locks.LockSupport.parkNanos(1_000_000);
        }
        List.copyOf(store.unsynced).forEach(this::syncLate);
    }

    private static Stored closed() {
        return new Stored.Temporary("closed", Limits.RETRY, false);
    }

    private <T> CompletableFuture<T> in(
            Set<Msgid> touched,
            Step<? extends T> step,
            Function<SysException, T> failed,
            T closed) {
        CompletableFuture<T> answer = new CompletableFuture<>();
        if (!isOpen) {
            answer.complete(closed);
            return answer;
        }
        try {
            lanes.submit(touched, () -> run(step, failed, answer));
        } catch (RejectedExecutionException e) {
            answer.complete(closed);
        }
        return answer;
    }

    private static <T> void run(
            Step<? extends T> step, Function<SysException, T> failed, CompletableFuture<T> answer) {
        try {
            answer.complete(step.run());
        } catch (SysException e) {
            answer.complete(failed.apply(e));
        } catch (RuntimeException | Error e) {
            answer.completeExceptionally(e);
        }
    }

    private <T> CompletionStage<T> read(java.util.function.Supplier<T> work, T closed) {
        if (!isOpen) {
            return CompletableFuture.completedFuture(closed);
        }
        try {
            return CompletableFuture.supplyAsync(work, readers);
        } catch (RejectedExecutionException e) {
            return CompletableFuture.completedFuture(closed);
        }
    }
}
