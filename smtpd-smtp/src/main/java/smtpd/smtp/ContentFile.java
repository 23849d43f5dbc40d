package smtpd.smtp;

import io.netty.channel.EventLoop;
import java.util.ArrayDeque;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import smtpd.sys.Errno;
import smtpd.sys.Fd;
import smtpd.sys.SysException;

/**
 * Content too large for a frame, on its way into the file that the queue opened. Pieces are written
 * one after the other by the disk executor; every method is for the session's loop, and so are the
 * callbacks.
 */
final class ContentFile {

    private static final int HIGH_BYTES = 512 << 10;

    private final EventLoop loop;
    private final Executor disk;
    private final int fd;
    private final Runnable room;
    private final ArrayDeque<byte[]> pieces = new ArrayDeque<>();
    private int waiting;
    private boolean writing;
    private boolean wasFull;
    private SysException error;
    private Consumer<SysException> closing;

    /**
     * Takes over a descriptor.
     *
     * @param room called when a writer that found {@link #isFull} may go on
     */
    ContentFile(EventLoop loop, Executor disk, int fd, Runnable room) {
        this.loop = loop;
        this.disk = disk;
        this.fd = fd;
        this.room = room;
    }

    /** Appends a piece, which nobody changes any more. */
    void write(byte[] piece) {
        if (error == null && piece.length > 0) {
            pieces.add(piece);
            waiting += piece.length;
            pump();
        }
    }

    /** So much waits that the client should not be read. */
    boolean isFull() {
        wasFull = waiting > HIGH_BYTES;
        return wasFull;
    }

    /**
     * Closes when all is written.
     *
     * @param done gets the first error, or null
     */
    void close(Consumer<SysException> done) {
        closing = done;
        pump();
    }

    /** Closes without caring for what waits. */
    void discard() {
        pieces.clear();
        waiting = 0;
        close(_ -> {});
    }

    private void pump() {
        if (writing) {
            return;
        }
        byte[] piece = error == null ? pieces.poll() : null;
        if (piece == null && closing == null) {
            return;
        }
        writing = true;
        boolean last = piece == null;
        disk.execute(
                () -> {
                    SysException failure = null;
                    try {
                        if (last) {
                            Fd.close(fd);
                        } else {
                            Fd.write(fd, piece, 0, piece.length);
                        }
                    } catch (SysException e) {
                        failure = e;
                    }
                    SysException outcome = failure;
                    loop.execute(() -> written(last ? 0 : piece.length, last, outcome));
                });
    }

    private void written(int bytes, boolean last, SysException failure) {
        writing = false;
        waiting = Math.max(0, waiting - bytes);
        if (failure != null && error == null) {
            error = failure;
            pieces.clear();
            waiting = 0;
        }
        if (last) {
            closing.accept(error);
            return;
        }
        pump();
        if (wasFull && waiting <= HIGH_BYTES / 2) {
            wasFull = false;
            room.run();
        }
    }

    /** What a failed write means to the client: a full disk is told apart. */
    static Reply replyTo(SysException error) {
        return error.errno() == Errno.ENOSPC || error.errno() == Errno.EDQUOT
                ? Reply.FULL
                : Reply.TEMPORARY;
    }
}
