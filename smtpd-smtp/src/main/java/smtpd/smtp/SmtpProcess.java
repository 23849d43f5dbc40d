package smtpd.smtp;

import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import java.lang.management.ManagementFactory;
import java.net.InetSocketAddress;
import java.time.Clock;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import smtpd.conf.Config;
import smtpd.conf.Listener;
import smtpd.imsg.ChildToControl;
import smtpd.imsg.ChildToParent;
import smtpd.imsg.ControlToChild;
import smtpd.imsg.ControlToSmtp;
import smtpd.imsg.LkaToSmtp;
import smtpd.imsg.ParentToChild;
import smtpd.imsg.ParentToSmtp;
import smtpd.imsg.QueueToSmtp;
import smtpd.imsg.ReverseLookup;
import smtpd.imsg.ReverseName;
import smtpd.imsg.Role;
import smtpd.imsg.SmtpToLka;
import smtpd.imsg.SmtpToQueue;
import smtpd.imsg.ToSmtp;
import smtpd.log.LogLine;
import smtpd.proc.ChildContext;
import smtpd.proc.ChildMain;
import smtpd.proc.ChildProcess;
import smtpd.proc.Edge;
import smtpd.proc.Frame;
import smtpd.stat.Stat;
import smtpd.sys.Fd;

/**
 * The process that faces the Internet: takes connections on the sockets the parent bound, holds the
 * sessions, passes their questions to lka and queue and the answers back. Runs as {@code _smtpd}.
 */
public final class SmtpProcess extends ChildProcess<ToSmtp> implements Backstage {

    private static final Logger LOG = LoggerFactory.getLogger(SmtpProcess.class);
    private static final int MAX_SESSIONS = 16_384;
    private static final int SESSION_HEAP_BYTES = 6 << 10;
    private static final int KEPT_DESCRIPTORS = 32;
    private static final int MAX_SESSIONS_A_UID = 32;
    private static final int MAX_REFUSALS_A_SECOND = 100;
    private static final int FIRST_NOTE_SECONDS = 5;
    private static final int WRITERS = 4;
    private static final int WATER_MARK = 64 << 10;
    private static final long COMMIT_GRACE_MILLIS = 10_000;

    private final Edge<ChildToParent> parent = edge(Role.PARENT, ChildToParent.class);
    private final Edge<ChildToControl> control = edge(Role.CONTROL, ChildToControl.class);
    private final Edge<SmtpToLka> lka = edge(Role.LKA, SmtpToLka.class);
    private final Edge<SmtpToQueue> queue = edge(Role.QUEUE, SmtpToQueue.class);

    private final Map<Long, Session> sessions = new HashMap<>();
    private final Map<Long, Integer> sessionsOfConfig = new HashMap<>();
    private final Map<Long, Integer> sessionsOfUid = new HashMap<>();
    private final Map<Long, Config> configs = new HashMap<>();
    private final List<Acceptor> acceptors = new ArrayList<>();
    private final Map<Long, SmtpToQueue.AbortMessage> withdrawals = new HashMap<>();
    private final SourceCounts sources = new SourceCounts();
    private final ExecutorService disk;
    private final SessionLoop shared;
    private final int maxSessions = maxSessions();

    private Config active;
    private Storage storage = Storage.UNAVAILABLE;
    private boolean accepting;
    private boolean paused;
    private boolean waitingForNote;
    private int refusals;

    public SmtpProcess(ChildContext context) {
        this(context, Clock.system(ZoneId.systemDefault()));
    }

    SmtpProcess(ChildContext context, Clock clock) {
        super(Role.SMTP, ToSmtp.class, context);
        disk =
                Executors.newFixedThreadPool(
                        WRITERS,
                        task -> {
                            Thread thread = new Thread(task, "content");
                            thread.setDaemon(true);
                            return thread;
                        });
        shared = new SessionLoop(loop(), clock, stats(), disk, this);
        loop().scheduleAtFixedRate(this::second, 1, 1, TimeUnit.SECONDS);
    }

    public static void main(String[] arguments) {
        ChildMain.run(arguments, SmtpProcess::new);
    }

    private static int maxSessions() {
        long heap = Runtime.getRuntime().maxMemory() / SESSION_HEAP_BYTES;
        long files = MAX_SESSIONS;
        if (ManagementFactory.getOperatingSystemMXBean()
                instanceof com.sun.management.UnixOperatingSystemMXBean system) {
            files = system.getMaxFileDescriptorCount() - 64 - KEPT_DESCRIPTORS;
        }
        return (int) Math.max(16, Math.min(MAX_SESSIONS, Math.min(heap, files)));
    }

    private void second() {
        refusals = 0;
        shared.wheel.tick();
    }

    // ---- configuration

    @Override
    protected void configure(Config config) {
        configs.put(config.configId(), config);
    }

    @Override
    protected void activate(Config config, Runnable ready) {
        Config before = active;
        active = config;
        for (Acceptor acceptor : acceptors) {
            SessionConfig next = sameListener(acceptor, before);
            if (next != null) {
                acceptor.config(next);
            }
        }
        if (before != null) {
            released(before.configId());
        }
        ready.run();
    }

    /** What a socket that stays gets of the new configuration, unless the parent says otherwise. */
    private SessionConfig sameListener(Acceptor acceptor, Config before) {
        if (acceptor.config().local()) {
            return SessionConfig.local(active);
        }
        for (Listener old : before.listeners()) {
            if (!SessionConfig.of(before, old).label().equals(acceptor.config().label())) {
                continue;
            }
            for (Listener listener : active.listeners()) {
                if (listener.on().equals(old.on()) && listener.port() == old.port()) {
                    return SessionConfig.of(active, listener);
                }
            }
        }
        return null;
    }

    @Override
    protected void drop(long configId) {
        configs.remove(configId);
    }

    @Override
    protected void runState(ParentToChild.RunState state) {
        pause(state.smtpPaused());
    }

    // ---- frames

    @Override
    protected void dispatch(Frame frame, ToSmtp message) {
        switch (message) {
            case ParentToSmtp.ListenerSocket m -> listen(frame.fd(), m);
            case ParentToSmtp.ListenerGone m -> unlisten(m);
            case ControlToSmtp.PauseSmtp _ -> switched(frame, true);
            case ControlToSmtp.ResumeSmtp _ -> switched(frame, false);
            case ReverseName m -> with(frame, s -> s.reverseName(m));
            case LkaToSmtp.RecipientRefused m ->
                    with(frame, s -> s.exchange().recipients().refused(m));
            case QueueToSmtp.RecipientStored m -> recipientStored(frame, m);
            case QueueToSmtp.ContentFile m -> contentFile(frame, m);
            case QueueToSmtp.MessageCommitted m -> committed(frame, m);
            case QueueToSmtp.StateNote m -> storage(m);
            case ParentToChild _, ControlToChild _ -> {} // house-keeping, taken out before
        }
    }

    private void with(Frame frame, Consumer<Session> news) {
        Session session = sessions.get(frame.id());
        if (session == null) {
            stats().increment(Stat.IMSG_LATE);
        } else {
            news.accept(session);
        }
    }

    private void recipientStored(Frame frame, QueueToSmtp.RecipientStored m) {
        Session session = sessions.get(frame.id());
        if (session != null
                && (session.exchange().recipients().stored(m)
                        || session.exchange().isCommitted(m.no()))) {
            return;
        }
        stats().increment(Stat.IMSG_LATE);
        if (session != null && m.outcome().isOk()) {
            // The mail was dropped meanwhile: what the queue staged for it must not stay.
            queue.send(frame.id(), new SmtpToQueue.AbortMessage(m.no(), m.msgid(), 0));
        }
    }

    private void contentFile(Frame frame, QueueToSmtp.ContentFile m) {
        Session session = sessions.get(frame.id());
        if (session == null) {
            stats().increment(Stat.IMSG_LATE);
            Fd.closeQuietly(frame.fd());
        } else {
            session.exchange().contentFile(m.no(), m.outcome(), frame.fd());
        }
    }

    private void committed(Frame frame, QueueToSmtp.MessageCommitted m) {
        Session session = sessions.get(frame.id());
        if (session == null || !session.exchange().messageCommitted(m)) {
            stats().increment(Stat.IMSG_LATE);
        }
    }

    private void storage(QueueToSmtp.StateNote note) {
        if (note.accepting()) {
            storage = Storage.OK;
        } else {
            storage =
                    switch (note.reason()) {
                        case SPACE, INODES -> Storage.FULL;
                        default -> Storage.UNAVAILABLE;
                    };
        }
        startAccepting();
    }

    // ---- listeners

    private void listen(int fd, ParentToSmtp.ListenerSocket m) {
        Config config = configs.get(m.configId());
        boolean known = config != null && m.id() < config.listeners().size();
        if (fd < 0 || !known || isStopping()) {
            Fd.closeQuietly(fd);
            return;
        }
        SessionConfig settings =
                m.id() < 0
                        ? SessionConfig.local(config)
                        : SessionConfig.of(config, config.listeners().get(m.id()));
        unlisten(new ParentToSmtp.ListenerGone(m.address()));
        Acceptor acceptor = new Acceptor(fd, m.address(), settings, loop(), this::accepted);
        acceptors.add(acceptor);
        gate(acceptor);
        if (!accepting && !waitingForNote) {
            waitingForNote = true;
            loop().schedule(this::startAccepting, FIRST_NOTE_SECONDS, TimeUnit.SECONDS);
        }
    }

    private void unlisten(ParentToSmtp.ListenerGone m) {
        acceptors.removeIf(
                acceptor -> {
                    boolean same = acceptor.address().equals(m.address());
                    if (same) {
                        acceptor.close();
                    }
                    return same;
                });
    }

    private void startAccepting() {
        if (!accepting) {
            accepting = true;
            acceptors.forEach(this::gate);
        }
    }

    /** Paused: TCP waits in the backlog; sendmail is told, so that it stores offline. */
    private void gate(Acceptor acceptor) {
        acceptor.accept(accepting && !isStopping() && (!paused || acceptor.config().local()));
    }

    private void pause(boolean on) {
        paused = on;
        acceptors.forEach(this::gate);
    }

    private void switched(Frame frame, boolean on) {
        pause(on);
        LogLine.of("control", on ? "pause" : "resume").add("what", "smtp").info(LOG);
        control.sendTo(frame.peer(), frame.id(), new ChildToControl.ControlDone(true, 1, 0, ""));
    }

    // ---- connections

    private void accepted(Acceptor acceptor, Channel channel) {
        SessionConfig config = acceptor.config();
        Client client = identify(config, channel);
        if (client == null) {
            channel.unsafe().closeForcibly();
            return;
        }
        options(channel, client);
        Wire wire = new Wire(shared, channel);
        channel.pipeline().addLast(wire);
        Session session = new Session(ids().next(), shared, config, client, wire);
        sessions.put(session.sid(), session);
        sessionsOfConfig.merge(config.configId(), 1, Integer::sum);
        count(client);
        loop().register(channel);
        Reply refusal = refusal(session, channel);
        if (refusal == null) {
            session.begin();
        } else {
            stats().increment(Stat.SMTP_LIMIT);
            if (++refusals > MAX_REFUSALS_A_SECOND) {
                acceptor.rest();
            }
            session.turnAway(refusal);
        }
    }

    private static Client identify(SessionConfig config, Channel channel) {
        if (!config.local()) {
            return channel.remoteAddress() instanceof InetSocketAddress peer
                    ? Client.of(peer)
                    : null;
        }
        try {
            long uid = ((EpollDomainSocketChannel) channel).peerCredentials().uid() & 0xffffffffL;
            // An unmapped uid of another user namespace shows as -1 or the overflow uid of nobody.
            return uid == 0xffffffffL || uid == 65_534 ? null : Client.local(uid);
        } catch (java.io.IOException e) {
            return null;
        }
    }

    private static void options(Channel channel, Client client) {
        channel.config().setOption(ChannelOption.ALLOW_HALF_CLOSURE, true);
        channel.config()
                .setWriteBufferWaterMark(new WriteBufferWaterMark(WATER_MARK / 2, WATER_MARK));
        if (!client.isLocal()) {
            channel.config().setOption(ChannelOption.TCP_NODELAY, true);
            channel.config().setOption(ChannelOption.SO_KEEPALIVE, true);
        }
    }

    private void count(Client client) {
        stats().set(Stat.SMTP_SESSION, sessions.size());
        stats().increment(
                        client.isLocal()
                                ? Stat.SMTP_SESSION_LOCAL
                                : client.address().isIpv6()
                                        ? Stat.SMTP_SESSION_INET6
                                        : Stat.SMTP_SESSION_INET4);
    }

    private Reply refusal(Session session, Channel channel) {
        Client client = session.client();
        SessionConfig config = session.config();
        if (client.isLocal()) {
            int open = sessionsOfUid.merge(client.uid(), 1, Integer::sum);
            if (paused) {
                return Reply.closing("4.3.2", config.name(), "Submission is paused");
            } else if (open > MAX_SESSIONS_A_UID) {
                return Reply.closing("4.7.0", config.name(), "Too many connections");
            }
        } else if (!isOwn(client, channel)) {
            if (!sources.enter(client.address(), config.maxPerSource())) {
                return Reply.closing(
                        "4.7.0", config.name(), "Too many connections from your address");
            }
            session.counted();
        }
        return sessions.size() > maxSessions
                ? Reply.closing("4.3.2", config.name(), "Too busy, try again later")
                : null;
    }

    private static boolean isOwn(Client client, Channel channel) {
        return client.address().toInetAddress().isLoopbackAddress()
                || (channel.localAddress() instanceof InetSocketAddress local
                        && local.getAddress().equals(client.address().toInetAddress()));
    }

    @Override
    public void ended(Session session) {
        if (sessions.remove(session.sid()) == null) {
            return;
        }
        stats().set(Stat.SMTP_SESSION, sessions.size());
        Client client = session.client();
        if (client.isLocal()) {
            sessionsOfUid.computeIfPresent(client.uid(), (_, open) -> open > 1 ? open - 1 : null);
        } else if (session.isCounted()) {
            sources.leave(client.address());
        }
        long configId = session.config().configId();
        sessionsOfConfig.computeIfPresent(configId, (_, open) -> open > 1 ? open - 1 : null);
        released(configId);
        if (isStopping() && sessions.isEmpty()) {
            finish();
        }
    }

    /** The parent learns when nobody uses an old configuration any more. */
    private void released(long configId) {
        if (active != null
                && configId != active.configId()
                && configs.containsKey(configId)
                && !sessionsOfConfig.containsKey(configId)) {
            configs.remove(configId);
            parent.send(0, new ChildToParent.ConfigReleased(configId));
        }
    }

    // ---- peers come and go (processes.md 2.2, 2.3)

    @Override
    protected void lost(Role peer) {
        List<Session> present = new ArrayList<>(sessions.values());
        switch (peer) {
            case LKA -> present.forEach(Session::lkaLost);
            case QUEUE -> {
                storage = Storage.UNAVAILABLE;
                present.forEach(session -> session.exchange().queueLost());
            }
            default -> {}
        }
    }

    /**
     * The new queue hears about every commit the old one did not answer, and that these were all.
     */
    @Override
    protected void joined(Role peer) {
        if (peer != Role.QUEUE) {
            return;
        }
        for (Session session : sessions.values()) {
            SmtpToQueue.CommitStatus question = session.exchange().heldCommit();
            if (question != null) {
                queue.send(session.sid(), question);
            }
        }
        withdrawals.forEach(queue::send);
        withdrawals.clear();
        queue.send(0, new SmtpToQueue.CommitStatusEnd());
    }

    // ---- what sessions ask

    @Override
    public boolean lookUp(long sid, ReverseLookup question) {
        return lka.send(sid, question);
    }

    @Override
    public boolean expand(long sid, SmtpToLka.ExpandRecipient question) {
        // lka hands the envelopes to the queue: without the queue nobody would answer.
        return queue.isUp() && lka.send(sid, question);
    }

    @Override
    public boolean openContent(long sid, SmtpToQueue.OpenContent question) {
        return queue.send(sid, question);
    }

    @Override
    public boolean commit(long sid, SmtpToQueue.CommitMessage question) {
        return queue.send(sid, question);
    }

    @Override
    public void abort(long sid, SmtpToQueue.AbortMessage notice) {
        queue.send(sid, notice);
    }

    @Override
    public void withdraw(long sid, SmtpToQueue.AbortMessage notice) {
        if (!queue.send(sid, notice)) {
            withdrawals.put(sid, notice);
        }
    }

    @Override
    public Storage storage() {
        return storage;
    }

    @Override
    public boolean isCongested() {
        return lka.isCongested() || queue.isCongested();
    }

    // ---- stop

    @Override
    protected void stop(long deadlineMillis) {
        acceptors.forEach(Acceptor::close);
        acceptors.clear();
        new ArrayList<>(sessions.values()).forEach(Session::stop);
        if (sessions.isEmpty()) {
            finish();
            return;
        }
        loop().schedule(this::dropAll, deadlineMillis, TimeUnit.MILLISECONDS);
        loop().schedule(this::finish, deadlineMillis + COMMIT_GRACE_MILLIS, TimeUnit.MILLISECONDS);
    }

    /** Commits under way outlive their clients: a mail that may be durable is not left in doubt. */
    private void dropAll() {
        new ArrayList<>(sessions.values()).forEach(Session::drop);
    }

    private void finish() {
        disk.shutdown();
        finished();
    }

    /** Sessions open now. */
    int sessionCount() {
        return sessions.size();
    }

    SessionLoop shared() {
        return shared;
    }

    Session anySession() {
        return sessions.values().iterator().next();
    }
}
