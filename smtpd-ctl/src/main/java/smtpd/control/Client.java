package smtpd.control;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.util.List;
import smtpd.imsg.BadFrame;
import smtpd.imsg.ChildToControl.ControlDone;
import smtpd.imsg.ControlToCtl;
import smtpd.imsg.CtlToControl;
import smtpd.imsg.FrameHeader;
import smtpd.imsg.Message;
import smtpd.imsg.UnsendableMessage;
import smtpd.imsg.Vocabulary;
import smtpd.sys.Sockets;

/**
 * One connection of {@code smtpctl}. Everything read here is hostile. One request is worked on at a
 * time; the next one waits in the buffer, and what does not fit there waits in the kernel.
 */
final class Client extends ChannelInboundHandlerAdapter {

    /** What becomes of requests and of the connection. */
    interface Owner {
        void requested(Client client, long id, CtlToControl request);

        void gone(Client client);

        void writable(Client client, boolean isWritable);

        void malformed(Client client, String reason);
    }

    private static final Vocabulary REQUESTS = Vocabulary.of(CtlToControl.class);
    private static final Vocabulary ANSWERS = Vocabulary.of(ControlToCtl.class);
    private static final boolean[] KNOWN = REQUESTS.numbersOf(List.of(CtlToControl.class));

    private final int number;
    private final Sockets.Peer peer;
    private final Channel channel;
    private final Owner owner;
    private ByteBuf read;
    private long asked;
    private boolean busy;
    private boolean pumping;
    private boolean flushing;
    private boolean closing;

    /**
     * @param number stands in the header of all frames about this client, inside the daemon
     */
    Client(int number, Sockets.Peer peer, Channel channel, Owner owner) {
        this.number = number;
        this.peer = peer;
        this.channel = channel;
        this.owner = owner;
    }

    int number() {
        return number;
    }

    Sockets.Peer peer() {
        return peer;
    }

    boolean isWritable() {
        return channel.isWritable();
    }

    // ---- answers

    /** Part of the answer to the request under way. */
    void answer(ControlToCtl row, boolean more) {
        write(row, more ? FrameHeader.MORE : 0);
    }

    /** The end of the answer; the next request is taken. */
    void done(ControlDone end) {
        write(end, 0);
        busy = false;
        if (!pumping) {
            channel.eventLoop().execute(this::pump);
        }
    }

    private void write(ControlToCtl message, int flags) {
        if (!channel.isActive()) {
            return;
        }
        ByteBuf frame = channel.alloc().directBuffer(256);
        try {
            ANSWERS.encode(
                    frame, message, flags, CtlToControl.PROTOCOL, asked, -1, FrameHeader.CAP);
        } catch (UnsendableMessage e) {
            frame.release();
            close();
            return;
        }
        channel.write(frame, channel.voidPromise());
        if (!flushing) {
            flushing = true;
            channel.eventLoop().execute(this::flush);
        }
    }

    void flush() {
        flushing = false;
        channel.flush();
    }

    /** What was written leaves first. */
    void close() {
        closing = true;
        flush();
        channel.close();
    }

    // ---- requests

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        ByteBuf buffer = (ByteBuf) message;
        if (closing) {
            buffer.release();
            return;
        }
        read =
                read == null
                        ? buffer
                        : ByteToMessageDecoder.MERGE_CUMULATOR.cumulate(
                                context.alloc(), read, buffer);
        pump();
    }

    private void pump() {
        if (pumping) {
            return;
        }
        pumping = true;
        try {
            while (!busy && !closing && read != null && takeOne()) {
                // the next one
            }
        } finally {
            pumping = false;
        }
        if (read != null && (closing || !read.isReadable())) {
            read.release();
            read = null;
        } else if (read != null) {
            read.discardSomeReadBytes();
        }
        channel.config().setAutoRead(read == null || read.readableBytes() < FrameHeader.CAP);
    }

    /** False when the frame is not complete, or was the last. */
    private boolean takeOne() {
        if (read.readableBytes() < FrameHeader.SIZE) {
            return false;
        }
        int start = read.readerIndex();
        int length = read.getInt(start);
        int type = read.getUnsignedShort(start + 4);
        int flags = read.getUnsignedShort(start + 6);
        if (length < FrameHeader.SIZE || length > FrameHeader.CAP) {
            return malformed("length " + length);
        }
        if (read.getInt(start + 8) != CtlToControl.PROTOCOL) {
            asked = read.getLong(start + 12);
            busy = true;
            write(
                    new ControlDone(
                            false,
                            CtlToControl.OTHER_PROTOCOL,
                            CtlToControl.PROTOCOL,
                            "incompatible smtpctl and smtpd"),
                    0);
            close();
            return false;
        }
        if (flags != 0) {
            return malformed("flags " + flags);
        }
        if (read.readableBytes() < length) {
            return false;
        }
        asked = read.getLong(start + 12);
        if (type == 0 || type >= KNOWN.length || !KNOWN[type]) {
            read.readerIndex(start + length);
            busy = true;
            done(new ControlDone(false, 0, 0, "unknown request"));
            return true;
        }
        Message message;
        try {
            read.readerIndex(start + FrameHeader.SIZE);
            message = REQUESTS.decode(type, read, start + length);
        } catch (BadFrame e) {
            return malformed(e.getMessage());
        }
        busy = true;
        owner.requested(this, asked, (CtlToControl) message);
        return true;
    }

    private boolean malformed(String reason) {
        owner.malformed(this, reason);
        close();
        return false;
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        owner.writable(this, channel.isWritable());
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        closing = true;
        if (read != null && !pumping) {
            read.release();
            read = null;
        }
        owner.gone(this);
    }

    /** A reset of the peer; anything else would be a defect, and costs this client only. */
    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        if (!(cause instanceof java.io.IOException)) {
            owner.malformed(this, cause.toString());
        }
        context.close();
    }
}
