package smtpd.control;

import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import smtpd.conf.Config;
import smtpd.imsg.ChildToControl;
import smtpd.imsg.ChildToControl.ShowRow;
import smtpd.imsg.ControlToChild;
import smtpd.imsg.ControlToLka;
import smtpd.imsg.ControlToMda;
import smtpd.imsg.ControlToMta;
import smtpd.imsg.ControlToParent;
import smtpd.imsg.ControlToQueue;
import smtpd.imsg.ControlToScheduler;
import smtpd.imsg.ControlToSmtp;
import smtpd.imsg.CtlToControl;
import smtpd.imsg.ParentToChild;
import smtpd.imsg.ParentToControl;
import smtpd.imsg.QueueToControl;
import smtpd.imsg.Role;
import smtpd.imsg.SchedulerToControl;
import smtpd.imsg.ToControl;
import smtpd.log.LogLine;
import smtpd.proc.ChildContext;
import smtpd.proc.ChildMain;
import smtpd.proc.ChildProcess;
import smtpd.proc.Edge;
import smtpd.proc.Frame;
import smtpd.stat.Stat;
import smtpd.sys.Identity;
import smtpd.sys.SysException;
import smtpd.sys.Users;

/** Control: the process that answers operators. */
public final class ControlProcess extends ChildProcess<ToControl> {

    private static final Logger LOG = LoggerFactory.getLogger(ControlProcess.class);
    private static final String MONITOR_GROUP = "_smtpmon";

    private final Edge<ControlToParent> parent = edge(Role.PARENT, ControlToParent.class);
    private final Edge<ControlToSmtp> smtp = edge(Role.SMTP, ControlToSmtp.class);
    private final Edge<ControlToLka> lka = edge(Role.LKA, ControlToLka.class);
    private final Edge<ControlToQueue> queue = edge(Role.QUEUE, ControlToQueue.class);
    private final Edge<ControlToScheduler> scheduler =
            edge(Role.SCHEDULER, ControlToScheduler.class);
    private final Edge<ControlToMta> mta = edge(Role.MTA, ControlToMta.class);
    private final Edge<ControlToMda> mda = edge(Role.MDA, ControlToMda.class);
    private final Map<Role, Edge<ControlToChild>> children = new EnumMap<>(Role.class);

    private final Counters counters = new Counters();
    private final Switches switches = new Switches();
    private final Clients clients;
    private final Requests requests;
    private final Map<Role, Long> told = new EnumMap<>(Role.class);
    private final Map<Role, Long> confirmed = new EnumMap<>(Role.class);
    private final Map<Role, Integer> restarts = new EnumMap<>(Role.class);
    private final Uptime uptime;
    private Rights rights = Rights.ROOT_ONLY;

    public ControlProcess(ChildContext context) {
        super(Role.CONTROL, ToControl.class, context);
        for (Role role : Role.values()) {
            if (role != Role.PARENT && role != Role.CONTROL) {
                children.put(role, edge(role, ControlToChild.class));
            }
        }
        clients = new Clients(loop(), new OfClients());
        requests = new Requests(loop(), new ToPeers(), ids()::next);
        uptime = new Uptime(context.generation());
        restarts.put(Role.CONTROL, context.generation());
    }

    public static void main(String[] arguments) {
        ChildMain.run(arguments, ControlProcess::new);
    }

    // ---- life

    @Override
    protected void configure(Config config) {}

    @Override
    protected void activate(Config config, Runnable ready) {
        // With a service account the daemon was started by root, and that account, which faces
        // the Internet, must not give orders.
        boolean own = config.instance().isPrivate() && context().serviceUid() < 0;
        rights = new Rights(own ? Identity.euid() : -1, monitors());
        ready.run();
    }

    private static OptionalInt monitors() {
        try {
            return Users.groupByName(MONITOR_GROUP);
        } catch (SysException e) {
            LOG.debug("no group of monitors: {}", e.getMessage());
            return OptionalInt.empty();
        }
    }

    @Override
    protected void runState(ParentToChild.RunState state) {
        switches.begin(state);
    }

    @Override
    protected void lost(Role peer) {
        counters.end(peer);
        told.remove(peer);
        confirmed.remove(peer);
        requests.lost(peer);
    }

    @Override
    protected void joined(Role peer) {
        restarts.put(peer, peerGeneration(peer));
        if (!switches.isTouched()) {
            return; // the parent gave it the same state
        }
        tellSwitches(peer);
        if (peer == Role.SMTP) {
            smtp.send(
                    0,
                    switches.isPaused(Role.SMTP)
                            ? new ControlToSmtp.PauseSmtp()
                            : new ControlToSmtp.ResumeSmtp());
        } else if (peer == Role.SCHEDULER || peer == Role.QUEUE) {
            tellAgent(peer, Role.MTA);
            tellAgent(peer, Role.MDA);
        }
    }

    private void tellAgent(Role peer, Role agent) {
        if (peer == Role.QUEUE) {
            queue.send(0, new ControlToQueue.AgentPaused(agent, switches.isPaused(agent)));
        } else {
            scheduler.send(0, agentOrder(agent));
        }
    }

    private ControlToScheduler agentOrder(Role agent) {
        return switches.isPaused(agent)
                ? new ControlToScheduler.PauseAgent(agent)
                : new ControlToScheduler.ResumeAgent(agent);
    }

    @Override
    protected void stop(long deadlineMillis) {
        clients.close();
        loop().execute(this::finished);
    }

    // ---- frames

    @Override
    protected void dispatch(Frame frame, ToControl message) {
        switch (message) {
            case ParentToControl.ControlListener m -> listen(frame, m);
            case ParentToControl.ParentAnswer m -> requests.answered(frame, m);
            case ChildToControl.StatDelta m ->
                    counters.take(frame.from(), m.generation(), m.values());
            case ChildToControl.StatsDone m -> requests.answered(frame, m);
            case ChildToControl.TraceApplied _ ->
                    requests.confirmed(frame.from(), confirmed.merge(frame.from(), 1L, Long::sum));
            case ChildToControl.ShowRow m -> requests.answered(frame, m);
            case ChildToControl.ControlDone m -> requests.answered(frame, m);
            case SchedulerToControl m -> requests.answered(frame, m);
            case QueueToControl m -> requests.answered(frame, m);
            // House-keeping was taken out, and clients do not speak on the edges of processes.
            case ParentToChild _ -> LOG.debug("unexpected {}", message);
            case CtlToControl _ -> LOG.debug("unexpected {}", message);
        }
    }

    private void listen(Frame frame, ParentToControl.ControlListener m) {
        if (frame.fd() < 0) {
            LOG.error("event=no-control-socket path={}", m.path());
            return;
        }
        uptime.socket(m.path());
        clients.listen(frame.fd());
    }

    // ---- requests of clients

    private final class OfClients implements Clients.Listener {
        @Override
        public void requested(Client client, CtlToControl request) {
            if (rights.allows(client.peer(), request)) {
                serve(client, request);
            } else {
                client.done(
                        new ChildToControl.ControlDone(
                                false, CtlToControl.NOT_PERMITTED, 0, "not permitted"));
            }
        }

        @Override
        public void gone(Client client) {
            requests.gone(client);
        }

        @Override
        public void congested(boolean isCongested) {
            // Long answers come from the queue alone; it waits when nobody reads it.
            queue.reading(!isCongested);
        }

        @Override
        public void count(int open) {
            Counters.changed(Stat.CONTROL_SESSION, stats().get(Stat.CONTROL_SESSION), open);
            stats().set(Stat.CONTROL_SESSION, open);
        }
    }

    private void serve(Client c, CtlToControl request) {
        int uid = c.peer().uid();
        switch (request) {
            case CtlToControl.ShowStats _ -> requests.stats(c, this::statRows);
            case CtlToControl.ShowStatus _ -> showStatus(c);
            case CtlToControl.SetTrace m -> {
                switches.trace(m.bits(), m.on());
                switched(c, m.on() ? "trace" : "untrace", "0x" + Long.toHexString(m.bits()));
            }
            case CtlToControl.SetProfile m -> {
                switches.profile(m.bits(), m.on());
                switched(c, m.on() ? "profile" : "unprofile", "0x" + Long.toHexString(m.bits()));
            }
            case CtlToControl.SetVerbose m -> {
                switches.verbose(m.on());
                switched(c, "log", m.on() ? "verbose" : "brief");
            }
            case CtlToControl.PauseService m -> pause(c, m.service(), true);
            case CtlToControl.ResumeService m -> pause(c, m.service(), false);
            case ControlToChild.ShowProfile m ->
                    requests.profile(c, m, m.what().equals("queue") ? List.of() : imsgRows());
            case ControlToParent.Shutdown m -> toParent(c, m, "stop");
            case ControlToParent.Reload m -> toParent(c, m, "reload");
            case ControlToParent.ShowProcesses m -> toParent(c, m, "");
            case ControlToScheduler.Suspend m ->
                    toScheduler(c, new ControlToScheduler.Suspend(m.what(), uid));
            case ControlToScheduler.Unsuspend m ->
                    toScheduler(c, new ControlToScheduler.Unsuspend(m.what(), uid));
            case ControlToScheduler.Remove m ->
                    toScheduler(c, new ControlToScheduler.Remove(m.what(), uid));
            case ControlToScheduler.Schedule m ->
                    toScheduler(c, new ControlToScheduler.Schedule(m.what(), uid));
            case ControlToScheduler.ListMessages m -> toScheduler(c, m);
            case ControlToScheduler.ListEnvelopes m ->
                    requests.relay(
                            c,
                            Role.SCHEDULER,
                            Role.QUEUE,
                            key -> scheduler.sendTo(c.number(), key, m),
                            _ -> {});
            case ControlToScheduler.ShowHolds _ -> requests.holds(c);
            case ControlToQueue.ShowMessage m ->
                    toQueue(c, m, "show " + m.what().name().toLowerCase(java.util.Locale.ROOT));
            case ControlToQueue.Discover m -> toQueue(c, m, "discover");
            case ControlToQueue.Flush m -> toQueue(c, m, "flush");
            case ControlToQueue.Restore m -> toQueue(c, m, "uncorrupt");
            case ControlToQueue.ShowProblems m -> toQueue(c, m, "");
            case ControlToMta.ShowMta m -> toMta(c, m, "");
            case ControlToMta.EnableRoute m -> toMta(c, m, "resume route");
            case ControlToLka.UpdateTable m ->
                    requests.relay(
                            c,
                            Role.LKA,
                            null,
                            key -> lka.sendTo(c.number(), key, m),
                            note(c, "update table", m.name()));
        }
    }

    private <M extends ControlToParent & CtlToControl> void toParent(
            Client c, M request, String verb) {
        requests.relay(
                c,
                Role.PARENT,
                null,
                key -> parent.sendTo(c.number(), key, request),
                note(c, verb, ""));
    }

    private <M extends ControlToScheduler & CtlToControl> void toScheduler(Client c, M request) {
        // What it changes is logged by the scheduler, with the uid.
        requests.relay(
                c,
                Role.SCHEDULER,
                null,
                key -> scheduler.sendTo(c.number(), key, request),
                _ -> {});
    }

    private <M extends ControlToQueue & CtlToControl> void toQueue(
            Client c, M request, String verb) {
        String argument =
                switch (request) {
                    case ControlToQueue.ShowMessage m -> m.id().toString();
                    case ControlToQueue.Discover m -> m.id().toString();
                    case ControlToQueue.Restore m -> m.msgid().toString();
                    default -> "";
                };
        requests.relay(
                c,
                Role.QUEUE,
                null,
                key -> queue.sendTo(c.number(), key, request),
                note(c, verb, argument));
    }

    private <M extends ControlToMta & CtlToControl> void toMta(Client c, M request, String verb) {
        requests.relay(
                c, Role.MTA, null, key -> mta.sendTo(c.number(), key, request), note(c, verb, ""));
    }

    /** The line about an order that changes something or reads mail; none for an empty verb. */
    private static Requests.Noted note(Client c, String verb, String argument) {
        if (verb.isEmpty()) {
            return _ -> {};
        }
        return end ->
                LogLine.of("control", "admin")
                        .add("command", verb)
                        .add("args", argument.isEmpty() ? null : argument)
                        .add("uid", c.peer().uid())
                        .add("result", end.ok() ? "ok" : "failed")
                        .add("count", end.count())
                        .add("reason", end.text().isEmpty() ? null : end.text())
                        .info(LOG);
    }

    // ---- status, figures

    private void showStatus(Client c) {
        for (Role service : List.of(Role.MDA, Role.MTA, Role.SMTP)) {
            String state = switches.isPaused(service) ? "paused" : "running";
            c.answer(new ShowRow("status", List.of(service.title(), state)), false);
        }
        c.done(Requests.ok(3, ""));
    }

    /** Of the whole daemon, this process with it. */
    long figure(Stat stat) {
        return counters.value(stat) + stats().get(stat);
    }

    private List<ShowRow> statRows() {
        // Every incarnation but the first of each process is a restart.
        long again = 0;
        for (int generation : restarts.values()) {
            again += Math.max(0, generation - 1);
        }
        stats().set(Stat.PROCESS_RESTART, again);
        List<ShowRow> rows = new ArrayList<>();
        for (Stat stat : Stat.values()) {
            rows.add(new ShowRow("stat", List.of(stat.key(), Long.toString(figure(stat)))));
        }
        rows.add(new ShowRow("stat", List.of("uptime", Long.toString(uptime.seconds()))));
        return rows;
    }

    // ---- switches

    private void switched(Client c, String verb, String argument) {
        ControlToChild.TraceState state = switches.traceState();
        applyTrace(state.mask(), state.profileMask(), state.verbose());
        parent.send(0, switches.runState());
        Map<Role, Long> asked = new EnumMap<>(Role.class);
        for (Role role : children.keySet()) {
            if (tellSwitches(role)) {
                asked.put(role, told.get(role));
            }
        }
        requests.applied(c, asked, note(c, verb, argument));
    }

    private boolean tellSwitches(Role role) {
        if (!children.get(role).send(0, switches.traceState())) {
            return false;
        }
        told.merge(role, 1L, Long::sum);
        return true;
    }

    private void pause(Client c, Role service, boolean on) {
        if (service != Role.SMTP && service != Role.MTA && service != Role.MDA) {
            c.done(Requests.failed("only mda, mta and smtp can be paused"));
            return;
        }
        if (!switches.pause(service, on)) {
            c.done(Requests.ok(0, on ? "already paused" : "already running"));
            return;
        }
        parent.send(0, switches.runState());
        LogLine.of("control", on ? "pause" : "resume")
                .add("what", service.title())
                .add("by", c.peer().uid())
                .info(LOG);
        Role target = service == Role.SMTP ? Role.SMTP : Role.SCHEDULER;
        if (service != Role.SMTP) {
            queue.send(0, new ControlToQueue.AgentPaused(service, on));
        }
        if (!children.get(target).isUp()) {
            // The parent has the state and gives it to the next incarnation.
            c.done(Requests.ok(1, target.title() + " is being restarted and will obey"));
            return;
        }
        requests.relay(c, target, null, key -> order(c, service, key), _ -> {});
    }

    private boolean order(Client c, Role service, long key) {
        if (service == Role.SMTP) {
            return smtp.sendTo(
                    c.number(),
                    key,
                    switches.isPaused(Role.SMTP)
                            ? new ControlToSmtp.PauseSmtp()
                            : new ControlToSmtp.ResumeSmtp());
        }
        return scheduler.sendTo(c.number(), key, agentOrder(service));
    }

    // ---- what requests send

    private final class ToPeers implements Peers {
        @Override
        public Set<Role> children() {
            return Collections.unmodifiableSet(children.keySet());
        }

        @Override
        public boolean tell(Role role, int client, long key, ControlToChild message) {
            return children.get(role).sendTo(client, key, message);
        }

        @Override
        public boolean showHolds(int client, long key) {
            return scheduler.sendTo(client, key, new ControlToScheduler.ShowHolds());
        }

        @Override
        public boolean holdNames(Role agent, int client, long key, ControlToMta.HoldNames m) {
            return agent == Role.MTA ? mta.sendTo(client, key, m) : mda.sendTo(client, key, m);
        }
    }
}
