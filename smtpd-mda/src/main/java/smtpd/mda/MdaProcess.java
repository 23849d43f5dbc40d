package smtpd.mda;

import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import smtpd.conf.Config;
import smtpd.conf.Limit;
import smtpd.conf.Limits;
import smtpd.envelope.Envelope;
import smtpd.envelope.EnvelopeText;
import smtpd.envelope.EnvelopeType;
import smtpd.envelope.Evpid;
import smtpd.envelope.Msgid;
import smtpd.imsg.AgentToQueue;
import smtpd.imsg.ChildToControl;
import smtpd.imsg.ControlToChild;
import smtpd.imsg.ControlToMta;
import smtpd.imsg.DnsStatus;
import smtpd.imsg.LkaToMda;
import smtpd.imsg.MdaToLka;
import smtpd.imsg.MdaToQueue;
import smtpd.imsg.Outcome;
import smtpd.imsg.ParentToChild;
import smtpd.imsg.QueueToAgent;
import smtpd.imsg.Resolve;
import smtpd.imsg.Resolved;
import smtpd.imsg.Role;
import smtpd.imsg.StoredEnvelope;
import smtpd.imsg.ToMda;
import smtpd.log.LogLine;
import smtpd.mda.deliver.Account;
import smtpd.mda.deliver.Deliverer;
import smtpd.mda.deliver.Job;
import smtpd.mda.deliver.Method;
import smtpd.mda.deliver.Reach;
import smtpd.mda.deliver.Rights;
import smtpd.mda.deliver.Settings;
import smtpd.mda.deliver.Targets;
import smtpd.mda.deliver.Verdict;
import smtpd.mda.deliver.Warmup;
import smtpd.proc.ChildContext;
import smtpd.proc.ChildMain;
import smtpd.proc.ChildProcess;
import smtpd.proc.Edge;
import smtpd.proc.Frame;
import smtpd.proc.Pending;
import smtpd.stat.Stat;
import smtpd.sys.Fd;

/** Local delivery's mind: users, their queues and limits, the results. Runs in mda as root. */
public final class MdaProcess extends ChildProcess<ToMda> {

    private static final Logger LOG = LoggerFactory.getLogger(MdaProcess.class);

    private static final long LOOKUP_MILLIS = 60_000;
    private static final long OPEN_MILLIS = 120_000;
    private static final long RESOLVE_MILLIS = 300_000;
    private static final long USER_KEPT_NANOS = TimeUnit.SECONDS.toNanos(60);
    private static final int USER_SWEEP_SECONDS = 30;
    private static final int DEVICE_PAUSE_SECONDS = 60;
    private static final int RESOURCE_PAUSE_SECONDS = 1;
    private static final int STOP_GRACE_MILLIS = 6_000;
    private static final int CONNECTION_MILLIS = 2_000;
    private static final int MAX_STUCK = 32;
    private static final int MAX_LIST = 256;

    private static final Verdict NO_USER =
            new Verdict.Permanent("5.1.1", "Permanent failure in user lookup");
    private static final Verdict USER_UNKNOWN_NOW =
            Verdict.temporary("4.3.0", "Temporary failure in user lookup");
    private static final Verdict NO_CONTENT = Verdict.temporary("4.3.0", "Cannot get message fd");
    private static final Verdict NO_HOST =
            Verdict.temporary("4.4.3", "Temporary failure in host lookup");

    private final Edge<MdaToQueue> queue = edge(Role.QUEUE, MdaToQueue.class);
    private final Edge<MdaToLka> lka = edge(Role.LKA, MdaToLka.class);
    private final Edge<ChildToControl> control = edge(Role.CONTROL, ChildToControl.class);
    private final Results results = new Results(loop(), queue);
    private final Turns turns = new Turns(this::begin);
    private final Map<EnvelopeJobs.UserKey, UserQueue> users = new HashMap<>();
    private final Map<Msgid, HeldMessage> messages = new HashMap<>();
    private final Map<Evpid, Delivery> inFlight = new LinkedHashMap<>();
    private final Pending<UserQueue> lookups = new Pending<>(loop(), this::lookupTimedOut);
    private final Pending<HeldMessage> openings = new Pending<>(loop(), this::openTimedOut);
    private final Pending<Delivery> resolving = new Pending<>(loop(), d -> end(d, NO_HOST));
    private final Set<UserQueue> waitingForLka = new LinkedHashSet<>();
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

    private Config config;
    private Limits limits;
    private EnvelopeJobs jobs;
    private Deliverer deliverer;
    private int queueIncarnation;
    private boolean sweepingUsers;
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
        config = active;
        limits = active.limits();
        jobs = new EnvelopeJobs(active.actions(), startedAt);
        deliverer = new Deliverer(next, rights, clock);
        turns.limits(limits);
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
            case QueueToAgent.MessageFile m -> opened(frame, m);
            case QueueToAgent.ResultsStored m -> stored(m.seq());
            case QueueToAgent.InFlightQuery _ -> report();
            case QueueToAgent.HandoverCredit _ -> {} // the queue counts it; we only give back
            case LkaToMda.UserIs m -> userIs(frame, m);
            case Resolved m -> resolved(frame, m);
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
                queueIncarnation++;
                report();
                results.repeat();
                messages.values().stream()
                        .filter(m -> m.isAwaited() && !m.isAsked())
                        .toList()
                        .forEach(this::open);
            }
            case LKA -> {
                List<UserQueue> again = List.copyOf(waitingForLka);
                waitingForLka.clear();
                again.forEach(this::lookUp);
            }
            default -> {}
        }
    }

    @Override
    protected void lost(Role peer) {
        switch (peer) {
            case QUEUE -> openings.lost(Role.QUEUE).forEach(m -> m.asked(false));
            case LKA -> {
                lookups.lost(Role.LKA).forEach(this::waitForLka);
                resolving.lost(Role.LKA).forEach(d -> end(d, NO_HOST));
            }
            default -> {}
        }
    }

    // ---- hand-over

    private void deliver(Frame frame, QueueToAgent.Transfer m) {
        HeldMessage message = messages.get(m.msgid());
        if (message == null) {
            message = new HeldMessage(m.msgid(), m.size(), m.crc32c());
        }
        takeContent(message, m.form(), m.content(), frame.fd());
        Map<UserQueue, List<Evpid>> held = new LinkedHashMap<>();
        message.use(); // stays while we look at its envelopes
        messages.put(m.msgid(), message);
        for (StoredEnvelope stored : m.envelopes()) {
            if (!inFlight.containsKey(stored.evpid())) {
                accept(stored, message, held);
            }
        }
        held.forEach(
                (user, evpids) ->
                        queue.send(0, new AgentToQueue.Hold(user.holdKey, List.copyOf(evpids))));
        leave(message);
    }

    private void takeContent(
            HeldMessage message, QueueToAgent.ContentForm form, smtpd.imsg.Content inline, int fd) {
        boolean carries =
                form == QueueToAgent.ContentForm.INLINE
                        || form == QueueToAgent.ContentForm.DESCRIPTOR;
        if (carries && message.isHere()) {
            // Twice the same: the second goes back at once.
            Fd.closeQuietly(fd);
            giveBack(fd >= 0 ? 1 : 0, fd >= 0 ? 0 : inline.length());
        } else if (form == QueueToAgent.ContentForm.INLINE) {
            message.take(inline, queueIncarnation);
        } else if (form == QueueToAgent.ContentForm.DESCRIPTOR && fd >= 0) {
            message.take(fd, queueIncarnation);
        }
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
        UserQueue user = userOf(envelope);
        if (user.isHolding()
                || user.isStuck()
                || user.pending() >= limits.intOf(Limit.MDA_TASK_HIWAT)) {
            hold(user);
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

    private UserQueue userOf(Envelope envelope) {
        EnvelopeJobs.UserKey key = jobs.user(envelope);
        UserQueue user = users.get(key);
        if (user == null) {
            user = new UserQueue(key, ids().next());
            users.put(key, user);
            lookUp(user);
            sweepUsers();
        } else if (user.isIdle() && user.isStale(System.nanoTime())) {
            user.forget();
            lookUp(user);
        }
        return user;
    }

    private void hold(UserQueue user) {
        if (!user.isHolding()) {
            user.holding(true);
            stats().increment(Stat.MDA_HELD);
            LogLine.of("mda", "hold")
                    .add("user", user.key)
                    .add("pending", user.pending())
                    .info(LOG);
        }
    }

    private void release(UserQueue user, int count) {
        if (user.isHolding()) {
            user.holding(false);
            stats().decrement(Stat.MDA_HELD);
            LogLine.of("mda", "release").add("user", user.key).info(LOG);
        }
        queue.send(0, new AgentToQueue.Release(user.holdKey, count));
    }

    // ---- users

    private void lookUp(UserQueue user) {
        long id = ids().next();
        var question = new MdaToLka.UserInfo(config.configId(), user.key.table(), user.key.name());
        if (lka.send(id, question)) {
            lookups.add(id, LOOKUP_MILLIS, EnumSet.of(Role.LKA), user);
        } else {
            waitForLka(user);
        }
    }

    private void waitForLka(UserQueue user) {
        waitingForLka.add(user);
        loop().schedule(
                        () -> {
                            if (waitingForLka.remove(user)) {
                                lookupTimedOut(user);
                            }
                        },
                        LOOKUP_MILLIS,
                        TimeUnit.MILLISECONDS);
    }

    private void lookupTimedOut(UserQueue user) {
        stats().increment(Stat.IMSG_TIMEOUT);
        noUser(user, USER_UNKNOWN_NOW);
        gauges();
    }

    private void userIs(Frame frame, LkaToMda.UserIs m) {
        UserQueue user = lookups.take(frame.id());
        if (user == null) {
            stats().increment(Stat.IMSG_LATE);
            return;
        }
        switch (m.outcome()) {
            case Outcome.Ok _ -> {
                user.known(
                        new Account(m.name(), m.uid(), m.gid(), m.home()),
                        System.nanoTime() + USER_KEPT_NANOS);
                user.each(this::prepare);
                turns.ready(user);
            }
            case Outcome.Temporary _ -> noUser(user, USER_UNKNOWN_NOW);
            case Outcome.Permanent _ -> noUser(user, NO_USER);
        }
    }

    private void noUser(UserQueue user, Verdict verdict) {
        users.remove(user.key, user);
        user.takeAll().forEach(d -> conclude(d, verdict));
    }

    private void prepare(Delivery delivery) {
        delivery.file = Targets.exclusiveFile(job(delivery));
    }

    private Job job(Delivery d) {
        return jobs.job(d.evpid.value(), d.envelope, d.method, d.user.account());
    }

    private void sweepUsers() {
        if (!sweepingUsers) {
            sweepingUsers = true;
            loop().schedule(this::forgetIdleUsers, USER_SWEEP_SECONDS, TimeUnit.SECONDS);
        }
    }

    private void forgetIdleUsers() {
        sweepingUsers = false;
        long now = System.nanoTime();
        users.values().removeIf(user -> user.isIdle() && user.isStale(now));
        if (!users.isEmpty()) {
            sweepUsers();
        }
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
            open(delivery.message);
        }
    }

    private void open(HeldMessage message) {
        long id = ids().next();
        if (queue.send(id, new AgentToQueue.OpenMessage(message.msgid()))) {
            message.asked(true);
            openings.add(id, OPEN_MILLIS, EnumSet.of(Role.QUEUE), message);
        }
    }

    private void openTimedOut(HeldMessage message) {
        stats().increment(Stat.IMSG_TIMEOUT);
        noContent(message);
        turns.run();
    }

    private void noContent(HeldMessage message) {
        message.asked(false);
        message.takeWaiting().forEach(d -> end(d, NO_CONTENT));
    }

    private void opened(Frame frame, QueueToAgent.MessageFile m) {
        HeldMessage message = openings.take(frame.id());
        boolean inline = m.form() == QueueToAgent.ContentForm.INLINE;
        if (message == null) {
            Fd.closeQuietly(frame.fd());
            stats().increment(Stat.IMSG_LATE);
            if (m.outcome().isOk()) {
                giveBack(frame.fd() >= 0 ? 1 : 0, inline ? m.content().length() : 0);
            }
            return;
        }
        if (!m.outcome().isOk() || (!inline && frame.fd() < 0)) {
            noContent(message);
            return;
        }
        takeContent(message, m.form(), m.content(), frame.fd());
        message.asked(false);
        message.takeWaiting().forEach(this::findHost);
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
        byte[] literal = NetUtil.createByteArrayFromIpAddressString(target.host());
        if (literal != null) {
            delivery.hosts = List.of(address(literal, target.port()));
            run(delivery);
            return;
        }
        long id = ids().next();
        if (lka.send(id, new Resolve(target.host(), Resolve.Kind.HOST))) {
            resolving.add(id, RESOLVE_MILLIS, EnumSet.of(Role.LKA), delivery);
        } else {
            end(delivery, NO_HOST);
        }
    }

    private static InetSocketAddress address(byte[] ip, int port) {
        try {
            return new InetSocketAddress(InetAddress.getByAddress(ip), port);
        } catch (UnknownHostException e) {
            throw new IllegalStateException(e); // four or sixteen bytes
        }
    }

    private void resolved(Frame frame, Resolved m) {
        Delivery delivery = resolving.take(frame.id());
        if (delivery == null) {
            stats().increment(Stat.IMSG_LATE);
            return;
        }
        if (m.status() != DnsStatus.OK || m.hosts().isEmpty()) {
            end(delivery, NO_HOST);
            return;
        }
        Targets.HostPort target = Targets.lmtpHost(job(delivery), (Method.Lmtp) delivery.method);
        delivery.hosts =
                m.hosts().stream().map(h -> address(h.address().ip(), target.port())).toList();
        run(delivery);
    }

    private void run(Delivery delivery) {
        Job job = job(delivery);
        Deliverer worker = deliverer;
        DeliveryLog.begun(delivery);
        sessions.execute(
                () -> {
                    Deliverer.Ended ended;
                    try {
                        ended = worker.deliver(job, delivery.message.content(), delivery.hosts);
                    } catch (InterruptedException | RuntimeException | Error e) {
                        LOG.error("event=delivery-broke evpid={}", delivery.evpid, e);
                        ended =
                                Deliverer.Ended.with(
                                        Verdict.temporary("4.3.0", "delivery broke off"));
                    }
                    Deliverer.Ended result = ended;
                    loop().execute(() -> ended(delivery, result));
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
            leave(delivery.message);
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
        leave(delivery.message);
        count(verdict);
        DeliveryLog.write(LOG, delivery, verdict, clock.instant().getEpochSecond());
        UserQueue user = delivery.user;
        if (user.isHolding() && !user.isStuck()) {
            if (user.isIdle()) {
                release(user, 0);
            } else if (user.pending() <= limits.intOf(Limit.MDA_TASK_LOWAT)) {
                release(user, limits.intOf(Limit.MDA_TASK_RELEASE));
                user.owes(true);
            }
        } else if (user.owes()) {
            // What the scheduler still holds comes by and by.
            boolean last = user.isIdle();
            user.owes(!last);
            release(user, last ? 0 : limits.intOf(Limit.MDA_TASK_RELEASE));
        }
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

    private void leave(HeldMessage message) {
        if (!message.leave()) {
            return;
        }
        messages.remove(message.msgid(), message);
        if (message.isHere() && message.generation() == queueIncarnation) {
            boolean file = message.isDescriptor();
            giveBack(file ? 1 : 0, file ? 0 : message.content().size());
        }
        message.close();
    }

    private void giveBack(int descriptors, long bytes) {
        if (descriptors > 0 || bytes > 0) {
            queue.send(0, new AgentToQueue.ContentReleased(descriptors, bytes));
        }
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
        hold(user);
        List<Delivery> waiting = user.takeAll();
        for (int from = 0; from < waiting.size(); from += MAX_LIST) {
            List<Delivery> part = waiting.subList(from, Math.min(waiting.size(), from + MAX_LIST));
            queue.send(
                    0,
                    new AgentToQueue.Hold(user.holdKey, part.stream().map(d -> d.evpid).toList()));
        }
        for (Delivery given : waiting) {
            inFlight.remove(given.evpid);
            leave(given.message);
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
                    leave(delivery.message);
                    delivery.user.stuck(-1);
                    if (!delivery.user.isStuck()) {
                        delivery.user.resume();
                        release(delivery.user, 0);
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
        users.values().forEach(user -> byKey.put(user.holdKey, user));
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
            finished();
        }
    }
}
