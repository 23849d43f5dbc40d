package smtpd.control;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import smtpd.imsg.CtlToControl;
import smtpd.log.LogLine;
import smtpd.sys.Sockets;
import smtpd.sys.SysException;

/**
 * All connections on the control socket: takes them, bounds them, and knows whether one reads so
 * slowly that the processes must wait.
 */
final class Clients implements Client.Owner {

    /** What control does with them. */
    interface Listener {
        void requested(Client client, CtlToControl request);

        void gone(Client client);

        /** More than 1 MiB waits for some client, or no longer. */
        void congested(boolean isCongested);

        void count(int clients);
    }

    static final int MAX_OF_ONE_USER = 32;
    private static final int MAX_OF_OTHERS = 128;
    private static final int STOP_BYTES = 1 << 20;
    private static final int RESUME_BYTES = 256 << 10;
    private static final int STUCK_SECONDS = 10;

    private static final Logger LOG = LoggerFactory.getLogger(Clients.class);

    private final EventLoop loop;
    private final Listener listener;
    private final Map<Integer, Client> byNumber = new LinkedHashMap<>();
    private final Map<Integer, Integer> byUid = new HashMap<>();
    private final Map<Client, Long> slow = new HashMap<>();
    private EpollServerDomainSocketChannel server;
    private int lastNumber;
    private long episodes;

    Clients(EventLoop loop, Listener listener) {
        this.loop = loop;
        this.listener = listener;
    }

    /** Takes clients on this listening socket from now on. */
    void listen(int fd) {
        EpollServerDomainSocketChannel old = server;
        server = new EpollServerDomainSocketChannel(fd);
        server.pipeline().addLast(new Acceptor());
        // Netty takes a socket for inactive until it has bound it itself: ask for the first read.
        EpollServerDomainSocketChannel fresh = server;
        loop.register(fresh).addListener(_ -> fresh.read());
        if (old != null) {
            old.close();
        }
    }

    Client of(int number) {
        return byNumber.get(number);
    }

    int size() {
        return byNumber.size();
    }

    /** Ends all; what was written to them leaves first. */
    void close() {
        if (server != null) {
            server.close();
        }
        new ArrayList<>(byNumber.values()).forEach(Client::close);
    }

    private final class Acceptor extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            accepted((EpollDomainSocketChannel) message);
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            // Out of descriptors: the connection waits in the backlog; Netty tries again.
            LOG.warn("control accept failed: {}", cause.toString());
        }
    }

    private void accepted(EpollDomainSocketChannel channel) {
        Sockets.Peer peer;
        try {
            peer = Sockets.peer(channel.fd().intValue());
        } catch (SysException e) {
            channel.unsafe().closeForcibly();
            return;
        }
        int same = byUid.getOrDefault(peer.uid(), 0);
        if (same >= MAX_OF_ONE_USER || (peer.uid() != 0 && byNumber.size() >= MAX_OF_OTHERS)) {
            LogLine.of("control", "limit").add("uid", peer.uid()).add("clients", same).warn(LOG);
            channel.unsafe().closeForcibly();
            return;
        }
        lastNumber = lastNumber == Integer.MAX_VALUE ? 1 : lastNumber + 1;
        Client client = new Client(lastNumber, peer, channel, this);
        channel.config()
                .setOption(
                        ChannelOption.WRITE_BUFFER_WATER_MARK,
                        new WriteBufferWaterMark(RESUME_BYTES, STOP_BYTES));
        channel.pipeline().addLast(client);
        byNumber.put(client.number(), client);
        byUid.merge(peer.uid(), 1, Integer::sum);
        listener.count(byNumber.size());
        loop.register(channel);
    }

    @Override
    public void requested(Client client, long id, CtlToControl request) {
        listener.requested(client, request);
    }

    @Override
    public void gone(Client client) {
        if (byNumber.remove(client.number()) == null) {
            return;
        }
        byUid.computeIfPresent(client.peer().uid(), (_, n) -> n == 1 ? null : n - 1);
        listener.count(byNumber.size());
        writable(client, true);
        listener.gone(client);
    }

    @Override
    public void writable(Client client, boolean isWritable) {
        boolean was = !slow.isEmpty();
        if (isWritable) {
            slow.remove(client);
        } else {
            long episode = ++episodes;
            slow.put(client, episode);
            loop.schedule(() -> dropIfStuck(client, episode), STUCK_SECONDS, TimeUnit.SECONDS);
        }
        if (was == slow.isEmpty()) {
            listener.congested(!was);
        }
    }

    /** One client that reads nothing must not hold up the answers to all others. */
    private void dropIfStuck(Client client, long episode) {
        Long now = slow.get(client);
        if (now != null && now == episode) {
            LogLine.of("control", "stuck").add("uid", client.peer().uid()).warn(LOG);
            client.close();
        }
    }

    @Override
    public void malformed(Client client, String reason) {
        LogLine.of("control", "bad-frame")
                .add("uid", client.peer().uid())
                .add("reason", reason)
                .debug(LOG);
    }
}
