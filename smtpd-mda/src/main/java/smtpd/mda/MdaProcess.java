package smtpd.mda;

import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import smtpd.conf.Config;
import smtpd.envelope.Envelope;
import smtpd.envelope.EnvelopeText;
import smtpd.envelope.EnvelopeType;
import smtpd.envelope.Evpid;
import smtpd.imsg.AgentToQueue;
import smtpd.imsg.ChildToControl;
import smtpd.imsg.ControlToChild;
import smtpd.imsg.ControlToMta;
import smtpd.imsg.LkaToMda;
import smtpd.imsg.MdaToLka;
import smtpd.imsg.MdaToQueue;
import smtpd.imsg.ParentToChild;
import smtpd.imsg.QueueToAgent;
import smtpd.imsg.Resolved;
import smtpd.imsg.Role;
import smtpd.imsg.StoredEnvelope;
import smtpd.imsg.ToMda;
import smtpd.log.LogLine;
import smtpd.mda.deliver.Deliverer;
import smtpd.mda.deliver.Job;
import smtpd.mda.deliver.Method;
import smtpd.mda.deliver.Reach;
import smtpd.mda.deliver.Rights;
import smtpd.mda.deliver.Settings;
import smtpd.mda.deliver.Targets;
import smtpd.mda.deliver.Verdict;
import smtpd.mda.deliver.Warmup;
import smtpd.mda.deliver.Writers;
import smtpd.proc.ChildContext;
import smtpd.proc.ChildMain;
import smtpd.proc.ChildProcess;
import smtpd.proc.Edge;
import smtpd.proc.Frame;
import smtpd.stat.Stat;

/** Local delivery's mind: users, their queues and limits, the results. Runs in mda as root. */
public final class MdaProcess extends ChildProcess<ToMda> {

    private static final Logger LOG = LoggerFactory.getLogger(MdaProcess.class);

    private static final int DEVICE_PAUSE_SECONDS = 60;
    private static final int RESOURCE_PAUSE_SECONDS = 1;
    private static final int STOP_GRACE_MILLIS = 6_000;
    private static final int CONNECTION_MILLIS = 2_000;
    private static final int MAX_STUCK = 32;
    private static final int MAX_LIST = 256;
    private static final int CHECKS = 4;

    private static final Verdict NO_CONTENT = Verdict.temporary("4.3.0", "Cannot get message fd");
    private static final Verdict NO_HOST =
            Verdict.temporary("4.4.3", "Temporary failure in host lookup");

    private final Edge<MdaToQueue> queue = edge(Role.QUEUE, MdaToQueue.class);
    private final Edge<MdaToLka> lka = edge(Role.LKA, MdaToLka.class);
    private final Edge<ChildToControl> control = edge(Role.CONTROL, ChildToControl.class);
    private final Results results = new Results(loop(), queue);
    private final Turns turns = new Turns(this::begin);
    private final Users users = new Users(loop(), ids(), stats(), lka, new UserNews());
    private final Messages messages =
            new Messages(loop(), ids(), stats(), queue, new ContentNews());
    private final Map<Evpid, Delivery> inFlight = new LinkedHashMap<>();
    private final LmtpHosts hosts =
            new LmtpHosts(loop(), ids(), stats(), lka, this::run, d -> end(d, NO_HOST));
    private final Holds holds = new Holds(stats(), queue);
    private final StuckThreads stuck = new StuckThreads();
    private final Function<Config, Settings> settings;
    private final InstantSource clock = InstantSource.system();
    private final long startedAt = clock.instant().getEpochSecond();
    private final Rights rights;
    // Session threads are made by the loop, so that they have mda's own identity.
    private final ExecutorService sessions =
            new ThreadPoolExecutor(
                    0,
                    Integer.MAX_VALUE,
                    60,
                    TimeUnit.SECONDS,
                    new SynchronousQueue<>(),
                    Thread.ofPlatform().name("mda-session-", 1).daemon(true).factory());
    // What is short, and hands over to a writing thread.
    private final ExecutorService checks =
            Executors.newFixedThreadPool(
                    CHECKS, Thread.ofPlatform().name("mda-check-", 1).daemon(true).factory());

    private EnvelopeJobs jobs;
    private Writers writers;
    private Deliverer deliverer;
    private boolean sweepingStuck;
    private boolean expiring;

    public MdaProcess(ChildContext context) {
        this(context, c -> Settings.of(c.serverName(), MailFolder.of(c.instance())));
    }

    MdaProcess(ChildContext context, Function<Config, Settings> settings) {
        super(Role.MDA, ToMda.class, context);
        this.settings = settings;
        this.rights =
                context.serviceUid() > 0
                        ? new Rights.OfRoot(context.serviceUid())
                        : Rights.OfUser.own();
    }

    public static void main(String[] arguments) {
        ChildMain.run(arguments, MdaProcess::new);
    }

    // ---- configuration

    @Override
    protected void configure(Config offered) {
        // Every configuration that parses can be used: paths and users are looked at per mail.
    }

    @Override
    protected void activate(Config active, Runnable ready) {
        Settings next = settings.apply(active);
        Deliverer old = deliverer;
        holds.limits(active.limits());
        users.configured(active.configId());
        jobs = new EnvelopeJobs(active.actions(), startedAt);
        if (writers == null) {
            writers = new Writers(rights, next.writers());
        }
        deliverer = new Deliverer(next, rights, writers, clock);
        turns.limits(active.limits());
        sessions.execute(
                () -> {
                    if (old == null) {
                        Reach.missing().forEach(what -> LOG.warn("event=sandbox {}", what));
                        Warmup.run();
                    } else {
                        old.close();
                    }
                    loop().execute(ready);
                });
    }

    // ---- messages

    @Override
    protected void dispatch(Frame frame, ToMda message) {
        switch (message) {
            case QueueToAgent.Transfer m -> deliver(frame, m);
            case QueueToAgent.MessageFile m -> messages.opened(frame, m);
            case QueueToAgent.ResultsStored m -> stored(m.seq());
            case QueueToAgent.InFlightQuery _ -> report();
            case QueueToAgent.HandoverCredit _ -> {} // the queue counts it; we only give back
            case LkaToMda.UserIs m -> users.answered(frame.id(), m);
            case Resolved m -> hosts.answered(frame.id(), m);
            case ControlToMta.HoldNames m -> holdNames(frame, m);
            case ControlToChild _, ParentToChild _ -> {} // taken out before they come here
        }
        turns.run();
        gauges();
    }

    @Override
    protected void joined(Role peer) {
        switch (peer) {
            case QUEUE -> {
                messages.newQueue();
                report();
                results.repeat();
                messages.openAgain();
            }
            case LKA -> users.lkaJoined();
            default -> {}
        }
    }

    @Override
    protected void lost(Role peer) {
        switch (peer) {
            case QUEUE -> messages.queueLost();
            case LKA -> {
                users.lkaLost();
                hosts.lkaLost();
            }
            default -> {}
        }
    }

    // ---- hand-over

    private void deliver(Frame frame, QueueToAgent.Transfer m) {
        // It stays while we look at its envelopes.
        HeldMessage message = messages.arrived(m, frame.fd());
        Map<UserQueue, List<Evpid>> held = new LinkedHashMap<>();
        for (StoredEnvelope stored : m.envelopes()) {
            if (!inFlight.containsKey(stored.evpid())) {
                accept(stored, message, held);
            }
        }
        held.forEach(holds::give);
        messages.leave(message);
    }

    private void accept(
            StoredEnvelope stored, HeldMessage message, Map<UserQueue, List<Evpid>> held) {
        Evpid evpid = stored.evpid();
        Envelope envelope =
                EnvelopeText.parse(stored.text()) instanceof smtpd.envelope.Verdict.Usable usable
                        ? usable.envelope()
                        : null;
        if (envelope == null || envelope.type() != EnvelopeType.MDA) {
            refuse(evpid, Verdict.temporary("4.3.0", "envelope cannot be read"));
            return;
        }
        Method method = jobs.method(envelope);
        if (method == null) {
            refuse(evpid, Verdict.temporary("4.3.5", "no action called " + envelope.action()));
            return;
        }
        UserQueue user = users.of(jobs.user(envelope));
        if (holds.isFull(user)) {
            holds.begin(user);
            held.computeIfAbsent(user, _ -> new ArrayList<>()).add(evpid);
            return;
        }
        Delivery delivery = new Delivery(evpid, envelope, method, user, message);
        message.use();
        inFlight.put(evpid, delivery);
        user.add(delivery);
        if (user.state() == UserQueue.State.RUNNABLE) {
            prepare(delivery);
            turns.ready(user);
        }
    }

    private void refuse(Evpid evpid, Verdict verdict) {
        results.add(evpid, verdict);
        LogLine.of("mda", "refused")
                .id("evpid", evpid.value())
                .add("why", verdict.text())
                .warn(LOG);
    }

    // ---- users

    /** What becomes of mail once lka has answered about its user. */
    private final class UserNews implements Users.Events {
        @Override
        public void known(UserQueue user) {
            user.each(MdaProcess.this::prepare);
            turns.ready(user);
        }

        @Override
        public void unknown(UserQueue user, Verdict verdict) {
            user.takeAll().forEach(d -> conclude(d, verdict));
            gauges();
        }
    }

    private void prepare(Delivery delivery) {
        delivery.file = Targets.exclusiveFile(job(delivery));
    }

    private Job job(Delivery d) {
        return jobs.job(d.evpid.value(), d.envelope, d.method, d.user.account());
    }

    // ---- sessions

    private void begin(Delivery delivery) {
        delivery.session = ids().next();
        delivery.startedNanos = System.nanoTime();
        if (delivery.message.isHere()) {
            findHost(delivery);
            return;
        }
        delivery.message.await(delivery);
        if (!delivery.message.isAsked()) {
            messages.open(delivery.message);
        }
    }

    /** What becomes of deliveries that waited for their content. */
    private final class ContentNews implements Messages.Events {
        @Override
        public void here(Delivery delivery) {
            findHost(delivery);
        }

        @Override
        public void missing(List<Delivery> deliveries) {
            deliveries.forEach(d -> end(d, NO_CONTENT));
            turns.run();
        }
    }

    private void findHost(Delivery delivery) {
        Targets.HostPort target =
                delivery.method instanceof Method.Lmtp lmtp
                        ? Targets.lmtpHost(job(delivery), lmtp)
                        : null;
        if (target == null) {
            run(delivery);
            return;
        }
        hosts.find(delivery, target);
    }

    private void run(Delivery delivery) {
        Job job = job(delivery);
        Deliverer worker = deliverer;
        DeliveryLog.begun(delivery);
        Consumer<Deliverer.Ended> told = ended -> loop().execute(() -> ended(delivery, ended));
        ExecutorService threads = Deliverer.isShort(job) ? checks : sessions;
        threads.execute(
                () -> {
                    try {
                        worker.deliver(job, delivery.message.content(), delivery.hosts, told);
                    } catch (InterruptedException | RuntimeException | Error e) {
                        LOG.error("event=delivery-broke evpid={}", delivery.evpid, e);
                        told.accept(
                                Deliverer.Ended.with(
                                        Verdict.temporary("4.3.0", "delivery broke off")));
                    }
                });
    }

    private void ended(Delivery delivery, Deliverer.Ended ended) {
        DeliveryLog.ended(delivery, ended.verdict());
        if (ended.stuck() != null) {
            stuck(delivery, ended.stuck());
        }
        if (delivery.method instanceof Method.Lmtp && !expiring) {
            expiring = true;
            loop().schedule(this::expireConnections, CONNECTION_MILLIS, TimeUnit.MILLISECONDS);
        }
        end(delivery, ended.verdict());
        turns.run();
        gauges();
        stopWhenDone();
    }

    private void expireConnections() {
        expiring = deliverer.expireConnections();
        if (expiring) {
            loop().schedule(this::expireConnections, CONNECTION_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    /** The session is over. */
    private void end(Delivery delivery, Verdict verdict) {
        UserQueue user = delivery.user;
        Verdict.Cause cause =
                verdict instanceof Verdict.Temporary t ? t.cause() : Verdict.Cause.MAIL;
        if (cause == Verdict.Cause.DEVICE) {
            user.pause();
            loop().schedule(() -> resume(user), DEVICE_PAUSE_SECONDS, TimeUnit.SECONDS);
        }
        if (cause == Verdict.Cause.RESOURCES) {
            // Nothing was tried: it waits, and so does everybody for a moment.
            user.putBack(delivery);
            turns.pause(true);
            loop().schedule(this::resumeAll, RESOURCE_PAUSE_SECONDS, TimeUnit.SECONDS);
            turns.ended(delivery);
            return;
        }
        turns.ended(delivery);
        if (cause == Verdict.Cause.STOPPED) {
            inFlight.remove(delivery.evpid); // not known: the queue tries it again
            messages.leave(delivery.message);
            return;
        }
        conclude(delivery, verdict);
    }

    private void resume(UserQueue user) {
        user.resume();
        turns.ready(user);
        turns.run();
    }

    private void resumeAll() {
        turns.pause(isStopping());
        turns.run();
    }

    /** Tells the result and lets go of the content. */
    private void conclude(Delivery delivery, Verdict verdict) {
        inFlight.remove(delivery.evpid);
        results.add(delivery.evpid, verdict);
        messages.leave(delivery.message);
        count(verdict);
        DeliveryLog.write(LOG, delivery, verdict, clock.instant().getEpochSecond());
        holds.oneLess(delivery.user);
    }

    private void count(Verdict verdict) {
        stats().increment(
                        switch (verdict) {
                            case Verdict.Delivered _ -> Stat.MDA_DELIVERY_OK;
                            case Verdict.Temporary _ -> Stat.MDA_DELIVERY_TEMPFAIL;
                            case Verdict.Permanent _ -> Stat.MDA_DELIVERY_PERMFAIL;
                            case Verdict.Looped _ -> Stat.MDA_DELIVERY_LOOP;
                        });
    }

    // ---- stuck threads

    private void stuck(Delivery delivery, Thread thread) {
        LogLine.of(delivery.session, "mda", "stuck")
                .id("evpid", delivery.evpid.value())
                .add("user", delivery.user.key)
                .warn(LOG);
        delivery.message.use(); // the thread may still read it
        UserQueue user = delivery.user;
        user.stuck(1);
        user.pause();
        stuck.add(thread, delivery);
        holds.begin(user);
        List<Delivery> waiting = user.takeAll();
        holds.give(user, waiting.stream().map(d -> d.evpid).toList());
        for (Delivery given : waiting) {
            inFlight.remove(given.evpid);
            messages.leave(given.message);
        }
        if (stuck.size() >= MAX_STUCK) {
            accuse(Role.MDA, MAX_STUCK + " delivery threads are stuck");
        }
        sweepStuck();
    }

    private void sweepStuck() {
        if (!sweepingStuck) {
            sweepingStuck = true;
            loop().schedule(this::freeStuck, 1, TimeUnit.SECONDS);
        }
    }

    private void freeStuck() {
        sweepingStuck = false;
        stuck.sweep(
                delivery -> {
                    messages.leave(delivery.message);
                    delivery.user.stuck(-1);
                    if (!delivery.user.isStuck()) {
                        delivery.user.resume();
                        holds.release(delivery.user, 0);
                        turns.ready(delivery.user);
                    }
                });
        if (stuck.size() > 0) {
            sweepStuck();
        }
        turns.run();
        gauges();
    }

    // ---- the queue asks, control asks

    private void stored(long seq) {
        results.stored(seq);
        stopWhenDone();
    }

    private void report() {
        results.flush();
        Set<Evpid> all = new LinkedHashSet<>(inFlight.keySet());
        all.addAll(results.unstored());
        List<Evpid> list = List.copyOf(all);
        int from = 0;
        while (list.size() - from > MAX_LIST) {
            queue.sendMore(0, new AgentToQueue.InFlightReport(list.subList(from, from + MAX_LIST)));
            from += MAX_LIST;
        }
        queue.send(0, new AgentToQueue.InFlightReport(list.subList(from, list.size())));
    }

    private void holdNames(Frame frame, ControlToMta.HoldNames m) {
        Map<Long, UserQueue> byKey = new HashMap<>();
        users.all().forEach(user -> byKey.put(user.holdKey, user));
        long rows = 0;
        for (long key : m.keys()) {
            UserQueue user = byKey.get(key);
            if (user != null) {
                rows++;
                control.sendTo(
                        frame.peer(),
                        frame.id(),
                        new ChildToControl.ShowRow(
                                "hold", List.of(Long.toHexString(key), user.key.toString())));
            }
        }
        control.sendTo(frame.peer(), frame.id(), new ChildToControl.ControlDone(true, rows, 0, ""));
    }

    /** Sessions that run now. */
    int running() {
        return turns.running();
    }

    private void gauges() {
        stats().set(Stat.MDA_ENVELOPE, inFlight.size());
        stats().set(Stat.MDA_RUNNING, turns.running());
        stats().set(Stat.MDA_PENDING, inFlight.size() - turns.running());
        stats().set(Stat.MDA_USER, users.size());
        stats().set(Stat.MDA_STUCK, stuck.size());
    }

    // ---- stop

    @Override
    protected void stop(long deadlineMillis) {
        if (deliverer == null) {
            finished(); // stopped before the first configuration came
            return;
        }
        turns.pause(true);
        loop().schedule(
                        () -> {
                            deliverer.stopCommands();
                            loop().schedule(
                                            this::finished,
                                            STOP_GRACE_MILLIS,
                                            TimeUnit.MILLISECONDS);
                        },
                        deadlineMillis,
                        TimeUnit.MILLISECONDS);
        stopWhenDone();
    }

    private void stopWhenDone() {
        if (isStopping() && turns.running() == 0 && (results.isEmpty() || !queue.isUp())) {
            deliverer.close();
            writers.close();
            finished();
        }
    }
}
