package smtpd.mta;

import io.netty.util.concurrent.DefaultThreadFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import smtpd.conf.Config;
import smtpd.conf.Listener;
import smtpd.envelope.Evpid;
import smtpd.imsg.AgentToQueue;
import smtpd.imsg.ChildToControl;
import smtpd.imsg.ChildToParent;
import smtpd.imsg.ControlToChild;
import smtpd.imsg.ControlToMta;
import smtpd.imsg.LkaToMta;
import smtpd.imsg.MtaToLka;
import smtpd.imsg.MtaToQueue;
import smtpd.imsg.ParentToChild;
import smtpd.imsg.QueueToAgent;
import smtpd.imsg.Resolved;
import smtpd.imsg.ReverseName;
import smtpd.imsg.Role;
import smtpd.imsg.ToMta;
import smtpd.log.LogLine;
import smtpd.mta.route.Letter;
import smtpd.mta.route.Message;
import smtpd.mta.route.Outside;
import smtpd.mta.route.Relays;
import smtpd.mta.route.Views;
import smtpd.mta.session.OutboundSession;
import smtpd.mta.session.Result;
import smtpd.mta.session.SessionEvents;
import smtpd.mta.session.SessionSpec;
import smtpd.mta.session.Timeouts;
import smtpd.proc.ChildContext;
import smtpd.proc.ChildMain;
import smtpd.proc.ChildProcess;
import smtpd.proc.Edge;
import smtpd.proc.Frame;
import smtpd.sys.Fd;

/** Sends mail to other hosts. Runs as _smtpd, with outgoing sockets and nothing else. */
public final class MtaProcess extends ChildProcess<ToMta> {

    private static final Logger LOG = LoggerFactory.getLogger(MtaProcess.class);
    private static final int FILE_THREADS = 4;
    private static final int MAX_IDS = 256;

    private final Edge<MtaToQueue> queue = edge(Role.QUEUE, MtaToQueue.class);
    private final Edge<ChildToControl> control = edge(Role.CONTROL, ChildToControl.class);
    private final Edge<ChildToParent> parent = edge(Role.PARENT, ChildToParent.class);
    private final InstantSource clock;
    private final ExecutorService files =
            Executors.newFixedThreadPool(
                    FILE_THREADS, new DefaultThreadFactory("mta-content", true));
    private final ResultBook results = new ResultBook(queue);
    private final Questions questions;
    private final Contents contents;
    private final Relays relays;
    private final Intake intake;
    private Config active;
    private boolean stopped;

    public MtaProcess(ChildContext context) {
        this(context, InstantSource.system(), new SecureRandom());
    }

    MtaProcess(ChildContext context, InstantSource clock, Random random) {
        super(Role.MTA, ToMta.class, context);
        this.clock = clock;
        this.questions =
                new Questions(loop(), edge(Role.LKA, MtaToLka.class), () -> ids().next(), stats());
        this.contents = new Contents(loop(), files, queue, () -> ids().next());
        this.relays = new Relays(new Rest(), new LoopTimers(loop()), stats(), random);
        this.contents.relays(relays);
        this.intake =
                new Intake(
                        relays,
                        contents,
                        new SmartHosts(questions, new LoopTimers(loop())::millis),
                        this::answer);
    }

    public static void main(String[] arguments) {
        ChildMain.run(arguments, MtaProcess::new);
    }

    // ---- configuration

    @Override
    protected void configure(Config config) {
        // Everything here is taken from the model as it is: nothing to build beside.
    }

    @Override
    protected void activate(Config config, Runnable ready) {
        Config old = active;
        active = config;
        intake.configure(config);
        relays.configure(
                new Relays.Settings(
                        config.configId(),
                        config.serverName(),
                        config.mtaLimits(),
                        config.maxMtaDeferred(),
                        ours(config)::contains,
                        Timeouts.STANDARD));
        ready.run();
        if (old != null) {
            // A session carries all it needs from the day it began; nothing refers to the old one.
            parent.send(0, new ChildToParent.ConfigReleased(old.configId()));
        }
    }

    /** Where we listen ourselves: mail that goes there would come back. */
    private static Set<InetSocketAddress> ours(Config config) {
        Set<InetSocketAddress> ours = new HashSet<>();
        for (Listener listener : config.listeners()) {
            for (InetAddress address : addresses(listener.on())) {
                ours.add(new InetSocketAddress(address, listener.port()));
            }
        }
        return ours;
    }

    /** The literal address, the addresses of the interface, or all there are. */
    private static List<InetAddress> addresses(String on) {
        List<InetAddress> found = new ArrayList<>();
        try {
            InetAddress literal = InetAddress.ofLiteral(on);
            if (!literal.isAnyLocalAddress()) {
                return List.of(literal);
            }
        } catch (IllegalArgumentException e) {
            // The name of an interface, a group, a host, or a word: looked up below.
        }
        try {
            NetworkInterface named = NetworkInterface.getByName(on);
            if (named != null) {
                return Collections.list(named.getInetAddresses());
            }
            for (NetworkInterface each :
                    Collections.list(NetworkInterface.getNetworkInterfaces())) {
                found.addAll(Collections.list(each.getInetAddresses()));
            }
        } catch (SocketException e) {
            LOG.warn("event=interfaces-unknown reason=\"{}\"", e.getMessage());
        }
        return found;
    }

    // ---- messages

    @Override
    protected void dispatch(Frame frame, ToMta message) {
        switch (message) {
            case QueueToAgent.Transfer m -> intake.take(m, frame.fd());
            case QueueToAgent.MessageFile m -> contents.arrived(m, frame.fd());
            case QueueToAgent.ResultsStored m -> stored(m.seq());
            case QueueToAgent.InFlightQuery _ -> reportInFlight();
            case QueueToAgent.HandoverCredit _ -> {
                // The queue counts; it says "ask" when we hold too much.
            }
            case Resolved m -> questions.answered(frame.id(), m);
            case LkaToMta.MxPreferenceIs m -> questions.answered(frame.id(), m);
            case LkaToMta.SourcesAre m -> questions.answered(frame.id(), m);
            case LkaToMta.HeloNameIs m -> questions.answered(frame.id(), m);
            case LkaToMta.SmartHostIs m -> questions.answered(frame.id(), m);
            case ReverseName m -> questions.answered(frame.id(), m);
            case ControlToMta.ShowMta m -> show(frame, m);
            case ControlToMta.EnableRoute m -> enable(frame, m.id());
            case ControlToMta.HoldNames m -> holdNames(frame, m.keys());
            case ParentToChild _, ControlToChild _ -> Fd.closeQuietly(frame.fd());
        }
    }

    @Override
    protected void lost(Role peer) {
        switch (peer) {
            case QUEUE -> contents.lost();
            case LKA -> questions.lost();
            default -> {}
        }
    }

    @Override
    protected void joined(Role peer) {
        switch (peer) {
            case QUEUE -> {
                reportInFlight();
                results.repeat();
                contents.joined();
            }
            case LKA -> questions.joined();
            default -> {}
        }
    }

    /** All we hold, results that are not acknowledged included; in parts. */
    private void reportInFlight() {
        List<Evpid> all = contents.inFlight();
        intake.addTo(all);
        results.addTo(all);
        int from = 0;
        while (all.size() - from > MAX_IDS) {
            queue.sendMore(
                    0,
                    new AgentToQueue.InFlightReport(
                            List.copyOf(all.subList(from, from + MAX_IDS))));
            from += MAX_IDS;
        }
        queue.send(0, new AgentToQueue.InFlightReport(List.copyOf(all.subList(from, all.size()))));
    }

    private void stored(long seq) {
        boolean wasFull = results.isFull();
        results.stored(seq);
        if (wasFull && !results.isFull()) {
            relays.goOn();
        }
        endIfDone();
    }

    // ---- results

    private void answer(Outside.Outcome outcome) {
        results.add(outcome);
        long now = clock.instant().getEpochSecond();
        for (Letter letter : outcome.letters()) {
            log(outcome, letter, now);
        }
    }

    private void log(Outside.Outcome outcome, Letter letter, long now) {
        SessionSpec session = outcome.session();
        Result result = outcome.result();
        LogLine line =
                LogLine.of(session == null ? 0 : session.id(), "mta", "delivery")
                        .add("evpid", letter.evpid())
                        .address(
                                "from", outcome.task() == null ? "" : outcome.task().key().sender())
                        .address("to", letter.dest())
                        .address("rcpt", letter.rcpt().equals(letter.dest()) ? "-" : letter.rcpt())
                        .quoted("source", outcome.source())
                        .quoted("relay", session == null ? "" : relay(session))
                        .duration("delay", letter.ctime() == 0 ? 0 : now - letter.ctime())
                        .quoted("result", word(result.kind()))
                        .quoted("stat", result.text())
                        .add("attempt", letter.retry() + 1)
                        .add("dsn", result.esc());
        if (!result.reason().key().isEmpty()) {
            line.add("reason", result.reason().key());
        }
        if (outcome.task() != null) {
            line.add("size", outcome.task().message().size());
        }
        line.info(LOG);
    }

    private static String relay(SessionSpec session) {
        return session.remote().getAddress().getHostAddress() + " (" + session.hostName() + ")";
    }

    private static String word(Result.Kind kind) {
        return switch (kind) {
            case DELIVERED -> "Ok";
            case DEFERRED -> "TempFail";
            case FAILED -> "PermFail";
            case LOOPED -> "Loop";
        };
    }

    // ---- control

    private void show(Frame frame, ControlToMta.ShowMta m) {
        Views views = relays.views();
        Views.Page page =
                switch (m.what()) {
                    case HOSTS -> views.hosts(m.from());
                    case RELAYS -> views.relays(m.from());
                    case ROUTES -> views.routes(m.from());
                };
        String kind = m.what().name().toLowerCase(java.util.Locale.ROOT);
        for (List<String> row : page.rows()) {
            control.sendTo(frame.peer(), frame.id(), new ChildToControl.ShowRow(kind, row));
        }
        done(frame, page.rows().size(), page.last());
    }

    private void enable(Frame frame, long id) {
        int count = relays.enableRoute(id);
        control.sendTo(
                frame.peer(),
                frame.id(),
                new ChildToControl.ControlDone(
                        count > 0 || id == 0, count, 0, count == 0 ? "no such route" : ""));
    }

    private void holdNames(Frame frame, List<Long> keys) {
        relays.holdNames(keys)
                .forEach(
                        (key, text) ->
                                control.sendTo(
                                        frame.peer(),
                                        frame.id(),
                                        new ChildToControl.ShowRow(
                                                "hold", List.of(Long.toString(key), text))));
        done(frame, keys.size(), 0);
    }

    private void done(Frame frame, long count, long last) {
        control.sendTo(
                frame.peer(), frame.id(), new ChildToControl.ControlDone(true, count, last, ""));
    }

    // ---- end

    @Override
    protected void stop(long deadlineMillis) {
        relays.stop();
        loop().schedule(this::stopNow, Math.max(0, deadlineMillis), TimeUnit.MILLISECONDS);
        endIfDone();
    }

    private void stopNow() {
        relays.abort();
        end();
    }

    private void endIfDone() {
        if (isStopping() && !relays.hasSessions() && results.isEmpty()) {
            end();
        }
    }

    private void end() {
        if (!stopped) {
            stopped = true;
            files.shutdown();
            finished();
        }
    }

    /** What the routing needs of this process. */
    private final class Rest implements Outside {
        @Override
        public void ask(MtaToLka question, Consumer<LkaToMta> given) {
            questions.ask(question, given);
        }

        @Override
        public void result(Outcome outcome) {
            answer(outcome);
        }

        @Override
        public void hold(long relay, List<Evpid> evpids) {
            queue.send(0, new AgentToQueue.Hold(relay, evpids));
        }

        @Override
        public void release(long relay, int count) {
            queue.send(0, new AgentToQueue.Release(relay, count));
        }

        @Override
        public void scheduleNow(List<Evpid> evpids) {
            queue.send(0, new MtaToQueue.ScheduleNow(evpids));
        }

        @Override
        public void contentWanted(Message message) {
            contents.want(message);
        }

        @Override
        public void contentDone(Message message) {
            contents.done(message);
        }

        @Override
        public OutboundSession start(SessionSpec spec, SessionEvents events) {
            OutboundSession session = new OutboundSession(spec, loop(), files, events);
            session.start();
            return session;
        }

        @Override
        public boolean isFull() {
            return results.isFull();
        }

        @Override
        public void sessionEnded() {
            endIfDone();
        }

        @Override
        public long nextSessionId() {
            return ids().next();
        }
    }
}
