package smtpd.mta.session;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import java.io.IOException;
import java.util.concurrent.Executor;
import java.util.function.Consumer;

/**
 * Streams one content in pieces of 64 KiB, never more of them waiting than the socket takes. What
 * lies in a file is read on the content executor, one piece ahead.
 */
final class BodyWriter {

    static final int PIECE = 64 * 1024;

    /** Who is told; all calls on the session's loop. */
    interface Progress {
        /** So many bytes are encoded and leave now. */
        void piece(int length);

        /** The kernel took a piece. */
        void accepted(boolean last);

        /**
         * Everything but the final buffer is written: complete it (joined commands) and send it.
         */
        void last(ByteBuf buffer);

        void unreadable();
    }

    private final Channel channel;
    private final Content content;
    private final Executor executor;
    private final Progress progress;
    private final BodyEncoder encoder = new BodyEncoder();

    private long position;
    private byte[] ready;
    private boolean reading;
    private boolean done;

    BodyWriter(Channel channel, Content content, Executor executor, Progress progress) {
        this.channel = channel;
        this.content = content;
        this.executor = executor;
        this.progress = progress;
    }

    int fixed() {
        return encoder.fixed();
    }

    /**
     * @param firstPiece what was read ahead of a file; null for content in memory
     */
    void start(byte[] firstPiece) {
        ready = firstPiece;
        pump();
    }

    /** Goes on when the socket takes more. */
    void pump() {
        while (!done && channel.isWritable()) {
            switch (content) {
                case Content.InMemory memory -> memory(memory);
                case Content.OnDisk disk -> {
                    if (ready == null) {
                        readAhead(disk);
                        return;
                    }
                    byte[] piece = ready;
                    ready = null;
                    piece(piece, 0, piece.length);
                    if (!done) {
                        readAhead(disk);
                    }
                }
            }
        }
    }

    void stop() {
        done = true;
    }

    private void memory(Content.InMemory memory) {
        int length = (int) Math.min(PIECE, memory.length() - position);
        piece(memory.array(), memory.offset() + (int) position, length);
    }

    private void piece(byte[] bytes, int offset, int length) {
        ByteBuf out = channel.alloc().directBuffer(length + length / 16 + 512);
        encoder.encode(bytes, offset, length, out);
        position += length;
        if (position >= content.size()) {
            done = true;
            encoder.finish(out);
            progress.piece(out.readableBytes());
            progress.last(out);
        } else {
            progress.piece(out.readableBytes());
            channel.writeAndFlush(out)
                    .addListener(
                            (ChannelFuture written) -> {
                                if (written.isSuccess()) {
                                    progress.accepted(false);
                                }
                            });
        }
    }

    private void readAhead(Content.OnDisk disk) {
        if (reading) {
            return;
        }
        reading = true;
        read(
                disk,
                position,
                channel,
                executor,
                bytes -> {
                    reading = false;
                    if (done) {
                        return;
                    }
                    if (bytes == null) {
                        done = true;
                        progress.unreadable();
                        return;
                    }
                    ready = bytes;
                    pump();
                });
    }

    /**
     * Reads one piece off the loop.
     *
     * @param then called on the loop with the bytes, null when they cannot be read
     */
    static void read(
            Content.OnDisk disk,
            long position,
            Channel channel,
            Executor executor,
            Consumer<byte[]> then) {
        int length = (int) Math.min(PIECE, disk.size() - position);
        executor.execute(
                () -> {
                    byte[] bytes = new byte[length];
                    boolean complete;
                    try {
                        complete = disk.source().read(position, bytes) == length;
                    } catch (IOException e) {
                        complete = false;
                    }
                    byte[] result = complete ? bytes : null;
                    channel.eventLoop().execute(() -> then.accept(result));
                });
    }
}
