package smtpd.proc;

import io.netty.channel.EventLoop;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import smtpd.conf.Config;
import smtpd.conf.ConfigException;
import smtpd.imsg.ChildToControl;
import smtpd.imsg.ChildToParent;
import smtpd.imsg.ControlToChild;
import smtpd.imsg.Edges;
import smtpd.imsg.Message;
import smtpd.imsg.ParentToChild;
import smtpd.imsg.Role;
import smtpd.imsg.Vocabulary;
import smtpd.stat.Stats;
import smtpd.sys.Fd;
import smtpd.sys.SysException;

/**
 * One of the eight children: what is common to their lives. A subclass is one process; the heart of
 * it is the {@code switch} of its {@link #dispatch}.
 *
 * <p>Everything here runs on the one event loop of the process, which owns all state. Handlers
 * never block; long work is cut into turns.
 *
 * @param <I> what this process hears
 */
public abstract class ChildProcess<I extends Message> {

    private static final Logger LOG = LoggerFactory.getLogger(ChildProcess.class);
    private static final int MAX_CONFIG_BYTES = 32 << 20;

    private final Role role;
    private final Class<I> inbound;
    private final ChildContext context;
    private final EventLoop loop;
    private final ImsgProfile profile = new ImsgProfile();
    private final Map<Role, Link> links = new EnumMap<>(Role.class);
    private final Map<Role, Installation> installing = new EnumMap<>(Role.class);
    private final Map<Long, Config> offered = new HashMap<>();
    private final Edge<ChildToParent> parent;
    private final Edge<ChildToControl> control;
    private final Stats stats;
    private final IdSource ids;
    private final Map<Role, Integer> generations = new EnumMap<>(Role.class);
    private boolean stopping;

    /** An edge whose two sockets arrive in two frames. */
    private static final class Installation {
        int frames = -1;
        int descriptors = -1;
        int parts;
        int generation;

        boolean isComplete() {
            return frames >= 0 && (parts == 1 || descriptors >= 0);
        }
    }

    /**
     * @param inbound {@code ToQueue.class} and the like
     */
    protected ChildProcess(Role role, Class<I> inbound, ChildContext context) {
        this.role = role;
        this.inbound = inbound;
        this.context = context;
        this.loop = context.loop();
        LinkOwner owner = new Owner();
        links.put(Role.PARENT, new Link(loop, owner, role, Role.PARENT, profile));
        for (Edges.Pair pair : Edges.PAIRS) {
            if (pair.has(role)) {
                Role peer = pair.other(role);
                links.put(peer, new Link(loop, owner, role, peer, profile));
            }
        }
        this.parent = edge(Role.PARENT, ChildToParent.class);
        this.control =
                links.containsKey(Role.CONTROL) ? edge(Role.CONTROL, ChildToControl.class) : null;
        this.stats = new Stats(loop, this::sendStats);
        this.ids = new IdSource(context.generation());
    }

    // ---- what a process is made of

    /** The sending side of an edge, typed by what the peer may hear from this process. */
    protected final <O extends Message> Edge<O> edge(Role peer, Class<O> outbound) {
        return links.get(peer).edge(outbound);
    }

    /**
     * A configuration is offered: build what it needs beside what runs, without touching it.
     *
     * @throws ConfigRefused with a text for the operator, when it cannot be used
     */
    protected void configure(Config config) throws ConfigRefused {}

    /**
     * The same for a process that must read files to know: it answers when they are read, unless
     * the configuration was dropped meanwhile.
     *
     * @param answer takes the refusal, empty for none; to be called once, on the loop
     */
    protected void configure(Config config, Consumer<String> answer) throws ConfigRefused {
        configure(config);
        answer.accept("");
    }

    /**
     * The offered configuration becomes the active one.
     *
     * @param ready to be called once, on the loop, when this process can do its work with it
     */
    protected abstract void activate(Config config, Runnable ready);

    /** A configuration is not needed any more. */
    protected void drop(long configId) {}

    /** One message. House-keeping of the parent and of control has been taken out. */
    protected abstract void dispatch(Frame frame, I message);

    /** The peer died, everything it sent has been dispatched; its edge is away. */
    protected void lost(Role peer) {}

    /** A new incarnation of the peer can be talked to. */
    protected void joined(Role peer) {}

    /** What an operator switched, told at birth and never during life. */
    protected void runState(ParentToChild.RunState state) {}

    /**
     * Stop in order: begin nothing new, end what was begun within the time, then call {@link
     * #finished}.
     */
    protected abstract void stop(long deadlineMillis);

    /** Rows of {@code show profile} beyond those of the edges. */
    protected List<List<String>> profileRows(String what) {
        return List.of();
    }

    /**
     * {@code trace}, {@code profile} or {@code log} was switched; the masks are in force already.
     */
    protected void traced(long mask, long profileMask) {}

    protected final EventLoop loop() {
        return loop;
    }

    protected final Stats stats() {
        return stats;
    }

    protected final IdSource ids() {
        return ids;
    }

    protected final ChildContext context() {
        return context;
    }

    protected final boolean isStopping() {
        return stopping;
    }

    /**
     * Incarnation of the peer that this process talks to, or talked to last; 0 before the first.
     */
    protected final int peerGeneration(Role peer) {
        return generations.getOrDefault(peer, 0);
    }

    /** Bytes waiting towards a peer. */
    protected final long queuedBytes(Role peer) {
        return links.get(peer).queuedBytes();
    }

    /** The ordered stop is done: the process ends with status 0. */
    protected final void finished() {
        stats.flush();
        links.values().forEach(Link::flush);
        loop.execute(() -> context.end().accept(0));
    }

    /** The peer sends nonsense in well-formed frames: have it restarted. */
    protected final void accuse(Role peer, String reason) {
        parent.send(0, new ChildToParent.DropPeer(peer, reason));
    }

    /** An impossible state: logged, and this process ends to be started anew. */
    protected final void crash(String what, Throwable cause) {
        LOG.error("event=crash process={} what=\"{}\"", role.title(), what, cause);
        context.end().accept(70);
    }

    // ---- birth

    /** Connects to the parent and says hello. Called once, on any thread, before anything else. */
    final void begin() {
        loop.execute(
                () -> {
                    links.get(Role.PARENT)
                            .install(context.parentFrames(), context.parentDescriptors());
                    int pid = (int) ProcessHandle.current().pid();
                    parent.send(
                            0,
                            new ChildToParent.Hello(
                                    role, pid, context.generation(), Vocabulary.hash()));
                });
    }

    // ---- frames

    private final class Owner implements LinkOwner {
        @Override
        public void received(Frame frame, Message message) {
            try {
                route(frame, message);
            } catch (RuntimeException | Error e) {
                crash(
                        message.getClass().getSimpleName()
                                + " from "
                                + frame.from().title()
                                + " id "
                                + Long.toHexString(frame.id()),
                        e);
            }
        }

        @Override
        public void closed(Link link) {
            if (link.peer() == Role.PARENT) {
                // Without a parent there is nobody to restart us: the service manager begins anew.
                context.end().accept(0);
                return;
            }
            try {
                lost(link.peer());
                install(link.peer());
            } catch (RuntimeException | Error e) {
                crash("losing " + link.peer().title(), e);
            }
        }

        @Override
        public void bad(Link link, String reason) {
            if (link.peer() != Role.PARENT) {
                accuse(link.peer(), reason);
            }
        }
    }

    private void route(Frame frame, Message message) {
        switch (message) {
            case ParentToChild m -> housekeeping(frame, m);
            case ControlToChild.TraceState m -> trace(m);
            case ControlToChild.StatsRequest _ -> {
                stats.flush();
                control.sendTo(frame.peer(), frame.id(), new ChildToControl.StatsDone());
            }
            case ControlToChild.ShowProfile m when role != Role.CONTROL -> showProfile(frame, m);
            default -> dispatch(frame, inbound.cast(message));
        }
    }

    private void housekeeping(Frame frame, ParentToChild message) {
        switch (message) {
            case ParentToChild.PeerReplaced m -> replaced(frame, m);
            case ParentToChild.RunState m -> {
                applyTrace(m.traceMask(), m.profileMask(), m.verbose());
                runState(m);
            }
            case ParentToChild.ConfigOffer m -> offer(frame, m.configId());
            case ParentToChild.ConfigActivate m -> activate(m.configId());
            case ParentToChild.ConfigDrop m -> {
                offered.remove(m.configId());
                drop(m.configId());
            }
            case ParentToChild.Stop m -> stopOnce(m.deadlineMillis());
            case ParentToChild.Ping m -> parent.send(frame.id(), new ChildToParent.Pong(m.n()));
        }
    }

    /** The first order to stop is obeyed, further ones change nothing. */
    final void stopOnce(long deadlineMillis) {
        if (!stopping) {
            stopping = true;
            stop(deadlineMillis);
        }
    }

    private void replaced(Frame frame, ParentToChild.PeerReplaced m) {
        Link link = links.get(m.role());
        if (link == null || frame.fd() < 0) {
            Fd.closeQuietly(frame.fd());
            return;
        }
        Installation parts = installing.computeIfAbsent(m.role(), _ -> new Installation());
        parts.parts = m.parts();
        parts.generation = m.generation();
        if (m.part() == ParentToChild.EdgePart.FRAMES) {
            Fd.closeQuietly(parts.frames);
            parts.frames = frame.fd();
        } else {
            Fd.closeQuietly(parts.descriptors);
            parts.descriptors = frame.fd();
        }
        if (parts.isComplete()) {
            if (link.isUp()) {
                link.close(); // the old peer is gone; install() follows in closed()
            } else {
                install(m.role());
            }
        }
    }

    private void install(Role peer) {
        Installation parts = installing.get(peer);
        if (parts == null || !parts.isComplete() || links.get(peer).isUp()) {
            return;
        }
        installing.remove(peer);
        generations.put(peer, parts.generation);
        links.get(peer).install(parts.frames, parts.descriptors);
        if (peer == Role.CONTROL) {
            stats.repeat();
        }
        joined(peer);
    }

    private void offer(Frame frame, long configId) {
        try {
            byte[] bytes = Fd.readAll(frame.fd(), MAX_CONFIG_BYTES);
            Config config = context.configReader().read(bytes);
            offered.put(configId, config);
            configure(config, refusal -> answer(frame.id(), configId, refusal));
        } catch (ConfigRefused | SysException | IllegalArgumentException e) {
            answer(frame.id(), configId, String.valueOf(e.getMessage()));
        } catch (ConfigException e) {
            answer(frame.id(), configId, e.errors().toString());
        } finally {
            Fd.closeQuietly(frame.fd());
        }
    }

    private void answer(long id, long configId, String refusal) {
        String text = refusal;
        if (!refusal.isEmpty()) {
            offered.remove(configId);
            text = refusal.substring(0, Math.min(refusal.length(), 2000));
        }
        parent.send(id, new ChildToParent.ConfigAnswer(configId, text.isEmpty(), text));
    }

    private void activate(long configId) {
        Config config = offered.get(configId);
        if (config == null) {
            accuse(role, "activation of an unknown configuration");
            return;
        }
        activate(config, () -> parent.send(0, new ChildToParent.Ready(configId)));
    }

    // ---- tracing, profile, counters

    private void trace(ControlToChild.TraceState m) {
        applyTrace(m.mask(), m.profileMask(), m.verbose());
        control.send(0, new ChildToControl.TraceApplied(m.mask()));
    }

    /** Puts switches in force in this process alone; control calls it, which is told by nobody. */
    protected final void applyTrace(long mask, long profileMask, boolean verbose) {
        profile.switchOn((profileMask & 1) != 0);
        Tracing.apply(mask, verbose);
        traced(mask, profileMask);
    }

    private void showProfile(Frame frame, ControlToChild.ShowProfile m) {
        List<List<String>> rows =
                m.what().equals("imsg") || m.what().isEmpty()
                        ? profile.rows(role)
                        : profileRows(m.what());
        for (List<String> row : rows) {
            control.sendTo(frame.peer(), frame.id(), new ChildToControl.ShowRow("profile", row));
        }
        control.sendTo(
                frame.peer(), frame.id(), new ChildToControl.ControlDone(true, rows.size(), 0, ""));
    }

    private boolean sendStats(List<ChildToControl.StatValue> values) {
        return control != null
                && control.send(
                        0, new ChildToControl.StatDelta(role, context.generation(), values));
    }

    /** Rows of this process's own edges, for control, which is not asked by itself. */
    protected final List<List<String>> imsgRows() {
        return profile.rows(role);
    }
}
