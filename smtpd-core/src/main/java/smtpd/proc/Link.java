package smtpd.proc;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.unix.DomainSocketReadMode;
import io.netty.channel.unix.FileDescriptor;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import smtpd.imsg.BadFrame;
import smtpd.imsg.Edges;
import smtpd.imsg.FrameHeader;
import smtpd.imsg.Message;
import smtpd.imsg.Role;
import smtpd.imsg.UnsendableMessage;
import smtpd.imsg.Vocabulary;
import smtpd.sys.Fd;
import smtpd.sys.SysException;

/**
 * One end of the connection between two incarnations of two processes: frames on one socket, and
 * where descriptors pass, those on a second one. The k-th frame with the descriptor flag takes the
 * k-th descriptor.
 *
 * <p>All frames made in one turn of the loop go into one buffer and leave with one write, by a task
 * that runs behind all channels that were ready. Belongs to one event loop.
 */
public final class Link {

    private static final Logger LOG = LoggerFactory.getLogger(Link.class);
    private static final int STOP_BYTES = 1 << 20;
    private static final int RESUME_BYTES = 256 << 10;
    private static final int REPORT_BYTES = 8 << 20;
    private static final int DEAD_BYTES = 64 << 20;
    private static final int FLUSH_BYTES = 256 << 10;
    private static final int DESCRIPTOR_WAIT_SECONDS = 10;

    private final EventLoop loop;
    private final LinkOwner owner;
    private final Role self;
    private final Role peer;
    private final Vocabulary outbound;
    private final Vocabulary inbound;
    private final boolean[] allowed;
    private final int capOut;
    private final int capIn;
    private final ImsgProfile profile;
    private final LinkTrace trace;
    private final Runnable flushTask = this::flush;

    private Channel frames;
    private Channel descriptors;
    private ByteBuf batch;
    private ByteBuf cumulation;
    private boolean flushScheduled;
    private boolean reported;
    private boolean framesEnded;
    private boolean inDecode;
    private boolean broken;
    private final ArrayDeque<Integer> arrived = new ArrayDeque<>();
    private ScheduledFuture<?> descriptorTimer;

    public Link(EventLoop loop, LinkOwner owner, Role self, Role peer, ImsgProfile profile) {
        this.loop = loop;
        this.owner = owner;
        this.self = self;
        this.peer = peer;
        this.profile = profile;
        this.trace = new LinkTrace(self, peer);
        this.outbound = Vocabulary.of(Edges.receiver(peer));
        this.inbound = Vocabulary.of(Edges.receiver(self));
        this.allowed = inbound.numbersOf(Edges.interfaces(peer, self));
        this.capOut = Edges.cap(self, peer);
        this.capIn = Edges.cap(peer, self);
    }

    public Role peer() {
        return peer;
    }

    /**
     * Takes over connected, non-blocking sockets.
     *
     * @param descriptorFd socket for descriptors, -1 where none pass
     */
    public void install(int frameFd, int descriptorFd) {
        if (frames != null) {
            throw new IllegalStateException("link to " + peer + " is up");
        }
        framesEnded = false;
        broken = false;
        reported = false;
        if (descriptorFd >= 0) {
            EpollDomainSocketChannel channel = new EpollDomainSocketChannel(descriptorFd);
            channel.config()
                    .setOption(
                            EpollChannelOption.DOMAIN_SOCKET_READ_MODE,
                            DomainSocketReadMode.FILE_DESCRIPTORS);
            channel.pipeline().addLast(new DescriptorHandler());
            descriptors = channel;
            loop.register(channel);
        }
        EpollDomainSocketChannel channel = new EpollDomainSocketChannel(frameFd);
        channel.config()
                .setOption(
                        ChannelOption.RECVBUF_ALLOCATOR,
                        new AdaptiveRecvByteBufAllocator(1024, 16 << 10, 256 << 10));
        channel.config()
                .setOption(
                        ChannelOption.WRITE_BUFFER_WATER_MARK,
                        new WriteBufferWaterMark(RESUME_BYTES, STOP_BYTES));
        channel.pipeline().addLast(new FrameHandler());
        frames = channel;
        loop.register(channel);
        trace.enabled(true);
    }

    /** The sending side, typed by what the peer may hear from this process. */
    public <O extends Message> Edge<O> edge(Class<O> direction) {
        if (!Edges.interfaces(self, peer).contains(direction)) {
            throw new IllegalArgumentException(
                    self + " does not speak " + direction + " to " + peer);
        }
        return new Edge<>(this);
    }

    /** False while the peer is being replaced. */
    public boolean isUp() {
        return frames != null && !framesEnded;
    }

    /** More than 1 MiB waits for the peer; true until it is less than 256 KiB. */
    boolean isCongested() {
        return frames != null && !frames.isWritable();
    }

    /** Stops or goes on reading the peer, which then sees congestion. A new incarnation is read. */
    void reading(boolean on) {
        if (frames != null) {
            frames.config().setAutoRead(on);
        }
    }

    /** Bytes that wait for the peer. */
    long queuedBytes() {
        Channel channel = frames;
        if (channel == null) {
            return 0;
        }
        var buffer = channel.unsafe().outboundBuffer();
        return (buffer == null ? 0 : buffer.totalPendingWriteBytes())
                + (batch == null ? 0 : batch.readableBytes());
    }

    /**
     * Queues one frame for the end of this turn.
     *
     * @param fd passed along and then closed here in any case; -1 for none
     * @return false when the peer is away or the record broke its bounds: nothing was queued
     */
    boolean send(long id, int client, int flags, Message message, int fd) {
        if (!isUp()) {
            Fd.closeQuietly(fd);
            return false;
        }
        long inode = -1;
        if (fd >= 0) {
            try {
                inode = Fd.stat(fd).inode();
            } catch (SysException e) {
                LOG.warn("imsg=unsendable to={} reason=\"{}\"", peer.title(), e.getMessage());
                Fd.closeQuietly(fd);
                return false;
            }
        }
        if (batch == null) {
            batch = frames.alloc().directBuffer(4096);
        }
        int length;
        try {
            length = outbound.encode(batch, message, flags, client, id, inode, capOut);
        } catch (UnsendableMessage e) {
            LOG.error("imsg=unsendable to={} reason=\"{}\"", peer.title(), e.getMessage());
            Fd.closeQuietly(fd);
            return false;
        }
        if (fd >= 0) {
            passDescriptor(fd);
        }
        profile.sent(peer, outbound, message, length);
        trace.sent(id, message, length, fd);
        if (batch.readableBytes() >= FLUSH_BYTES) {
            flush();
        } else if (!flushScheduled) {
            flushScheduled = true;
            loop.execute(flushTask);
        }
        return true;
    }

    private void passDescriptor(int fd) {
        FileDescriptor descriptor = new FileDescriptor(fd);
        descriptors
                .writeAndFlush(descriptor)
                .addListener(
                        done -> {
                            try {
                                descriptor.close();
                            } catch (java.io.IOException e) {
                                LOG.debug("closing a passed descriptor: {}", e.getMessage());
                            }
                        });
    }

    public void flush() {
        flushScheduled = false;
        ByteBuf full = batch;
        batch = null;
        if (full == null) {
            return;
        }
        if (frames == null || !full.isReadable()) {
            full.release();
            return;
        }
        profile.flushed(peer, full.readableBytes());
        trace.flushed(full.readableBytes());
        frames.writeAndFlush(full, frames.voidPromise());
        long queued = queuedBytes();
        if (queued > DEAD_BYTES) {
            owner.bad(this, "takes nothing: " + queued + " bytes wait for it");
            close();
        } else if (queued > REPORT_BYTES && !reported) {
            reported = true;
            LOG.warn("imsg=slow to={} queued={}", peer.title(), queued);
        }
    }

    /** Drops the connection; {@link LinkOwner#closed} follows. */
    public void close() {
        if (frames != null) {
            frames.close();
        }
        if (descriptors != null) {
            descriptors.close();
        }
    }

    private void fail(String reason, ByteBuf frame, int start, int type) {
        boolean secret = type >= 1 && type <= inbound.size() && inbound.isSecret(type);
        String hex =
                secret
                        ? "[redacted]"
                        : ByteBufUtil.hexDump(
                                frame, start, Math.min(64, frame.writerIndex() - start));
        LOG.error(
                "imsg=bad from={} to={} type={} reason=\"{}\" hex={}",
                peer.title(),
                self.title(),
                inbound.name(type),
                reason,
                hex);
        broken = true; // what follows a bad frame is not looked at
        owner.bad(this, reason);
        close();
    }

    private void decodeAll() {
        if (inDecode) {
            return;
        }
        inDecode = true;
        int count = 0;
        try {
            while (!broken
                    && cumulation != null
                    && cumulation.readableBytes() >= FrameHeader.SIZE) {
                if (!decodeOne()) {
                    break;
                }
                count++;
            }
        } finally {
            inDecode = false;
        }
        profile.read(peer, count);
        if (cumulation != null && !cumulation.isReadable()) {
            cumulation.release();
            cumulation = null;
        } else if (cumulation != null) {
            cumulation.discardSomeReadBytes();
        }
        if (framesEnded && (descriptors == null || !waitsForDescriptor())) {
            finish();
        }
    }

    private boolean waitsForDescriptor() {
        return !broken
                && cumulation != null
                && cumulation.readableBytes() >= FrameHeader.SIZE
                && (cumulation.getUnsignedShort(cumulation.readerIndex() + 6)
                                & FrameHeader.DESCRIPTOR)
                        != 0;
    }

    /** One frame, if all of it is there and its descriptor too. */
    private boolean decodeOne() {
        ByteBuf in = cumulation;
        int start = in.readerIndex();
        int length = in.getInt(start);
        int type = in.getUnsignedShort(start + 4);
        int flags = in.getUnsignedShort(start + 6);
        if (length < FrameHeader.SIZE || length > capIn) {
            fail("length " + length, in, start, type);
            return false;
        }
        if (type == 0 || type >= allowed.length || !allowed[type]) {
            fail("type of another edge", in, start, type);
            return false;
        }
        if ((flags & ~(FrameHeader.DESCRIPTOR | FrameHeader.MORE | FrameHeader.TRACED)) != 0) {
            fail("flags " + flags, in, start, type);
            return false;
        }
        if (in.readableBytes() < length) {
            in.ensureWritable(length - in.readableBytes());
            return false;
        }
        int fd = -1;
        int body = start + FrameHeader.SIZE;
        if ((flags & FrameHeader.DESCRIPTOR) != 0) {
            if (arrived.isEmpty()) {
                awaitDescriptor(start, type);
                return false;
            }
            fd = arrived.poll();
            if (length < FrameHeader.SIZE + 8 || !isInode(fd, in.getLong(body))) {
                Fd.closeQuietly(fd);
                fail("the descriptor is another one", in, start, type);
                return false;
            }
            body += 8;
        }
        Frame frame =
                new Frame(
                        peer,
                        in.getLong(start + 12),
                        in.getInt(start + 8),
                        (flags & FrameHeader.MORE) != 0,
                        fd);
        Message message;
        try {
            in.readerIndex(body);
            message = inbound.decode(type, in, start + length);
        } catch (BadFrame e) {
            Fd.closeQuietly(fd);
            fail(e.getMessage(), in, start, type);
            return false;
        }
        in.readerIndex(start + length);
        trace.received(frame, message, length);
        long begun = profile.begin();
        owner.received(frame, message);
        profile.handled(peer, inbound, type, length, begun);
        return true;
    }

    private static boolean isInode(int fd, long inode) {
        try {
            return Fd.stat(fd).inode() == inode;
        } catch (SysException e) {
            return false;
        }
    }

    private void awaitDescriptor(int start, int type) {
        if (descriptors == null) {
            fail("descriptor on an edge that passes none", cumulation, start, type);
        } else if (descriptorTimer == null) {
            descriptorTimer =
                    loop.schedule(
                            () -> {
                                if (cumulation != null && arrived.isEmpty()) {
                                    fail(
                                            "no descriptor came",
                                            cumulation,
                                            cumulation.readerIndex(),
                                            type);
                                }
                            },
                            DESCRIPTOR_WAIT_SECONDS,
                            TimeUnit.SECONDS);
        }
    }

    private void finish() {
        if (frames == null) {
            return;
        }
        frames = null;
        if (descriptors != null) {
            descriptors.close();
            descriptors = null;
        }
        if (batch != null) {
            batch.release();
            batch = null;
        }
        if (cumulation != null) {
            cumulation.release();
            cumulation = null;
        }
        cancelDescriptorTimer();
        arrived.forEach(Fd::closeQuietly);
        arrived.clear();
        trace.enabled(false);
        owner.closed(this);
    }

    private void cancelDescriptorTimer() {
        if (descriptorTimer != null) {
            descriptorTimer.cancel(false);
            descriptorTimer = null;
        }
    }

    private final class FrameHandler extends ChannelInboundHandlerAdapter {

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            ByteBuf buffer = (ByteBuf) message;
            if (!context.channel().equals(frames)) {
                buffer.release();
                return;
            }
            cumulation =
                    cumulation == null
                            ? buffer
                            : ByteToMessageDecoder.MERGE_CUMULATOR.cumulate(
                                    context.alloc(), cumulation, buffer);
            decodeAll();
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            if (context.channel().equals(frames)) {
                framesEnded = true;
                decodeAll();
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            if (cause instanceof java.io.IOException) {
                context.close();
            } else {
                throw new ImpossibleState(cause);
            }
        }
    }

    private final class DescriptorHandler extends ChannelInboundHandlerAdapter {

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            int fd = ((FileDescriptor) message).intValue();
            if (!context.channel().equals(descriptors)) {
                Fd.closeQuietly(fd);
                return;
            }
            arrived.add(fd);
            cancelDescriptorTimer();
            decodeAll();
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            if (context.channel().equals(descriptors) && framesEnded) {
                finish();
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            context.close();
        }
    }
}
