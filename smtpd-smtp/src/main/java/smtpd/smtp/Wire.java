package smtpd.smtp;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import java.util.Arrays;
import smtpd.log.Trace;

/**
 * The client's side of a session: bytes that came and are not used up, replies that wait for one
 * write, the ways a connection ends. An idle one holds no buffer. Knows nothing of SMTP.
 */
final class Wire extends ChannelInboundHandlerAdapter {

    private static final int MAX_BUFFERED = 64 << 10;
    private static final int FLUSH_BYTES = 16 << 10;

    private final SessionLoop shared;
    private final Channel channel;
    private Session session;

    /** Input is {@code in[head..tail)}: the loop's scratch array while it is read, else our own. */
    private byte[] in;

    private boolean borrowed;
    private int head;
    private int tail;
    private ByteBuf out;
    private boolean isDirty;
    private boolean endOfInput;
    private boolean closing;
    private boolean closed;

    Wire(SessionLoop shared, Channel channel) {
        this.shared = shared;
        this.channel = channel;
    }

    void attach(Session owner) {
        session = owner;
    }

    // ---- input

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        ByteBuf data = (ByteBuf) message;
        try {
            while (data.isReadable() && !closing) {
                take(data);
                trace("IO_DATAIN");
                session.input();
                keepRest();
            }
        } finally {
            data.release();
        }
    }

    private void take(ByteBuf data) {
        int kept = tail - head;
        int count = Math.min(data.readableBytes(), shared.scratch.length - Math.min(kept, 2048));
        if (kept == 0) {
            in = shared.scratch;
            borrowed = true;
            head = 0;
            tail = 0;
        } else if (kept + count <= shared.scratch.length) {
            System.arraycopy(in, head, shared.scratch, 0, kept);
            in = shared.scratch;
            borrowed = true;
            head = 0;
            tail = kept;
        } else {
            in = Arrays.copyOfRange(in, head, head + kept + count);
            head = 0;
            tail = kept;
        }
        data.readBytes(in, tail, count);
        tail += count;
    }

    /** The scratch array goes back; what was not used up is copied. */
    private void keepRest() {
        if (head == tail || closing) {
            in = null;
            head = 0;
            tail = 0;
        } else if (borrowed) {
            in = Arrays.copyOfRange(in, head, tail);
            tail -= head;
            head = 0;
        }
        borrowed = false;
    }

    byte[] array() {
        return in;
    }

    int head() {
        return head;
    }

    int tail() {
        return tail;
    }

    boolean hasInput() {
        return tail > head;
    }

    int buffered() {
        return tail - head;
    }

    /** Bytes before this index are used up. */
    void consume(int upTo) {
        head = upTo;
        if (head == tail && !borrowed) {
            in = null;
            head = 0;
            tail = 0;
        }
    }

    boolean isEndOfInput() {
        return endOfInput;
    }

    /** Whether to read on; a client that sends faster than we can use waits in its own kernel. */
    void read(boolean wanted) {
        boolean on = (wanted && buffered() < MAX_BUFFERED && isWritable()) || closing;
        if (channel.config().isAutoRead() != on) {
            channel.config().setAutoRead(on);
        }
    }

    /** Goes on with the input in a later turn of the loop, so that others get theirs. */
    void inputLater() {
        shared.loop.execute(
                () -> {
                    if (!closing) {
                        session.input();
                    }
                });
    }

    // ---- output

    void write(byte[] bytes) {
        if (closed) {
            return;
        }
        if (Trace.SMTP.isOn()) {
            SessionTrace.reply(session.sid(), bytes);
        }
        if (out == null) {
            out = channel.alloc().buffer(Math.max(512, bytes.length));
        }
        out.writeBytes(bytes);
        if (out.readableBytes() >= FLUSH_BYTES) {
            flush();
        } else if (!isDirty) {
            isDirty = true;
            shared.flushLater(this);
        }
    }

    void flush() {
        isDirty = false;
        if (out != null) {
            ByteBuf ready = out;
            out = null;
            channel.writeAndFlush(ready, channel.voidPromise());
        }
    }

    /** Less than 64 KiB of replies wait for the client. */
    boolean isWritable() {
        return channel.isWritable();
    }

    /** Bytes of replies the client has not taken. */
    long unsent() {
        var buffer = channel.unsafe().outboundBuffer();
        return buffer == null ? 0 : buffer.totalPendingWriteBytes();
    }

    /** One line for {@code trace io}. */
    void trace(String event) {
        if (Trace.IO.isOn()) {
            SessionTrace.io(session.sid(), event, buffered(), unsent());
        }
    }

    // ---- end

    /**
     * Says no more and takes no more: what was written leaves, then the sending side is shut; input
     * is thrown away until the client closes too, so that no reset overtakes the last reply.
     */
    void close() {
        if (closing || closed) {
            return;
        }
        closing = true;
        ByteBuf last = out;
        out = null;
        var sent =
                channel.writeAndFlush(last == null ? io.netty.buffer.Unpooled.EMPTY_BUFFER : last);
        sent.addListener(
                (ChannelFutureListener)
                        done -> {
                            if (endOfInput || !done.isSuccess()) {
                                channel.close();
                            } else {
                                ((DuplexChannel) channel)
                                        .shutdownOutput()
                                        .addListener(_ -> channel.config().setAutoRead(true));
                            }
                        });
    }

    boolean isClosing() {
        return closing;
    }

    /** Ends the connection at once. */
    void drop() {
        closing = true;
        channel.close();
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event == ChannelInputShutdownEvent.INSTANCE) {
            endOfInput = true;
            trace("IO_DISCONNECTED");
            if (closing) {
                channel.close();
            } else {
                session.input();
            }
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        if (channel.isWritable() && !closing) {
            trace("IO_LOWAT");
            session.input();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        trace("IO_CLOSED");
        closing = true;
        closed = true;
        if (out != null) {
            out.release();
            out = null;
        }
        in = null;
        head = 0;
        tail = 0;
        session.gone();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        if (cause instanceof java.io.IOException) {
            trace("IO_ERROR");
            session.ioError(String.valueOf(cause.getMessage()));
            channel.close();
        } else {
            session.failed(cause);
        }
    }
}
