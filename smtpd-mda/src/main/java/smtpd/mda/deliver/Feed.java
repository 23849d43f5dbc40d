package smtpd.mda.deliver;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import smtpd.sys.Errno;
import smtpd.sys.Fd;
import smtpd.sys.SysException;

/** Pours one mail, our lines in front, into the pipe that is a command's standard input. */
final class Feed implements AutoCloseable {

    private final ContentReader reader;
    private int readEnd;
    private int writeEnd;
    private MemorySegment chunk;
    private int at;
    private int end;
    private boolean contentEnded;
    private boolean allTaken;
    private int error;

    Feed(byte[] ourLines, Content content, CopyBuffer copy) throws SysException {
        chunk = copy.second();
        MemorySegment.copy(ourLines, 0, chunk, ValueLayout.JAVA_BYTE, 0, ourLines.length);
        reader = new ContentReader(content, copy.first());
        end = ourLines.length;
        int[] pipe = Fd.pipe();
        readEnd = pipe[0];
        writeEnd = pipe[1];
        Fd.nonBlocking(writeEnd, true);
    }

    /** For the command; ours must be closed once it has it. */
    int readEnd() {
        return readEnd;
    }

    /** To wait for room; −1 when all is written or nobody reads. */
    int writeEnd() {
        return writeEnd;
    }

    /** Why the content could not be read; 0 when it could. */
    int error() {
        return error;
    }

    /** Whether the pipe took every byte. */
    boolean isAllTaken() {
        return allTaken;
    }

    /** Writes what fits now. */
    void push() {
        while (writeEnd >= 0) {
            if (at == end && !refill()) {
                return;
            }
            int n = Fd.tryWrite(writeEnd, chunk.asSlice(at, end - at));
            if (n == -Errno.EAGAIN) {
                return;
            }
            if (n < 0) {
                closeWriteEnd(); // the command closed its input, or has gone
                return;
            }
            at += n;
        }
    }

    /** Brings the next bytes; false when there are none, and the pipe is closed. */
    private boolean refill() {
        at = 0;
        end = 0;
        int n = contentEnded ? 0 : reader.next();
        if (n < 0) {
            error = -n;
            closeWriteEnd();
            return false;
        }
        chunk = reader.chunk();
        if (n == 0 && !contentEnded && !reader.endsWithLineFeed()) {
            chunk.set(ValueLayout.JAVA_BYTE, 0, (byte) '\n');
            n = 1;
            contentEnded = true;
        } else if (n == 0) {
            allTaken = true;
            closeWriteEnd();
            return false;
        }
        end = n;
        return true;
    }

    void closeReadEnd() {
        Fd.closeQuietly(readEnd);
        readEnd = -1;
    }

    void closeWriteEnd() {
        Fd.closeQuietly(writeEnd);
        writeEnd = -1;
    }

    @Override
    public void close() {
        closeReadEnd();
        closeWriteEnd();
    }
}
