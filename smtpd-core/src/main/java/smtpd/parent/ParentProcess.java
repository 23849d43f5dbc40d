package smtpd.parent;

import io.netty.channel.EventLoop;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.IntConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import smtpd.conf.Config;
import smtpd.imsg.ChildToParent;
import smtpd.imsg.ControlToParent;
import smtpd.imsg.Edges;
import smtpd.imsg.LkaToParent;
import smtpd.imsg.Message;
import smtpd.imsg.ParentToChild;
import smtpd.imsg.ParentToControl;
import smtpd.imsg.ParentToLka;
import smtpd.imsg.ParentToSmtp;
import smtpd.imsg.Role;
import smtpd.imsg.ToParent;
import smtpd.imsg.Vocabulary;
import smtpd.log.Logging;
import smtpd.proc.Frame;
import smtpd.proc.ImsgProfile;
import smtpd.proc.Link;
import smtpd.proc.LinkOwner;
import smtpd.sys.ExitStatus;
import smtpd.sys.Fd;
import smtpd.sys.Identity;
import smtpd.sys.Memfd;
import smtpd.sys.Sockets;
import smtpd.sys.SysException;

/**
 * The supervisor: spawns the eight, gives them the configuration, joins those that are ready,
 * starts the dead anew, and stops all in order. Everything here runs on the parent's event loop.
 */
final class ParentProcess implements LinkOwner {

    private static final Logger LOG = LoggerFactory.getLogger(ParentProcess.class);
    private static final Set<Role> CHILDREN = EnumSet.complementOf(EnumSet.of(Role.PARENT));

    /** Who must be ready before smtp may take a client. */
    private static final Set<Role> BEFORE_SMTP = EnumSet.of(Role.LKA, Role.QUEUE, Role.SCHEDULER);

    /** These end first; the others store what they still bring. */
    private static final Set<Role> FIRST_TO_STOP =
            EnumSet.of(Role.SMTP, Role.MFA, Role.MTA, Role.MDA);

    private static final long STOP_MILLIS = 30_000;
    private static final long STOP_GRACE_MILLIS = 10_000;

    /** Long enough for eight JVMs without a class cache on one busy core. */
    private static final long READY_SECONDS = 90;

    private static final long PING_SECONDS = 10;
    private static final int PINGS_UNTIL_STACKS = 3;
    private static final int PINGS_UNTIL_KILL = 12;
    private static final int MAX_ACCUSATIONS = 3;
    private static final int SIGQUIT = 3;

    /** What starts a child; the exit is told by {@link #exited}. */
    @FunctionalInterface
    interface ChildSpawner {
        /**
         * Spawns without waiting.
         *
         * @param frames becomes descriptor 3 of the child
         * @param descriptors becomes 4
         */
        void spawn(Role role, int generation, int frames, int descriptors) throws SysException;
    }

    private final EventLoop loop;
    private final Config config;
    private final byte[] bundle;
    private final BoundSockets sockets;
    private final ChildSpawner spawner;
    private final ForwardOpener forwards;
    private final Runnable onReady;
    private final IntConsumer end;
    private final byte[] vocabulary = Vocabulary.hash();
    private final Map<Role, Child> children = new EnumMap<>(Role.class);
    private final Map<Role, Link> links = new EnumMap<>(Role.class);
    private ParentToChild.RunState runState;
    private boolean daemonReady;
    private boolean stopping;
    private int exitStatus;

    /**
     * @param bundle the configuration as it crosses to the children
     * @param onReady called once, when the first client can be served
     * @param end called once, with the exit status, when all children have ended
     */
    ParentProcess(
            EventLoop loop,
            Config config,
            byte[] bundle,
            BoundSockets sockets,
            ParentToChild.RunState runState,
            ChildSpawner spawner,
            ForwardOpener forwards,
            Runnable onReady,
            IntConsumer end) {
        this.loop = loop;
        this.config = config;
        this.bundle = bundle;
        this.sockets = sockets;
        this.runState = runState;
        this.spawner = spawner;
        this.forwards = forwards;
        this.onReady = onReady;
        this.end = end;
        for (Role role : CHILDREN) {
            children.put(role, new Child(role));
            links.put(role, new Link(loop, this, Role.PARENT, role, new ImsgProfile()));
        }
    }

    /** Spawns all eight at once. */
    void start() {
        applySwitches();
        CHILDREN.forEach(this::spawn);
        loop.scheduleAtFixedRate(this::ping, PING_SECONDS, PING_SECONDS, TimeUnit.SECONDS);
    }

    /** The parent's own lines obey too: it is an end of eight edges. */
    private void applySwitches() {
        Logging.trace(runState.traceMask());
        Logging.verbose(runState.verbose());
    }

    // ---- birth

    private void spawn(Role role) {
        if (stopping) {
            return;
        }
        Child child = children.get(role);
        child.generation++;
        child.state = Child.State.SPAWNED;
        child.pid = -1;
        child.pingsOut = 0;
        child.spawnedNanos = System.nanoTime();
        child.stopSent = false;
        int[] frames = {-1, -1};
        int[] descriptors = {-1, -1};
        try {
            frames = Sockets.pair();
            descriptors = Sockets.pair();
            Link link = links.get(role);
            link.install(frames[0], descriptors[0]);
            link.edge(ParentToChild.class).send(0, runState);
            offer(link);
            spawner.spawn(role, child.generation, frames[1], descriptors[1]);
        } catch (SysException e) {
            LOG.error("event=spawn-failed process={} reason=\"{}\"", role.title(), e.getMessage());
            Fd.closeQuietly(frames[1]);
            Fd.closeQuietly(descriptors[1]);
            exited(role, child.generation, -1, new ExitStatus(Identity.SIGKILL));
            return;
        }
        int generation = child.generation;
        loop.schedule(() -> checkReady(child, generation), READY_SECONDS, TimeUnit.SECONDS);
    }

    private void offer(Link link) throws SysException {
        int memory = Memfd.sealed("smtpd.conf", bundle);
        link.edge(ParentToChild.class)
                .send(0, new ParentToChild.ConfigOffer(config.configId()), memory);
    }

    /** The pid of an incarnation is known. Called on the loop. */
    void started(Role role, int generation, int pid) {
        Child child = children.get(role);
        if (child.generation == generation && child.isAlive()) {
            child.pid = pid;
        }
    }

    /** The kernel cannot do all of a sandbox: said once a process, never fatal. */
    void missing(Role role, String what) {
        if (children.get(role).generation == 1) {
            LOG.warn("event=unsandboxed process={} missing=\"{}\"", role.title(), what);
        }
    }

    private void checkReady(Child child, int generation) {
        if (child.generation == generation
                && child.isAlive()
                && child.state != Child.State.READY
                && child.role != Role.SMTP
                && !stopping) {
            LOG.error("event=not-ready process={} after={}s", child.role.title(), READY_SECONDS);
            kill(child);
        }
    }

    private void hello(Child child, ChildToParent.Hello m) {
        if (m.role() != child.role || m.generation() != child.generation) {
            LOG.error("event=bad-hello process={}", child.role.title());
            kill(child);
        } else if (!Arrays.equals(m.vocabulary(), vocabulary)) {
            stop(
                    1,
                    "the jar of "
                            + child.role.title()
                            + " speaks another language than smtpd-core: install all jars of one"
                            + " build");
        } else {
            child.pid = m.pid();
            child.state = Child.State.OFFERED;
        }
    }

    private void answered(Child child, ChildToParent.ConfigAnswer m) {
        if (!m.accepted()) {
            LOG.error(
                    "event=config-refused process={} reason=\"{}\"",
                    child.role.title(),
                    m.reason());
            stop(78, child.role.title() + " cannot use the configuration: " + m.reason());
            return;
        }
        child.state = Child.State.ACCEPTED;
        activateWhenDue(child);
        activateWhenDue(children.get(Role.SMTP));
    }

    private void activateWhenDue(Child child) {
        if (child.state != Child.State.ACCEPTED) {
            return;
        }
        if (child.role == Role.SMTP && !daemonReady && !areReady(BEFORE_SMTP)) {
            return;
        }
        child.state = Child.State.ACTIVATED;
        links.get(child.role)
                .edge(ParentToChild.class)
                .send(0, new ParentToChild.ConfigActivate(config.configId()));
    }

    private boolean areReady(Set<Role> roles) {
        return roles.stream().allMatch(r -> children.get(r).state == Child.State.READY);
    }

    private void ready(Child child) {
        child.state = Child.State.READY;
        child.wasReady = true;
        LOG.info(
                "event=process-ready process={} pid={} generation={} ms={}",
                child.role.title(),
                child.pid,
                child.generation,
                (System.nanoTime() - child.spawnedNanos) / 1_000_000);
        for (Edges.Pair pair : Edges.PAIRS) {
            if (pair.has(child.role)) {
                join(pair);
            }
        }
        if (child.role == Role.CONTROL) {
            giveControlSocket();
        } else if (child.role == Role.SMTP) {
            giveListeners();
        }
        activateWhenDue(children.get(Role.SMTP));
    }

    /** Two children that are both ready get a fresh edge. */
    private void join(Edges.Pair pair) {
        Child a = children.get(pair.a());
        Child b = children.get(pair.b());
        if (a.state != Child.State.READY || b.state != Child.State.READY) {
            return;
        }
        int parts = pair.descriptors() ? 2 : 1;
        try {
            joinPart(a, b, parts, ParentToChild.EdgePart.FRAMES);
            if (pair.descriptors()) {
                joinPart(a, b, parts, ParentToChild.EdgePart.DESCRIPTORS);
            }
        } catch (SysException e) {
            LOG.error(
                    "event=join-failed a={} b={} reason=\"{}\"",
                    a.role.title(),
                    b.role.title(),
                    e.getMessage());
            kill(b);
        }
    }

    private void joinPart(Child a, Child b, int parts, ParentToChild.EdgePart part)
            throws SysException {
        int[] pair = Sockets.pair();
        links.get(a.role)
                .edge(ParentToChild.class)
                .send(
                        0,
                        new ParentToChild.PeerReplaced(b.role, b.generation, parts, part),
                        pair[0]);
        links.get(b.role)
                .edge(ParentToChild.class)
                .send(
                        0,
                        new ParentToChild.PeerReplaced(a.role, a.generation, parts, part),
                        pair[1]);
    }

    private void giveControlSocket() {
        try {
            links.get(Role.CONTROL)
                    .edge(ParentToControl.class)
                    .send(
                            0,
                            new ParentToControl.ControlListener(
                                    config.instance().socket().toString()),
                            Fd.dup(sockets.control()));
        } catch (SysException e) {
            LOG.error("event=listener-lost reason=\"{}\"", e.getMessage());
        }
    }

    private void giveListeners() {
        var smtp = links.get(Role.SMTP).edge(ParentToSmtp.class);
        try {
            for (BoundSockets.Bound bound : sockets.smtp()) {
                smtp.send(
                        0,
                        new ParentToSmtp.ListenerSocket(
                                config.configId(), bound.listener(), bound.address()),
                        Fd.dup(bound.fd()));
            }
        } catch (SysException e) {
            LOG.error("event=listener-lost reason=\"{}\"", e.getMessage());
        }
        if (!daemonReady) {
            daemonReady = true;
            LOG.info("event=start pid={}", Identity.pid());
            onReady.run();
        }
    }

    // ---- what children say

    @Override
    public void received(Frame frame, Message message) {
        Child child = children.get(frame.from());
        switch ((ToParent) message) {
            case ChildToParent.Hello m -> hello(child, m);
            case ChildToParent.ConfigAnswer m -> answered(child, m);
            case ChildToParent.Ready _ -> ready(child);
            case ChildToParent.ConfigReleased _ -> {}
            case ChildToParent.Pong _ -> child.pingsOut = 0;
            case ChildToParent.DropPeer m -> accused(child, m);
            case LkaToParent.OpenForward m -> forwards.open(m, file -> forwardOpened(frame, file));
            case ParentToChild.RunState m -> {
                runState = m;
                applySwitches();
            }
            case ControlToParent.Shutdown _ -> {
                answerControl(frame, true, "", List.of());
                stop(0, "by command");
            }
            case ControlToParent.Reload _ ->
                    answerControl(
                            frame,
                            false,
                            "this release takes a new configuration by a restart",
                            List.of());
            case ControlToParent.ShowProcesses _ -> answerControl(frame, true, "", processRows());
        }
    }

    private void forwardOpened(Frame frame, ForwardOpener.Opened file) {
        loop.execute(
                () ->
                        links.get(Role.LKA)
                                .edge(ParentToLka.class)
                                .send(
                                        frame.id(),
                                        new ParentToLka.ForwardFile(file.status(), file.reason()),
                                        file.fd()));
    }

    private void answerControl(Frame frame, boolean ok, String text, List<String> rows) {
        links.get(Role.CONTROL)
                .edge(ParentToControl.class)
                .sendTo(frame.peer(), frame.id(), new ParentToControl.ParentAnswer(ok, text, rows));
    }

    private List<String> processRows() {
        List<String> rows = new ArrayList<>();
        rows.add("parent " + Identity.pid() + " 1 ready");
        for (Child child : children.values()) {
            rows.add(
                    child.role.title()
                            + " "
                            + child.pid
                            + " "
                            + child.generation
                            + " "
                            + child.state.name().toLowerCase(java.util.Locale.ROOT));
        }
        return rows;
    }

    private void accused(Child accuser, ChildToParent.DropPeer m) {
        LOG.error(
                "event=accused process={} by={} reason=\"{}\"",
                m.role().title(),
                accuser.role.title(),
                m.reason());
        if (accuser.accused(System.nanoTime()) > MAX_ACCUSATIONS) {
            kill(accuser);
        } else if (children.containsKey(m.role())) {
            kill(children.get(m.role()));
        }
    }

    @Override
    public void closed(Link link) {
        Child child = children.get(link.peer());
        int generation = child.generation;
        // A child that closed its end but lives is of no use any more.
        loop.schedule(
                () -> {
                    if (child.generation == generation && child.isAlive()) {
                        kill(child);
                    }
                },
                5,
                TimeUnit.SECONDS);
    }

    @Override
    public void bad(Link link, String reason) {
        kill(children.get(link.peer()));
    }

    private void kill(Child child) {
        signal(child, Identity.SIGKILL);
    }

    private static void signal(Child child, int signal) {
        if (child.pid <= 0 || !child.isAlive()) {
            return;
        }
        try {
            Identity.kill(child.pid, signal);
        } catch (SysException e) {
            LOG.error("event=kill-failed pid={} reason=\"{}\"", child.pid, e.getMessage());
        }
    }

    private void ping() {
        for (Child child : children.values()) {
            if (child.state != Child.State.READY) {
                continue;
            }
            if (child.pingsOut == PINGS_UNTIL_STACKS) {
                LOG.error("event=silent process={} pid={}", child.role.title(), child.pid);
                signal(child, SIGQUIT);
            } else if (child.pingsOut >= PINGS_UNTIL_KILL) {
                kill(child);
            }
            child.pingsOut++;
            links.get(child.role).edge(ParentToChild.class).send(0, new ParentToChild.Ping(0));
        }
    }

    // ---- death

    /** A child has ended. Called on the loop. */
    void exited(Role role, int generation, int pid, ExitStatus status) {
        Child child = children.get(role);
        if (child.generation != generation || !child.isAlive()) {
            return;
        }
        boolean neverReady = !daemonReady;
        boolean ordered = child.stopSent && status.code() == 0;
        child.state = Child.State.DEAD;
        links.get(role).close();
        if (stopping) {
            goOnStopping();
            return;
        }
        if (ordered) {
            LOG.info("event=process-stopped process={} pid={}", role.title(), pid);
            loop.execute(() -> respawn(child));
            return;
        }
        int deaths = child.died(System.nanoTime());
        LOG.error(
                "event=lost-child process={} pid={} cause=\"{}\" generation={} uptime={}s deaths={}",
                role.title(),
                pid,
                status,
                generation,
                (System.nanoTime() - child.spawnedNanos) / 1_000_000_000,
                deaths);
        if (deaths >= Child.MAX_DEATHS || (neverReady && deaths >= 2)) {
            stop(1, role.title() + " keeps dying: " + status);
            return;
        }
        loop.schedule(() -> respawn(child), child.backoffSeconds(), TimeUnit.SECONDS);
    }

    private void respawn(Child child) {
        if (!child.isAlive()) {
            if (links.get(child.role).isUp()) {
                // Its last frames are still being read.
                loop.execute(() -> respawn(child));
            } else {
                spawn(child.role);
            }
        }
    }

    // ---- stop

    /** The orderly end; a second call ends everything at once. */
    void stop(int status, String reason) {
        if (stopping) {
            return;
        }
        stopping = true;
        exitStatus = status;
        if (status == 0) {
            LOG.info("event=stop reason=\"{}\"", reason);
        } else {
            LOG.error("event=stop reason=\"{}\" status={}", reason, status);
        }
        sendStop(FIRST_TO_STOP);
        loop.schedule(
                () -> FIRST_TO_STOP.forEach(r -> kill(children.get(r))),
                STOP_MILLIS + STOP_GRACE_MILLIS,
                TimeUnit.MILLISECONDS);
        goOnStopping();
    }

    private void goOnStopping() {
        if (FIRST_TO_STOP.stream().anyMatch(r -> children.get(r).isAlive())) {
            return;
        }
        Set<Role> rest = EnumSet.complementOf(EnumSet.copyOf(FIRST_TO_STOP));
        rest.remove(Role.PARENT);
        if (rest.stream().noneMatch(r -> children.get(r).isAlive())) {
            LOG.info("event=stopped status={}", exitStatus);
            end.accept(exitStatus);
        } else if (sendStop(rest)) {
            loop.schedule(
                    () -> rest.forEach(r -> kill(children.get(r))),
                    STOP_GRACE_MILLIS,
                    TimeUnit.MILLISECONDS);
        }
    }

    private boolean sendStop(Set<Role> roles) {
        boolean sent = false;
        for (Role role : roles) {
            Child child = children.get(role);
            if (child.isAlive() && !child.stopSent) {
                child.stopSent = true;
                sent = true;
                links.get(role)
                        .edge(ParentToChild.class)
                        .send(0, new ParentToChild.Stop(STOP_MILLIS));
            }
        }
        return sent;
    }

    /** Ends everything at once; always safe, since nothing promised depends on an orderly end. */
    void stopNow() {
        stopping = true;
        children.values().forEach(this::kill);
    }
}
