package smtpd.queue;

import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import smtpd.conf.Config;
import smtpd.envelope.Msgid;
import smtpd.imsg.Agent;
import smtpd.imsg.AgentToQueue;
import smtpd.imsg.ChildToControl;
import smtpd.imsg.ControlToQueue;
import smtpd.imsg.LkaToQueue;
import smtpd.imsg.MtaToQueue;
import smtpd.imsg.QueueToControl;
import smtpd.imsg.QueueToLka;
import smtpd.imsg.QueueToMda;
import smtpd.imsg.QueueToMta;
import smtpd.imsg.QueueToScheduler;
import smtpd.imsg.QueueToSmtp;
import smtpd.imsg.Role;
import smtpd.imsg.SchedulerToQueue;
import smtpd.imsg.SmtpToQueue;
import smtpd.imsg.ToQueue;
import smtpd.proc.ChildContext;
import smtpd.proc.ChildMain;
import smtpd.proc.ChildProcess;
import smtpd.proc.ConfigRefused;
import smtpd.proc.Frame;
import smtpd.queue.backend.BackendException;
import smtpd.queue.backend.ObservedBackend;
import smtpd.queue.backend.QueueBackend;
import smtpd.queue.bounce.Bounces;
import smtpd.sys.Fd;

/** The queue's mind: owns message and envelope life from creation to removal. */
public final class QueueProcess extends ChildProcess<ToQueue> {

    private static final Logger LOG = LoggerFactory.getLogger(QueueProcess.class);

    /** What makes the store of a configuration; tests bring their own. */
    @FunctionalInterface
    public interface BackendFactory {
        QueueBackend make(Config config) throws BackendException;
    }

    private final BackendFactory backends;
    private final Clock clock;
    private final StoreProfile profile = new StoreProfile();
    private QueueBackend backend;
    private boolean isOpening;
    private Parts parts;

    /** What came while the store was being opened, in order. */
    private final List<Runnable> early = new ArrayList<>();

    private boolean isStatusKnown;
    private boolean mayLoad;
    private int underWay;
    private Runnable whenQuiet;
    private final OnLoop onLoop = new LoopReturn();

    /** Everything that exists once the store is open. */
    private record Parts(
            SchedulerFeed scheduler,
            EnvelopeStore envelopes,
            ContentStore contents,
            Transactions transactions,
            HandOver mta,
            HandOver mda,
            Results results,
            Bounces bounces,
            Loader loader,
            Listing listing,
            StorageWatch storage) {}

    public QueueProcess(ChildContext context) {
        this(context, Backends::of, Clock.systemUTC());
    }

    QueueProcess(ChildContext context, BackendFactory backends, Clock clock) {
        super(Role.QUEUE, ToQueue.class, context);
        this.backends = backends;
        this.clock = clock;
    }

    public static void main(String[] arguments) {
        ChildMain.run(arguments, QueueProcess::new);
    }

    // ---- configuration

    @Override
    protected void configure(Config config) throws ConfigRefused {
        if (isOpening) {
            return; // the store of a running queue stays what it is
        }
        try {
            backend =
                    new ObservedBackend(backends.make(config), List.of(new StoreTrace(), profile));
        } catch (BackendException e) {
            throw new ConfigRefused(e.getMessage());
        }
    }

    @Override
    protected void activate(Config config, Runnable ready) {
        if (isOpening) {
            ready.run();
            return;
        }
        isOpening = true;
        Thread.ofPlatform()
                .name("queue-open")
                .daemon()
                .start(
                        () -> {
                            try {
                                backend.open(new Events());
                                loop().execute(() -> opened(config, ready));
                            } catch (BackendException e) {
                                loop().execute(() -> crash(e.getMessage(), e));
                            }
                        });
    }

    private void opened(Config config, Runnable ready) {
        var toSmtp = edge(Role.SMTP, QueueToSmtp.class);
        var toControl = edge(Role.CONTROL, QueueToControl.class);
        var toControlAll = edge(Role.CONTROL, ChildToControl.class);
        SchedulerFeed scheduler =
                new SchedulerFeed(
                        loop(), edge(Role.SCHEDULER, QueueToScheduler.class), config.actions());
        EnvelopeStore envelopes =
                new EnvelopeStore(
                        backend, onLoop, stats(), config.queue().cacheBytes(), config.serverName());
        ContentStore contents = new ContentStore(backend, onLoop);
        Bounces bounces =
                new Bounces(
                        backend,
                        envelopes,
                        contents,
                        scheduler,
                        edge(Role.LKA, QueueToLka.class),
                        onLoop,
                        loop(),
                        ids(),
                        stats(),
                        clock,
                        config.serverName());
        Results results =
                new Results(
                        backend, envelopes, contents, scheduler, bounces, onLoop, loop(), clock);
        HandOver mta =
                new HandOver(
                        Agent.MTA,
                        edge(Role.MTA, QueueToMta.class),
                        envelopes,
                        contents,
                        scheduler,
                        loop(),
                        results::hasRoom);
        HandOver mda =
                new HandOver(
                        Agent.MDA,
                        edge(Role.MDA, QueueToMda.class),
                        envelopes,
                        contents,
                        scheduler,
                        loop(),
                        results::hasRoom);
        Transactions transactions =
                new Transactions(
                        backend,
                        toSmtp,
                        envelopes,
                        contents,
                        scheduler,
                        onLoop,
                        stats(),
                        clock,
                        msgid -> mta.holds(msgid) || mda.holds(msgid),
                        bounces.maker());
        bounces.drawFrom(transactions::draw, transactions::release);
        parts =
                new Parts(
                        scheduler,
                        envelopes,
                        contents,
                        transactions,
                        mta,
                        mda,
                        results,
                        bounces,
                        new Loader(backend, envelopes, scheduler, onLoop, loop(), clock),
                        new Listing(backend, envelopes, toControl, toControlAll, onLoop),
                        new StorageWatch(backend, toSmtp, stats()));
        loop().scheduleAtFixedRate(parts.storage()::look, 1, 1, TimeUnit.SECONDS);
        early.forEach(Runnable::run);
        early.clear();
        ready.run();
    }

    /** A generic method cannot be a lambda. */
    private final class LoopReturn implements OnLoop {
        @Override
        public <T> void run(CompletionStage<T> stage, Consumer<T> then) {
            underWay++;
            stage.whenComplete(
                    (value, failure) ->
                            loop().execute(
                                            () -> {
                                                underWay--;
                                                if (failure != null) {
                                                    crash("storage operation", failure);
                                                } else {
                                                    goOn(then, value);
                                                }
                                            }));
        }
    }

    private <T> void goOn(Consumer<T> then, T value) {
        try {
            then.accept(value);
        } catch (RuntimeException e) {
            crash("after a storage operation", e);
        }
        if (whenQuiet != null) {
            checkQuiet();
        }
    }

    // ---- messages

    @Override
    protected void dispatch(Frame frame, ToQueue message) {
        Fd.closeQuietly(frame.fd()); // nobody sends the queue descriptors
        if (parts == null) {
            early.add(() -> handle(frame, message));
        } else {
            handle(frame, message);
        }
    }

    private void handle(Frame frame, ToQueue message) {
        switch (message) {
            case LkaToQueue m -> fromLka(frame, m);
            case SmtpToQueue m -> fromSmtp(frame, m);
            case SchedulerToQueue m -> fromScheduler(frame, m);
            case MtaToQueue.ScheduleNow m -> parts.scheduler().dueNow(m.evpids());
            case AgentToQueue.Delivered m -> parts.results().delivered(agent(frame), m);
            case AgentToQueue.Deferred m -> parts.results().deferred(agent(frame), m);
            case AgentToQueue.Failed m -> parts.results().failed(agent(frame), m);
            case AgentToQueue.Looped m -> parts.results().looped(agent(frame), m);
            case AgentToQueue.Hold m -> agent(frame).hold(m, peerGeneration(frame.from()));
            case AgentToQueue.Release m -> agent(frame).release(m, peerGeneration(frame.from()));
            case AgentToQueue.InFlightReport m -> {
                HandOver of = agent(frame);
                of.inFlight(m, frame.more(), id -> parts.results().isAnswered(of.agent(), id));
                if (!frame.more()) {
                    parts.results().reported(of.agent());
                }
            }
            case AgentToQueue.OpenMessage m -> agent(frame).open(frame, m.msgid());
            case AgentToQueue.ContentReleased m -> agent(frame).released(m);
            case ControlToQueue m -> fromControl(frame, m);
            default -> throw new IllegalStateException("not for the queue: " + message);
        }
    }

    private void fromLka(Frame frame, LkaToQueue message) {
        switch (message) {
            case LkaToQueue.EnvelopesSubmit m ->
                    parts.transactions().stage(frame, m, peerGeneration(Role.SMTP));
            case LkaToQueue.BounceExpanded m -> parts.bounces().expanded(frame, m);
        }
    }

    private void fromSmtp(Frame frame, SmtpToQueue message) {
        switch (message) {
            case SmtpToQueue.OpenContent m -> parts.transactions().openContent(frame, m);
            case SmtpToQueue.CommitMessage m -> parts.transactions().commit(frame, m);
            case SmtpToQueue.AbortMessage m -> parts.transactions().abort(frame, m);
            case SmtpToQueue.CommitStatus m -> parts.transactions().status(frame, m);
            case SmtpToQueue.CommitStatusEnd _ -> statusKnown();
        }
    }

    private void fromScheduler(Frame frame, SchedulerToQueue message) {
        switch (message) {
            case SchedulerToQueue.ReadySeen _ -> {}
            case SchedulerToQueue.Dispatch m -> {
                switch (m.agent()) {
                    case MTA -> parts.mta().dispatch(m.evpids());
                    case MDA -> parts.mda().dispatch(m.evpids());
                    case BOUNCE -> parts.bounces().dispatch(m.evpids());
                }
            }
            case SchedulerToQueue.Expire m -> parts.results().expire(m.evpids());
            case SchedulerToQueue.Discard m -> parts.results().discard(m.evpids(), m.uid());
            case SchedulerToQueue.WarnDelayed m -> parts.results().warnDelayed(m);
            case SchedulerToQueue.MarkSuspended m -> parts.results().suspend(m);
            case SchedulerToQueue.DescribeEnvelopes m -> parts.listing().describe(frame, m);
        }
    }

    private void fromControl(Frame frame, ControlToQueue message) {
        switch (message) {
            case ControlToQueue.ShowMessage m -> parts.listing().show(frame, m);
            case ControlToQueue.Discover m ->
                    parts.loader()
                            .discover(
                                    m.id(),
                                    count -> parts.listing().done(frame, count > 0, count, ""));
            case ControlToQueue.Flush _ -> parts.listing().flush(frame);
            case ControlToQueue.Restore m ->
                    parts.listing()
                            .restore(
                                    frame,
                                    m.msgid(),
                                    () ->
                                            parts.loader()
                                                    .discover(
                                                            smtpd.envelope.Evpid.ofMessage(
                                                                    m.msgid()),
                                                            _ -> {}));
            case ControlToQueue.ShowProblems _ -> parts.listing().problems(frame);
            case ControlToQueue.AgentPaused m ->
                    LOG.debug("{} paused={}", m.agent().title(), m.paused());
        }
    }

    /** Bit of {@code profile queue}, behind that of imsg. */
    private static final long PROFILE_QUEUE = 2;

    @Override
    protected void traced(long mask, long profileMask) {
        profile.switchOn((profileMask & PROFILE_QUEUE) != 0);
    }

    @Override
    protected List<List<String>> profileRows(String what) {
        return what.equals("queue") ? profile.rows() : List.of();
    }

    private HandOver agent(Frame frame) {
        return frame.from() == Role.MTA ? parts.mta() : parts.mda();
    }

    // ---- peers

    @Override
    protected void lost(Role peer) {
        if (parts == null) {
            early.add(() -> lost(peer));
            return;
        }
        switch (peer) {
            case SMTP -> parts.transactions().smtpLost();
            case LKA -> {
                parts.transactions().lkaLost();
                parts.bounces().lkaLost();
            }
            case MTA -> lost(parts.mta());
            case MDA -> lost(parts.mda());
            case SCHEDULER -> {
                mayLoad = false;
                parts.loader().cancel();
            }
            default -> {}
        }
    }

    private void lost(HandOver agent) {
        agent.leaving();
        parts.results().whenStored(agent.agent(), agent::lost);
    }

    @Override
    protected void joined(Role peer) {
        if (parts == null) {
            early.add(() -> joined(peer));
            return;
        }
        switch (peer) {
            case SMTP -> parts.storage().tell();
            case LKA -> parts.bounces().lkaJoined();
            case MTA -> parts.mta().joined();
            case MDA -> parts.mda().joined();
            case SCHEDULER -> schedulerJoined();
            default -> {}
        }
    }

    /**
     * A new scheduler knows nothing; a new queue first waits for the word of smtp on open commits.
     */
    private void schedulerJoined() {
        parts.scheduler().joined();
        boolean isReplaced = context().generation() > 1;
        parts.results().reportAwaited(Agent.MTA);
        parts.results().reportAwaited(Agent.MDA);
        parts.mta().ask(isReplaced, REPORT_WAIT_SECONDS);
        parts.mda().ask(isReplaced, REPORT_WAIT_SECONDS);
        parts.scheduler().snapshot(Agent.BOUNCE, parts.bounces().inWork());
        mayLoad = true;
        if (isStatusKnown || !isReplaced) {
            statusKnown();
        } else {
            loop().schedule(this::statusKnown, REPORT_WAIT_SECONDS, TimeUnit.SECONDS);
        }
    }

    private static final int REPORT_WAIT_SECONDS = 10;

    /** The fate of commits left open by an earlier incarnation is decided: what is here, stays. */
    private void statusKnown() {
        isStatusKnown = true;
        if (mayLoad && parts.scheduler().isUp()) {
            mayLoad = false; // once for each scheduler
            parts.loader().start();
        }
    }

    // ---- end

    @Override
    protected void stop(long deadlineMillis) {
        // Results already read are stored before the store is closed.
        whenQuiet = this::close;
        loop().schedule(
                        this::quiet,
                        Math.max(0, deadlineMillis - CLOSE_MILLIS),
                        TimeUnit.MILLISECONDS);
        loop().execute(this::checkQuiet);
    }

    private static final long CLOSE_MILLIS = 2_000;

    private void checkQuiet() {
        if (underWay == 0 && (parts == null || parts.results().isQuiet())) {
            quiet();
        }
    }

    private void quiet() {
        if (whenQuiet != null) {
            Runnable then = whenQuiet;
            whenQuiet = null;
            then.run();
        }
    }

    private void close() {
        Thread.ofPlatform()
                .name("queue-close")
                .daemon()
                .start(
                        () -> {
                            if (backend != null) {
                                backend.close();
                            }
                            loop().execute(this::finished);
                        });
    }

    private final class Events implements QueueBackend.BackendEvents {
        @Override
        public void healthChanged() {
            loop().execute(
                            () -> {
                                if (parts != null) {
                                    parts.storage().look();
                                }
                            });
        }

        @Override
        public void problem(String line) {
            LOG.warn("{}", line);
        }
    }

    /** For tests: what a walk found is with the scheduler. */
    boolean isLoaded() {
        return parts != null && parts.loader().isDone();
    }

    /** For tests: it has to be read from the store. */
    void forgetContent(Msgid msgid) {
        parts.contents().drop(msgid);
    }

    List<String> state() {
        return parts == null
                ? List.of()
                : List.of(
                        "transactions=" + parts.transactions().size(),
                        "content=" + parts.contents().bytes(),
                        "mta=" + parts.mta().inFlightCount(),
                        "mda=" + parts.mda().inFlightCount(),
                        "held=" + (parts.mta().heldCount() + parts.mda().heldCount()),
                        "drawn=" + parts.transactions().drawnCount(),
                        "staged=" + parts.transactions().stagedBytes());
    }
}
