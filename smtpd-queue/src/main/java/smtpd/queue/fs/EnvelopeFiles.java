package smtpd.queue.fs;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import smtpd.envelope.Evpid;
import smtpd.envelope.Msgid;
import smtpd.queue.backend.Limits;
import smtpd.queue.backend.QueueBackend.ContentLoad;
import smtpd.queue.backend.QueueBackend.Load;
import smtpd.queue.backend.QueueBackend.Text;
import smtpd.sys.Errno;
import smtpd.sys.SysException;

/** Reads, replaces and removes single files of messages in storage. */
final class EnvelopeFiles {

    static final int MAX_TEXT = Limits.MAX_TEXT;

    private final Store store;
    private final Consumer<String> passed;

    EnvelopeFiles(Store store, Consumer<String> passed) {
        this.store = store;
        this.passed = passed;
    }

    Load load(Evpid id) {
        if (store.undead.contains(id)) {
            return new Load.Absent();
        }
        String subject = "evp=" + id;
        try {
            int fd = store.openOurs(Names.envelope(id), MAX_TEXT);
            try {
                byte[] bytes = store.files.readAll(fd, MAX_TEXT);
                store.problems.solved(subject);
                return new Load.Found(bytes);
            } finally {
                store.closeQuietly(fd);
            }
        } catch (SysException e) {
            if (e.errno() == Errno.ENOENT) {
                return new Load.Absent();
            }
            store.problems.add("unreadable", subject, e.getMessage());
            return new Load.Unreadable(e.getMessage());
        }
    }

    /** Every descriptor is newly opened: a shared offset would mix two readers. */
    ContentLoad content(Msgid id) {
        String subject = "msgid=" + id;
        try {
            int fd = store.openOurs(Names.content(id), Long.MAX_VALUE);
            boolean isHandedOut = false;
            try {
                long size = store.files.stat(fd).size();
                store.problems.solved(subject);
                if (size <= Limits.MAX_INLINE) {
                    return new ContentLoad.Bytes(store.files.readAll(fd, Limits.MAX_INLINE));
                }
                isHandedOut = true;
                return new ContentLoad.Open(fd, size);
            } finally {
                if (!isHandedOut) {
                    store.closeQuietly(fd);
                }
            }
        } catch (SysException e) {
            if (e.errno() == Errno.ENOENT) {
                return new ContentLoad.Absent();
            }
            store.problems.add("unreadable", subject, e.getMessage());
            return new ContentLoad.Unreadable(e.getMessage());
        }
    }

    /**
     * Old or new, never half: the folder is not synced, losing the new one costs a try.
     *
     * @return false when there is none, and then none is made
     */
    boolean update(Text text) throws SysException {
        int folder;
        try {
            folder = store.openFolder(Names.folder(text.id().msgid()));
        } catch (SysException e) {
            if (Store.isAbsent(e)) {
                store.index.forget(text.id().msgid());
                return false;
            }
            throw e;
        }
        try {
            if (!store.files.exists(folder, text.id().toString())) {
                store.recount(text.id().msgid());
                return false;
            }
            store.writeFresh(folder, text.id(), text.bytes());
            boolean isRenamed = false;
            try {
                passed.accept("queue.update.tmp");
                store.syncs.barrier();
                store.files.rename(folder, Names.fresh(text.id()), folder, text.id().toString());
                isRenamed = true;
                passed.accept("queue.update.renamed");
            } finally {
                if (!isRenamed) {
                    store.unlinkQuietly(folder, Names.fresh(text.id()));
                }
            }
            return true;
        } finally {
            store.closeQuietly(folder);
        }
    }

    /**
     * Removes envelopes, and messages with their last.
     *
     * @return null, or why some removal could not be recorded at all
     */
    String delete(List<Evpid> ids) {
        Map<Msgid, List<Evpid>> byMessage = new LinkedHashMap<>();
        ids.forEach(id -> byMessage.computeIfAbsent(id.msgid(), k -> new ArrayList<>()).add(id));
        String trouble = null;
        for (Map.Entry<Msgid, List<Evpid>> e : byMessage.entrySet()) {
            String here = delete(e.getKey(), e.getValue());
            trouble = here == null ? trouble : here;
        }
        return trouble;
    }

    private String delete(Msgid id, List<Evpid> envelopes) {
        String trouble = null;
        boolean isSurprised = false;
        for (Evpid evp : envelopes) {
            try {
                store.files.unlink(store.spool.queue(), Names.envelope(evp));
                store.index.add(id, -1);
                store.undead.remove(evp);
                passed.accept("queue.delete.one");
            } catch (SysException e) {
                if (Store.isAbsent(e)) {
                    isSurprised = true;
                    store.undead.remove(evp);
                } else {
                    trouble = refused(evp, e) ? trouble : e.getMessage();
                }
            }
        }
        try {
            if (!isSurprised && store.index.count(id) > 0) {
                store.unsynced.add(Names.folder(id));
            } else {
                removeIfEmpty(id);
            }
        } catch (SysException e) {
            if (!Store.isAbsent(e)) {
                store.problems.add("leftover", "msgid=" + id, e.getMessage());
            }
            store.index.forget(id);
        }
        return trouble;
    }

    /** Delivered, but it cannot be removed: a mark beside it says so. */
    private boolean refused(Evpid evp, SysException cause) {
        store.undead.add(evp);
        store.problems.add("done-but-present", "evp=" + evp, cause.getMessage());
        String mark = Names.folder(evp.msgid()) + "/" + Names.done(evp);
        if (store.files.exists(store.spool.queue(), mark)) {
            return cause.errno() != Errno.EROFS;
        }
        try {
            store.write(store.spool.queue(), mark, new byte[0]);
            return true;
        } catch (SysException e) {
            return false;
        }
    }

    /** Only a folder without any other envelope goes, and only if all else in it is ours. */
    void removeIfEmpty(Msgid id) throws SysException {
        String folder = Names.folder(id);
        List<String> ours = new ArrayList<>();
        int envelopes = 0;
        String foreign = null;
        for (String name : store.names(folder)) {
            if (Names.isEnvelope(name)) {
                envelopes++;
            } else if (name.equals(Names.CONTENT) || Names.isLeftover(name)) {
                ours.add(name);
            } else {
                foreign = name;
            }
        }
        store.index.set(id, envelopes);
        if (envelopes > 0) {
            store.unsynced.add(folder);
            return;
        }
        if (foreign != null) {
            store.problems.add("foreign", "msgid=" + id, "kept for the sake of " + foreign);
            return;
        }
        passed.accept("queue.delete.last");
        for (String name : ours) {
            store.files.unlink(store.spool.queue(), folder + "/" + name);
        }
        store.files.rmdir(store.spool.queue(), folder);
        store.unsynced.remove(folder);
        store.unsynced.add(id.bucket());
    }
}
