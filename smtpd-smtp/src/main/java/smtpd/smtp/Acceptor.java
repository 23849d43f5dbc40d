package smtpd.smtp;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoop;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.epoll.EpollServerSocketChannel;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import smtpd.imsg.SocketAddr;
import smtpd.log.LogLine;

/**
 * One listening socket that the parent bound. Takes a handful of connections a turn, and when the
 * kernel refuses (no descriptors) tries again a second later, for ever.
 */
final class Acceptor extends ChannelInboundHandlerAdapter {

    private static final Logger LOG = LoggerFactory.getLogger(Acceptor.class);

    private final SocketAddr address;
    private final ServerChannel channel;
    private final BiConsumer<Acceptor, Channel> accepted;
    private SessionConfig config;
    private boolean wanted;
    private boolean resting;

    /**
     * Takes over a listening descriptor; nothing is accepted before {@link #accept}.
     *
     * @param accepted gets each connection, not registered yet
     */
    Acceptor(
            int fd,
            SocketAddr address,
            SessionConfig config,
            EventLoop loop,
            BiConsumer<Acceptor, Channel> accepted) {
        this.address = address;
        this.config = config;
        this.accepted = accepted;
        this.channel =
                config.local()
                        ? new EpollServerDomainSocketChannel(fd)
                        : new EpollServerSocketChannel(fd);
        channel.config().setAutoRead(false);
        channel.pipeline().addLast(this);
        loop.register(channel);
    }

    SocketAddr address() {
        return address;
    }

    SessionConfig config() {
        return config;
    }

    /** What the next sessions get. */
    void config(SessionConfig next) {
        config = next;
    }

    /** Accepts from now on, or leaves newcomers in the backlog. */
    void accept(boolean on) {
        wanted = on;
        channel.config().setAutoRead(on && !resting);
    }

    /** Accepts nothing for a second. */
    void rest() {
        if (!resting) {
            resting = true;
            channel.config().setAutoRead(false);
            channel.eventLoop()
                    .schedule(
                            () -> {
                                resting = false;
                                channel.config().setAutoRead(wanted && channel.isOpen());
                            },
                            1,
                            TimeUnit.SECONDS);
        }
    }

    void close() {
        channel.close();
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        Channel child = (Channel) message;
        try {
            accepted.accept(this, child);
        } catch (RuntimeException e) {
            LOG.error("{}", LogLine.of("smtp", "defect").add("error", e), e);
            child.unsafe().closeForcibly();
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        LogLine.of("smtp", "accept-failed").add("error", cause.getMessage()).warn(LOG);
        rest();
    }
}
