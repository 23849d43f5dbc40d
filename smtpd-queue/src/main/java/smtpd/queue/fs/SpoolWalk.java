package smtpd.queue.fs;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import smtpd.envelope.Evpid;
import smtpd.envelope.Msgid;
import smtpd.queue.backend.QueueBackend.Entry;
import smtpd.queue.backend.QueueBackend.Walk;
import smtpd.sys.Errno;
import smtpd.sys.SysException;

/**
 * One pass over {@code queue/}, bucket by bucket and message by message: names first, then the
 * texts on several threads. Memory is bounded by the names of one bucket.
 */
final class SpoolWalk implements Walk {

    /** Texts that one reading thread takes at a time. */
    private static final int CHUNK = 16;

    private final Store store;
    private final FolderScan scan;
    private final Executor readers;
    private final Set<Object> skipped;
    private final Runnable finished;

    private final ArrayDeque<String> buckets = new ArrayDeque<>();
    private final ArrayDeque<String> folders = new ArrayDeque<>();
    private final Set<Msgid> moved = new HashSet<>();
    private String bucket = "";
    private boolean isBegun;
    private volatile boolean isClosed;

    /**
     * @param skipped ids of messages and envelopes that this run stored
     * @param finished called once, at the end
     */
    SpoolWalk(
            Store store,
            FolderScan scan,
            Executor readers,
            Set<Object> skipped,
            Runnable finished) {
        this.store = store;
        this.scan = scan;
        this.readers = readers;
        this.skipped = skipped;
        this.finished = finished;
    }

    @Override
    public CompletionStage<List<Entry>> next(int max) {
        return CompletableFuture.supplyAsync(() -> ids(max), readers)
                .thenCompose(ids -> read(ids, max));
    }

    private CompletionStage<List<Entry>> read(List<Evpid> ids, int max) {
        if (ids.isEmpty()) {
            close();
            return CompletableFuture.completedFuture(List.of());
        }
        List<CompletableFuture<List<Entry>>> chunks = new ArrayList<>();
        for (int i = 0; i < ids.size(); i += CHUNK) {
            List<Evpid> chunk = ids.subList(i, Math.min(ids.size(), i + CHUNK));
            chunks.add(CompletableFuture.supplyAsync(() -> scan.read(chunk), readers));
        }
        return CompletableFuture.allOf(chunks.toArray(new CompletableFuture<?>[0]))
                .thenCompose(
                        _ -> {
                            List<Entry> all = new ArrayList<>(ids.size());
                            chunks.forEach(c -> all.addAll(c.join()));
                            // An empty list means the end, so unreadable ones alone do not make it.
                            return all.isEmpty()
                                    ? next(max)
                                    : CompletableFuture.completedFuture(all);
                        });
    }

    /** Whole messages until there are enough. */
    private List<Evpid> ids(int max) {
        List<Evpid> ids = new ArrayList<>();
        if (!isBegun) {
            isBegun = true;
            begin();
        }
        while (ids.size() < max && !isClosed) {
            String folder = folders.poll();
            if (folder != null) {
                message(folder, ids);
            } else if (!nextBucket()) {
                break;
            }
        }
        return ids;
    }

    private void begin() {
        List<String> names = new ArrayList<>();
        try {
            int fd = store.files.open(store.spool.queue(), ".", Spool.FOLDER, 0);
            try {
                store.files.list(fd, names::add);
            } finally {
                store.closeQuietly(fd);
            }
        } catch (SysException e) {
            store.problems.add("unreadable", "folder=queue", e.getMessage());
        }
        names.sort(null);
        for (String name : names) {
            if (name.length() == 2 && Names.isHex(name, 0, 2)) {
                buckets.add(name);
            } else if (!name.equals(".keycheck")) {
                store.problems.add("foreign", "file=queue/" + name, "not a bucket");
            }
        }
    }

    private boolean nextBucket() {
        bucket = buckets.poll();
        if (bucket == null) {
            return false;
        }
        try {
            List<String> names = store.names(bucket);
            names.sort(null);
            folders.addAll(names);
        } catch (SysException e) {
            if (!Store.isAbsent(e)) {
                store.problems.add("bucket", "bucket=" + bucket, e.getMessage());
            }
        }
        return true;
    }

    private void message(String name, List<Evpid> ids) {
        String path = bucket + "/" + name;
        if (name.length() != 8 || !Names.isHex(name, 0, 8)) {
            store.problems.add("foreign", "file=queue/" + path, "not a message");
            return;
        }
        Msgid id = Msgid.parse(name);
        if (id.isNone() || skipped.contains(id)) {
            return;
        }
        if (!path.equals(Names.folder(id))) {
            if (!bringHome(path, id)) {
                return;
            }
            moved.add(id);
        } else if (moved.contains(id)) {
            return;
        }
        for (Evpid evp : scan.envelopes(id)) {
            if (!skipped.contains(evp)) {
                ids.add(evp);
            }
        }
    }

    /** Older releases took the last two digits as the bucket; others wrote upper case. */
    private boolean bringHome(String path, Msgid id) {
        try {
            try {
                store.files.mkdir(store.spool.queue(), id.bucket(), 0700);
            } catch (SysException e) {
                if (e.errno() != Errno.EEXIST) {
                    throw e;
                }
            }
            int queue = store.spool.queue();
            store.files.renameNew(queue, path, queue, Names.folder(id));
            store.syncFolder(id.bucket());
            return true;
        } catch (SysException e) {
            String why =
                    e.errno() == Errno.EEXIST || e.errno() == Errno.ENOTEMPTY
                            ? "the same message is in its own bucket, which counts"
                            : e.getMessage();
            store.problems.add("bucket", "folder=" + path.toLowerCase(Locale.ROOT), why);
            return false;
        }
    }

    @Override
    public void close() {
        if (!isClosed) {
            isClosed = true;
            finished.run();
        }
    }
}
