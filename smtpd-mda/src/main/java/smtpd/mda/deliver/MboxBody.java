package smtpd.mda.deliver;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import smtpd.sys.Fd;

/**
 * Copies content into an mbox: every line that starts with {@code From } gets a {@code >}, so that
 * no mail can begin another one; a missing last line feed is added.
 */
final class MboxBody {

    private static final byte[] FROM = {'F', 'r', 'o', 'm', ' '};

    private final int fd;
    private final MemorySegment in;
    private final MemorySegment out;
    private int used;
    private int matched;
    private boolean lineStart = true;
    private int error;

    MboxBody(CopyBuffer copy, int fd) {
        this.fd = fd;
        this.in = copy.first();
        this.out = copy.second();
    }

    /** Our own lines, unchanged. */
    void plain(byte[] bytes) {
        for (byte b : bytes) {
            put(b);
        }
    }

    /** 0, or minus an error number; nothing of the mail is complete unless it is 0. */
    int content(Content content) {
        ContentReader reader = new ContentReader(content, in);
        while (error == 0) {
            int n = reader.next();
            if (n < 0) {
                return n;
            }
            if (n == 0) {
                release();
                if (!reader.endsWithLineFeed()) {
                    put((byte) '\n');
                }
                return error;
            }
            for (int i = 0; i < n; i++) {
                take(in.get(ValueLayout.JAVA_BYTE, i));
            }
        }
        return error;
    }

    /** Writes out what is gathered; 0 or minus an error number. */
    int flush() {
        if (error == 0 && used > 0) {
            error = Fd.tryWriteAll(fd, out.asSlice(0, used));
        }
        used = 0;
        return error;
    }

    private void take(byte b) {
        if (lineStart && b == FROM[matched]) {
            if (++matched < FROM.length) {
                return; // held back: the next bytes decide, also across two chunks
            }
            put((byte) '>');
            release();
            return;
        }
        if (matched > 0) {
            release();
        }
        put(b);
        lineStart = b == '\n';
    }

    private void release() {
        int held = matched;
        matched = 0;
        for (int i = 0; i < held; i++) {
            put(FROM[i]);
        }
        if (held > 0) {
            lineStart = false;
        }
    }

    private void put(byte b) {
        if (used == Content.CHUNK) {
            flush();
        }
        out.set(ValueLayout.JAVA_BYTE, used++, b);
    }
}
