package smtpd.mta.session;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollSocketChannel;
import java.net.InetSocketAddress;

/** One TCP connection of a session, Netty's side of it. Knows nothing of SMTP. */
final class Connection extends ChannelInboundHandlerAdapter {

    /** Who is told; all calls on the session's loop. */
    interface Events {
        void connected();

        void refused(Throwable cause);

        /** Bytes came; what is not taken is lost. */
        void read(ByteBuf in);

        /** All that came is read. */
        void readComplete();

        /** The socket takes more. */
        void writable();

        void closed();

        void broken(Throwable cause);
    }

    private final EventLoop loop;
    private final SessionTrace trace;
    private final Events events;
    private Channel channel;
    private boolean forgotten;

    Connection(EventLoop loop, SessionTrace trace, Events events) {
        this.loop = loop;
        this.trace = trace;
        this.events = events;
    }

    /** Begins to connect; call once. */
    void open(SessionSpec spec) {
        Bootstrap bootstrap =
                new Bootstrap()
                        .group(loop)
                        .channel(EpollSocketChannel.class)
                        .option(ChannelOption.TCP_NODELAY, true)
                        .option(
                                ChannelOption.CONNECT_TIMEOUT_MILLIS,
                                (int) spec.timeouts().connect())
                        .option(EpollChannelOption.IP_BIND_ADDRESS_NO_PORT, true)
                        .option(
                                ChannelOption.WRITE_BUFFER_WATER_MARK,
                                new WriteBufferWaterMark(32 * 1024, 64 * 1024))
                        .handler(this);
        ChannelFuture connecting =
                spec.source() == null
                        ? bootstrap.connect(spec.remote())
                        : bootstrap.connect(spec.remote(), new InetSocketAddress(spec.source(), 0));
        channel = connecting.channel();
        connecting.addListener(
                (ChannelFuture done) -> {
                    if (done.isSuccess()) {
                        trace.io("IO_CONNECTED", channel, 0);
                        events.connected();
                    } else {
                        events.refused(done.cause());
                    }
                });
    }

    Channel channel() {
        return channel;
    }

    void close() {
        channel.close();
    }

    /** Closes; nothing is told of it any more. */
    void forget() {
        forgotten = true;
        channel.close();
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        ByteBuf in = (ByteBuf) message;
        try {
            if (!forgotten) {
                trace.io("IO_DATAIN", channel, in.readableBytes());
                events.read(in);
            }
        } finally {
            in.release();
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        if (!forgotten) {
            events.readComplete();
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        if (!forgotten && channel.isWritable()) {
            trace.io("IO_LOWAT", channel, 0);
            events.writable();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        if (!forgotten) {
            trace.io("IO_DISCONNECTED", channel, 0);
            events.closed();
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        if (!forgotten) {
            trace.io("IO_ERROR", channel, 0);
            events.broken(cause);
        }
    }
}
