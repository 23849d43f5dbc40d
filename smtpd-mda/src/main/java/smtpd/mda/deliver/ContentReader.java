package smtpd.mda.deliver;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;
import smtpd.sys.Fd;

/**
 * Reads one content from its beginning, and proves at its end that it is the one the queue
 * recorded: a short or damaged file must not become a mail.
 */
final class ContentReader {

    private final Content content;
    private final MemorySegment buffer;
    private final ByteBuffer view;
    private final CRC32C sum = new CRC32C();
    private long position;
    private byte last = '\n';

    /** {@code buffer} takes the chunks; {@link Content#CHUNK} bytes or more, native. */
    ContentReader(Content content, MemorySegment buffer) {
        this.content = content;
        this.buffer = buffer;
        this.view = buffer.asByteBuffer();
    }

    /**
     * Fills the buffer: the number of bytes, 0 at the proven end, or minus an error number ({@link
     * Fault#BODY}, {@link Fault#CORRUPT}).
     */
    int next() {
        long n = content.inline() != null ? nextInline() : nextFromFile();
        if (n < 0) {
            return -Fault.BODY;
        }
        if (n == 0) {
            boolean right =
                    content.size() < 0
                            || (position == content.size()
                                    && (int) sum.getValue() == content.crc32c());
            return right ? 0 : -Fault.CORRUPT;
        }
        view.limit((int) n).position(0);
        sum.update(view);
        position += n;
        last = buffer.get(ValueLayout.JAVA_BYTE, n - 1);
        if (content.size() >= 0 && position > content.size()) {
            return -Fault.CORRUPT;
        }
        return (int) n;
    }

    private long nextInline() {
        long n = Math.min(Content.CHUNK, content.size() - position);
        MemorySegment.copy(
                content.inline(),
                content.offset() + (int) position,
                buffer,
                ValueLayout.JAVA_BYTE,
                0,
                (int) n);
        return n;
    }

    private long nextFromFile() {
        return Fd.tryPread(content.fd(), buffer.asSlice(0, Content.CHUNK), position);
    }

    /** The buffer that {@link #next} fills. */
    MemorySegment chunk() {
        return buffer;
    }

    /** Whether what was read so far ends in a line feed (nothing at all counts as ended). */
    boolean endsWithLineFeed() {
        return last == '\n';
    }
}
