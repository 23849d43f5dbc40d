package smtpd.queue.fs;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import smtpd.envelope.Evpid;
import smtpd.envelope.Msgid;
import smtpd.queue.backend.QueueBackend.Commit;
import smtpd.queue.backend.QueueBackend.NewContent;
import smtpd.queue.backend.QueueBackend.Text;
import smtpd.sys.Errno;
import smtpd.sys.Fd;
import smtpd.sys.SysException;

/**
 * Puts a new message into storage: made under {@code incoming/}, durable there, renamed, and the
 * folder it was renamed into made durable. Undone when any step fails.
 */
final class MessageCommit {

    private final Store store;
    private final Consumer<String> passed;

    MessageCommit(Store store, Consumer<String> passed) {
        this.store = store;
        this.passed = passed;
    }

    /**
     * @return null when stored, else why not
     */
    String store(Commit commit) throws SysException {
        ContentUpload upload =
                commit.content() instanceof NewContent.InFile f
                                && f.file().handle() instanceof ContentUpload u
                        ? u
                        : null;
        try {
            if (commit.content() instanceof NewContent.InFile f
                    && (upload == null || !upload.isAs(f))) {
                return "content is not what was announced";
            }
            passed.accept("queue.commit.checked");
            if (upload != null) {
                upload.sync();
            }
            passed.accept("queue.commit.content");
            return new Making(commit, upload).run() ? null : again(commit);
        } finally {
            if (upload != null) {
                upload.abort();
            }
        }
    }

    /** The same commit again, or an id that somebody else's message has. */
    private String again(Commit commit) throws SysException {
        Msgid id = commit.id();
        for (Text t : commit.texts()) {
            if (!store.files.exists(store.spool.queue(), Names.envelope(t.id()))) {
                return "message " + id + " exists and is another one";
            }
        }
        store.syncFolder(Names.folder(id));
        store.syncFolder(id.bucket());
        store.syncs.barrier();
        return null;
    }

    /** One message being made; knows what it created, for only that may be removed. */
    private final class Making {
        private final Commit commit;
        private final ContentUpload upload;
        private final List<String> created = new ArrayList<>();
        private int folder = -1;
        private boolean isFolderMade;
        private boolean isInQueue;

        Making(Commit commit, ContentUpload upload) {
            this.commit = commit;
            this.upload = upload;
        }

        /**
         * @return false when a message of this id is there already
         */
        boolean run() throws SysException {
            String hex = commit.id().toString();
            boolean isWhole = false;
            try {
                store.files.mkdir(store.spool.incoming(), hex, 0700);
                isFolderMade = true;
                folder = store.files.open(store.spool.incoming(), hex, Spool.FOLDER, 0);
                passed.accept("queue.commit.mkdir");
                if (commit.content() instanceof NewContent.Memory m) {
                    write(
                            Names.CONTENT,
                            Arrays.copyOfRange(m.array(), m.offset(), m.offset() + m.length()));
                }
                for (Text t : commit.texts()) {
                    write(t.id().toString(), t.bytes());
                    passed.accept("queue.commit.written");
                }
                if (upload != null) {
                    upload.moveInto(folder);
                    created.add(Names.CONTENT);
                }
                passed.accept("queue.commit.moved");
                store.syncs.folder(folder);
                passed.accept("queue.commit.synced");
                if (!moveIntoQueue(hex)) {
                    return false;
                }
                store.syncFolder(commit.id().bucket());
                store.syncBucketName(commit.id().bucket());
                store.syncs.barrier();
                isWhole = true;
            } finally {
                if (!isWhole) {
                    undo(hex);
                }
                if (folder >= 0) {
                    store.closeQuietly(folder);
                }
            }
            store.index.set(commit.id(), commit.texts().size());
            return true;
        }

        private void write(String name, byte[] bytes) throws SysException {
            store.write(folder, name, bytes);
            created.add(name);
        }

        private boolean moveIntoQueue(String hex) throws SysException {
            String target = Names.folder(commit.id());
            try {
                try {
                    store.files.renameNew(store.spool.incoming(), hex, store.spool.queue(), target);
                } catch (SysException e) {
                    if (e.errno() != Errno.ENOENT) {
                        throw e;
                    }
                    makeBucket(commit.id().bucket());
                    store.files.renameNew(store.spool.incoming(), hex, store.spool.queue(), target);
                }
            } catch (SysException e) {
                if (e.errno() != Errno.EEXIST) {
                    throw e;
                }
                return false;
            }
            isInQueue = true;
            passed.accept("queue.commit.renamed");
            return true;
        }

        private void makeBucket(String bucket) throws SysException {
            store.bucketIsMissing(bucket);
            try {
                store.files.mkdir(store.spool.queue(), bucket, 0700);
            } catch (SysException e) {
                if (e.errno() != Errno.EEXIST) {
                    throw e;
                }
            }
            passed.accept("queue.commit.bucket");
            store.syncBucketName(bucket);
        }

        private void undo(String hex) {
            if (folder >= 0) {
                // The envelopes last: a walk must not take a message without content for real.
                for (int i = created.size() - 1; i >= 0; i--) {
                    store.unlinkQuietly(folder, created.get(i));
                }
            }
            if (isFolderMade) {
                try {
                    int parent = isInQueue ? store.spool.queue() : store.spool.incoming();
                    store.files.rmdir(parent, isInQueue ? Names.folder(commit.id()) : hex);
                } catch (SysException e) {
                    store.problems.add("leftover", "folder=" + hex, e.getMessage());
                }
            }
        }
    }

    /**
     * Adds and replaces texts of an existing message: all are written and synced under other names,
     * then renamed, replaced ones first.
     *
     * @return false when there is no such message
     */
    boolean add(Msgid id, List<Text> texts) throws SysException {
        int folder;
        try {
            folder = store.openFolder(Names.folder(id));
        } catch (SysException e) {
            if (Store.isAbsent(e)) {
                return false;
            }
            throw e;
        }
        try {
            new Adding(id, folder).run(texts);
            return true;
        } finally {
            store.closeQuietly(folder);
        }
    }

    private final class Adding {
        private final Msgid id;
        private final int folder;
        private final List<Evpid> written = new ArrayList<>();
        private final List<Evpid> added = new ArrayList<>();
        private final List<Text> replaced = new ArrayList<>();

        Adding(Msgid id, int folder) {
            this.id = id;
            this.folder = folder;
        }

        void run(List<Text> texts) throws SysException {
            List<Text> old = new ArrayList<>();
            List<Evpid> fresh = new ArrayList<>();
            boolean isWhole = false;
            try {
                for (Text t : texts) {
                    if (store.files.exists(folder, t.id().toString())) {
                        old.add(new Text(t.id(), read(t.id())));
                    } else {
                        fresh.add(t.id());
                    }
                    store.writeFresh(folder, t.id(), t.bytes());
                    written.add(t.id());
                }
                store.syncs.barrier();
                for (Text t : old) {
                    store.files.rename(folder, Names.fresh(t.id()), folder, t.id().toString());
                    written.remove(t.id());
                    replaced.add(t);
                }
                for (Evpid e : fresh) {
                    store.files.renameNew(folder, Names.fresh(e), folder, e.toString());
                    written.remove(e);
                    added.add(e);
                }
                store.syncs.folder(folder);
                store.syncs.barrier();
                isWhole = true;
            } finally {
                if (!isWhole) {
                    undo();
                }
            }
            store.index.add(id, added.size());
            passed.accept("queue.bounce.created");
        }

        private byte[] read(Evpid e) throws SysException {
            int fd = store.openOurs(Names.envelope(e), EnvelopeFiles.MAX_TEXT);
            try {
                return store.files.readAll(fd, EnvelopeFiles.MAX_TEXT);
            } finally {
                Fd.closeQuietly(fd);
            }
        }

        private void undo() {
            written.forEach(e -> store.unlinkQuietly(folder, Names.fresh(e)));
            added.forEach(e -> store.unlinkQuietly(folder, e.toString()));
            for (Text t : replaced) {
                try {
                    store.writeFresh(folder, t.id(), t.bytes());
                    store.files.rename(folder, Names.fresh(t.id()), folder, t.id().toString());
                } catch (SysException e) {
                    store.problems.add("not-undone", "evp=" + t.id(), e.getMessage());
                }
            }
        }
    }
}
