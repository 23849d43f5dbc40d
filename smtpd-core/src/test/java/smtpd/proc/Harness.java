package smtpd.proc;

import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import smtpd.conf.Config;
import smtpd.imsg.ChildToParent;
import smtpd.imsg.Edges;
import smtpd.imsg.Message;
import smtpd.imsg.ParentToChild;
import smtpd.imsg.Role;
import smtpd.sys.Fd;
import smtpd.sys.Memfd;
import smtpd.sys.Sockets;
import smtpd.sys.SysException;

/**
 * One process of the daemon inside a test, on real socket pairs: its parent and its peers are
 * scripted by the test. Two event loops, one for the process and one for all others.
 *
 * @param <P> the process under test
 */
public final class Harness<P extends ChildProcess<?>> implements AutoCloseable {

    private static final long PATIENCE_SECONDS = 20;

    /**
     * What a scripted peer received.
     *
     * @param frame with {@code from} = the process under test
     */
    public record Received(Frame frame, Message message) {}

    private final Role role;
    private final MultiThreadIoEventLoopGroup group;
    private final EventLoop processLoop;
    private final EventLoop peerLoop;
    private final Map<Role, Peer> peers = new EnumMap<>(Role.class);
    private final CompletableFuture<Integer> ended = new CompletableFuture<>();
    private final Map<Long, Config> configs = new java.util.concurrent.ConcurrentHashMap<>();
    private final P process;

    public Harness(Role role, Function<ChildContext, P> factory) {
        this(role, factory, -1, -1);
    }

    public Harness(Role role, Function<ChildContext, P> factory, int serviceUid, int serviceGid) {
        this(role, factory, serviceUid, serviceGid, 1);
    }

    /**
     * @param generation 2 and more: a process that replaces a dead one
     */
    public Harness(
            Role role,
            Function<ChildContext, P> factory,
            int serviceUid,
            int serviceGid,
            int generation) {
        this.role = role;
        this.group =
                new MultiThreadIoEventLoopGroup(
                        2, new DefaultThreadFactory("harness", true), EpollIoHandler.newFactory());
        this.processLoop = group.next();
        this.peerLoop = group.next();
        try {
            int[] frames = Sockets.pair();
            int[] descriptors = Sockets.pair();
            ChildContext context =
                    new ChildContext(
                            generation,
                            processLoop,
                            frames[1],
                            descriptors[1],
                            serviceUid,
                            serviceGid,
                            bytes -> configs.get(java.nio.ByteBuffer.wrap(bytes).getLong()),
                            ended::complete);
            this.process = factory.apply(context);
            Peer parent = new Peer(Role.PARENT);
            peers.put(Role.PARENT, parent);
            parent.install(frames[0], descriptors[0]);
            process.begin();
            parent.expect(ChildToParent.Hello.class);
        } catch (SysException e) {
            throw new IllegalStateException(e);
        }
    }

    public P process() {
        return process;
    }

    /** Runs something on the loop of the process and waits for it. */
    public <T> T onLoop(java.util.concurrent.Callable<T> work) {
        try {
            return processLoop.submit(work).get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    public Peer parent() {
        return peers.get(Role.PARENT);
    }

    /** The scripted peer of this role; it is connected at first use. */
    public Peer peer(Role peer) {
        Peer known = peers.get(peer);
        if (known == null) {
            known = new Peer(peer);
            peers.put(peer, known);
            known.join(1);
        }
        return known;
    }

    /** Offers and activates a configuration; returns when the process is ready. */
    public void configure(Config config) {
        assertAccepted(offer(config));
        parent().send(0, new ParentToChild.ConfigActivate(config.configId()));
        parent().expect(ChildToParent.Ready.class);
    }

    public ChildToParent.ConfigAnswer offer(Config config) {
        configs.put(config.configId(), config);
        byte[] id = java.nio.ByteBuffer.allocate(8).putLong(config.configId()).array();
        try {
            parent().send(
                            0,
                            new ParentToChild.ConfigOffer(config.configId()),
                            Memfd.sealed("config", id));
        } catch (SysException e) {
            throw new IllegalStateException(e);
        }
        return (ChildToParent.ConfigAnswer)
                parent().expect(ChildToParent.ConfigAnswer.class).message();
    }

    private static void assertAccepted(ChildToParent.ConfigAnswer answer) {
        if (!answer.accepted()) {
            throw new AssertionError("configuration refused: " + answer.reason());
        }
    }

    /** Waits for the end of the process and returns its exit status. */
    public int awaitEnd() {
        try {
            return ended.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new AssertionError("the process does not end", e);
        }
    }

    public boolean hasEnded() {
        return ended.isDone();
    }

    @Override
    public void close() {
        peers.values().forEach(Peer::die);
        group.shutdownGracefully(0, 5, TimeUnit.SECONDS).awaitUninterruptibly(10_000);
    }

    /** A peer that does what the test says. */
    public final class Peer implements LinkOwner {

        private final Role peer;
        private final Link link;
        private final BlockingQueue<Received> inbox = new LinkedBlockingQueue<>();
        private int generation = 1;

        private Peer(Role peer) {
            this.peer = peer;
            this.link = new Link(peerLoop, this, peer, role, new ImsgProfile());
        }

        private void install(int frames, int descriptors) {
            onPeerLoop(() -> link.install(frames, descriptors));
        }

        private void onPeerLoop(Runnable work) {
            try {
                peerLoop.submit(work).get(PATIENCE_SECONDS, TimeUnit.SECONDS);
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        }

        private void join(int newGeneration) {
            generation = newGeneration;
            try {
                boolean descriptors =
                        Edges.PAIRS.stream()
                                .anyMatch(p -> p.has(role) && p.has(peer) && p.descriptors());
                int parts = descriptors ? 2 : 1;
                int[] frames = Sockets.pair();
                parent().send(
                                0,
                                new ParentToChild.PeerReplaced(
                                        peer, generation, parts, ParentToChild.EdgePart.FRAMES),
                                frames[1]);
                int own = -1;
                if (descriptors) {
                    int[] second = Sockets.pair();
                    own = second[0];
                    parent().send(
                                    0,
                                    new ParentToChild.PeerReplaced(
                                            peer,
                                            generation,
                                            parts,
                                            ParentToChild.EdgePart.DESCRIPTORS),
                                    second[1]);
                }
                install(frames[0], own);
            } catch (SysException e) {
                throw new IllegalStateException(e);
            }
        }

        /** Closes its end, as a killed process does, and waits until that is done here. */
        public void die() {
            onPeerLoop(link::close);
            org.awaitility.Awaitility.await()
                    .pollDelay(java.time.Duration.ZERO)
                    .pollInterval(java.time.Duration.ofMillis(2))
                    .until(() -> !link.isUp());
        }

        /** Comes back as a new incarnation. */
        public void rejoin() {
            join(generation + 1);
        }

        public void send(long id, Message message) {
            send(id, message, -1);
        }

        public void send(long id, Message message, int fd) {
            onPeerLoop(() -> checkSent(link.send(id, 0, 0, message, fd)));
        }

        public void sendMore(long id, Message message) {
            onPeerLoop(() -> checkSent(link.send(id, 0, smtpd.imsg.FrameHeader.MORE, message, -1)));
        }

        /** Speaks for a control client. */
        public void sendFor(int client, long id, Message message) {
            onPeerLoop(() -> checkSent(link.send(id, client, 0, message, -1)));
        }

        private void checkSent(boolean sent) {
            if (!sent) {
                throw new AssertionError("not sent: the process is away");
            }
        }

        /** The next message; counters are skipped. */
        public Received next() {
            try {
                while (true) {
                    Received received = inbox.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
                    if (received == null) {
                        throw new AssertionError(peer + " heard nothing");
                    }
                    if (!(received.message() instanceof smtpd.imsg.ChildToControl.StatDelta)) {
                        return received;
                    }
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new AssertionError(e);
            }
        }

        /** The next message, which must be of this type. */
        public Received expect(Class<? extends Message> type) {
            Received received = next();
            if (!type.isInstance(received.message())) {
                throw new AssertionError(
                        peer + " heard " + received.message() + " instead of " + type);
            }
            return received;
        }

        /** The next message of this type as itself. */
        public <M extends Message> M get(Class<M> type) {
            return type.cast(expect(type).message());
        }

        /** What has come and was not taken, without waiting. */
        public java.util.List<Received> drain() {
            java.util.List<Received> all = new java.util.ArrayList<>();
            inbox.drainTo(all);
            all.removeIf(r -> r.message() instanceof smtpd.imsg.ChildToControl.StatDelta);
            return all;
        }

        public boolean isConnected() {
            return link.isUp();
        }

        @Override
        public void received(Frame frame, Message message) {
            inbox.add(new Received(frame, message));
        }

        @Override
        public void closed(Link closed) {
            inbox.forEach(r -> Fd.closeQuietly(r.frame().fd()));
        }

        @Override
        public void bad(Link bad, String reason) {
            throw new AssertionError(peer + ": bad frame: " + reason);
        }
    }
}
