package smtpd.queue.fs;

import smtpd.envelope.ContentFacts;
import smtpd.queue.backend.ContentFile;
import smtpd.queue.backend.ContentSum;
import smtpd.queue.backend.QueueBackend.NewContent;
import smtpd.sys.Fd;
import smtpd.sys.Open;
import smtpd.sys.SysException;

/**
 * Content on its way into {@code temporary/ID}. Keeps a duplicate of the writer's descriptor, so
 * that a write-back error is reported to the sync of this one.
 */
final class ContentUpload implements ContentFile.Handle {

    private final Store store;
    private final String name;
    private int fd;
    private boolean isOurs = true;

    private ContentUpload(Store store, String name, int fd) {
        this.store = store;
        this.name = name;
        this.fd = fd;
    }

    static ContentFile.Opened open(Store store, String name) throws SysException {
        int flags = Open.WRONLY | Open.CREAT | Open.EXCL;
        int fd = store.files.open(store.spool.temporary(), name, flags, 0600);
        ContentUpload upload = new ContentUpload(store, name, fd);
        try {
            return new ContentFile.Opened(Fd.dup(fd), upload);
        } catch (SysException e) {
            upload.abort();
            throw e;
        }
    }

    /** Whether it holds what was announced; a writer may still have the descriptor. */
    synchronized boolean isAs(NewContent.InFile announced) throws SysException {
        if (fd < 0) {
            return false;
        }
        int reader =
                store.files.open(store.spool.temporary(), name, Open.RDONLY | Open.NOFOLLOW, 0);
        try {
            ContentFacts facts = ContentSum.of(store.files, reader);
            return facts.size() == announced.size()
                    && facts.crc32c() == announced.crc32c()
                    && facts.lines() == announced.lines();
        } finally {
            store.closeQuietly(reader);
        }
    }

    synchronized void sync() throws SysException {
        store.syncs.file(fd);
    }

    synchronized void moveInto(int folder) throws SysException {
        store.files.rename(store.spool.temporary(), name, folder, Names.CONTENT);
        isOurs = false;
    }

    @Override
    public synchronized void abort() {
        if (fd < 0) {
            return;
        }
        store.closeQuietly(fd);
        fd = -1;
        if (isOurs) {
            store.unlinkQuietly(store.spool.temporary(), name);
        }
    }
}
