package smtpd.queue.backend;

import java.util.zip.CRC32C;
import smtpd.envelope.ContentFacts;
import smtpd.sys.SysException;

/** Reads a file once for its size, sum and lines. Blocking. */
public final class ContentSum {

    private ContentSum() {}

    public static ContentFacts of(FileOps files, int fd) throws SysException {
        CRC32C sum = new CRC32C();
        byte[] block = new byte[64 * 1024];
        long size = 0;
        long lines = 0;
        for (int n = files.pread(fd, block, 0); n > 0; n = files.pread(fd, block, size)) {
            sum.update(block, 0, n);
            for (int i = 0; i < n; i++) {
                lines += block[i] == '\n' ? 1 : 0;
            }
            size += n;
        }
        return new ContentFacts(size, (int) sum.getValue(), lines);
    }
}
