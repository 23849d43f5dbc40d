package smtpd.mta;

import java.io.IOException;
import smtpd.mta.session.Content;
import smtpd.sys.Fd;
import smtpd.sys.SysException;

/** A descriptor of the queue's, read by several sessions at their own offsets, closed once. */
final class SharedFile implements Content.Source {

    // Guards fd: a read that runs on the executor must not meet the number of another file, which
    // it would after a close on the loop.
    private final Object lock = new Object();
    private int fd;

    SharedFile(int fd) {
        this.fd = fd;
    }

    @Override
    public int read(long position, byte[] into) throws IOException {
        synchronized (lock) {
            if (fd < 0) {
                throw new IOException("closed");
            }
            try {
                return Fd.pread(fd, into, 0, into.length, position);
            } catch (SysException e) {
                throw new IOException(e.getMessage(), e);
            }
        }
    }

    void close() {
        synchronized (lock) {
            Fd.closeQuietly(fd);
            fd = -1;
        }
    }
}
