package smtpd.queue.backend;

import smtpd.envelope.ContentFacts;
import smtpd.envelope.Msgid;
import smtpd.sys.Fd;
import smtpd.sys.Memfd;
import smtpd.sys.SysException;

/** A content file of the backends that have no disk: an anonymous file in memory. */
public final class MemoryFile implements ContentFile.Handle {

    private int fd;

    private MemoryFile(int fd) {
        this.fd = fd;
    }

    public static ContentFile create(Msgid id) {
        try {
            int fd = Memfd.create("content-" + id);
            try {
                return new ContentFile.Opened(Fd.dup(fd), new MemoryFile(fd));
            } catch (SysException e) {
                Fd.closeQuietly(fd);
                throw e;
            }
        } catch (SysException e) {
            return new ContentFile.Failed(e.getMessage(), false);
        }
    }

    @Override
    public synchronized void abort() {
        if (fd >= 0) {
            Fd.closeQuietly(fd);
            fd = -1;
        }
    }

    /** The bytes, null when they are not what was announced. */
    synchronized byte[] read(QueueBackend.NewContent.InFile announced, int maxBytes)
            throws SysException {
        ContentFacts facts = ContentSum.of(FileOps.REAL, fd);
        boolean isSame =
                facts.size() == announced.size()
                        && facts.crc32c() == announced.crc32c()
                        && facts.lines() == announced.lines();
        return isSame ? Fd.readAll(fd, maxBytes) : null;
    }

    /**
     * The bytes of new content, however it came; its file is gone afterwards.
     *
     * @return null when the file does not hold what was announced
     */
    public static byte[] take(QueueBackend.NewContent content, int maxBytes) throws SysException {
        return switch (content) {
            case QueueBackend.NewContent.Memory m ->
                    java.util.Arrays.copyOfRange(m.array(), m.offset(), m.offset() + m.length());
            case QueueBackend.NewContent.InFile f -> {
                try {
                    yield f.file().handle() instanceof MemoryFile file
                            ? file.read(f, maxBytes)
                            : null;
                } finally {
                    f.file().handle().abort();
                }
            }
        };
    }
}
