package smtpd.mta.route;

import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import smtpd.conf.Limit;
import smtpd.conf.Limits;
import smtpd.conf.Listener;
import smtpd.conf.MtaLimits;
import smtpd.log.LogLine;
import smtpd.mta.session.Reason;
import smtpd.mta.session.Result;
import smtpd.mta.session.Timeouts;
import smtpd.stat.Stat;
import smtpd.stat.Stats;

/** The relays and their tasks: arrival, hold and release, failure, end. */
public final class Relays implements Preparation.Ready {

    private static final Logger LOG = LoggerFactory.getLogger(Relays.class);
    private static final int MAX_MOVES = 5;
    private static final long SOON_MILLIS = 1_000;

    /**
     * What the configuration says.
     *
     * @param ours true for an address and port that we listen on
     */
    public record Settings(
            long configId,
            String serverName,
            MtaLimits limits,
            int maxDeferred,
            Predicate<InetSocketAddress> ours,
            Timeouts timeouts) {}

    private final Outside outside;
    private final Timers timers;
    private final Stats stats;
    private final Results results;
    private final Book book;
    private final Preparation preparation;
    private final Dialing dialing;
    private final Penalties penalties;
    private final Map<RelayKey, Relay> relays = new HashMap<>();
    private final TreeMap<Long, Relay> relaysById = new TreeMap<>();
    private final Set<LiveSession> sessions = new LinkedHashSet<>();
    private final Set<Relay> touched = new LinkedHashSet<>();
    private Settings settings;
    private long lastRelayId;
    private boolean stopping;

    public Relays(Outside outside, Timers timers, Stats stats, Random random) {
        this.outside = outside;
        this.timers = timers;
        this.stats = stats;
        this.results = new Results(outside, timers, stats);
        this.book = new Book(timers, stats);
        this.preparation = new Preparation(this, outside, timers, stats, book, random);
        this.penalties = new Penalties(book, timers, this::serves);
        Finder finder = new Finder(book::route, this::isOurs);
        this.dialing = new Dialing(this, outside, timers, stats, preparation, finder);
    }

    /** A new configuration; what runs goes on, limits count at once. */
    public void configure(Settings now) {
        boolean first = settings == null;
        settings = now;
        if (first) {
            results.remember(now.maxDeferred());
        }
        for (Relay relay : new ArrayList<>(relays.values())) {
            connectAll(relay);
        }
    }

    @Override
    public Settings settings() {
        return settings;
    }

    Limits limits(Relay relay) {
        return settings.limits().towards(relay.key.domain(), relay.key.asHost());
    }

    Listener.Family family(Relay relay) {
        return settings.limits().familyTowards(relay.key.domain());
    }

    /** True when no task is to be begun: the end is near, or results cannot be told for long. */
    boolean isHalted() {
        return stopping || outside.isFull();
    }

    /** Results are being taken again. */
    public void goOn() {
        for (Relay relay : new ArrayList<>(relays.values())) {
            preparedAgain(relay);
        }
    }

    // -- arrival

    /** Takes an envelope. */
    public void add(RelayKey key, Task.Key what, Letter letter) {
        Relay relay = relays.computeIfAbsent(key, this::newRelay);
        relay.releasing = false;
        if (relay.failedUntil > timers.millis()) {
            if (what.others().isEmpty()) {
                results.answer(new Task(relay, what), List.of(letter), relay.failure);
            } else {
                add(what.others().getFirst(), what.next(), letter);
            }
            return;
        }
        touched.add(relay);
        Task task = relay.joinable(what);
        if (task == null) {
            if (isFull(relay)) {
                relay.hasHeld = true;
                outside.hold(relay.id, List.of(letter.evpid()));
                return;
            }
            task = new Task(relay, what);
            task.letters().add(letter);
            relay.add(task);
            what.message().tasks().add(task);
            stats.increment(Stat.MTA_TASK);
        } else {
            task.letters().add(letter);
        }
        stats.increment(Stat.MTA_ENVELOPE);
    }

    private boolean isFull(Relay relay) {
        if (relay.onHold) {
            return true;
        }
        if (relay.tasks() < limits(relay).of(Limit.MTA_TASK_HIWAT)) {
            return false;
        }
        relay.onHold = true;
        LogLine.of("mta", "hold")
                .add("relay", relay.key.text())
                .add("count", relay.tasks())
                .info(LOG);
        return true;
    }

    /** All that {@link #add} brought is here: go. */
    public void begin() {
        while (!touched.isEmpty()) {
            Relay relay = touched.iterator().next();
            touched.remove(relay);
            if (relay.waitingTasks() == 0) {
                freeIfDone(relay);
            } else {
                preparation.prepare(relay);
            }
        }
    }

    private Relay newRelay(RelayKey key) {
        Domain domain = book.domain(new Domain.Key(key.domain(), key.asHost()));
        domain.references++;
        Relay relay = new Relay(key, ++lastRelayId, domain);
        relaysById.put(relay.id, relay);
        stats.increment(Stat.MTA_RELAY);
        return relay;
    }

    @Override
    public void ready(Relay relay) {
        if (relay.freed || relay.waitingTasks() == 0) {
            freeIfDone(relay);
            return;
        }
        Result unreachable = Reach.against(relay, this::isOurs);
        if (unreachable != null) {
            failed(relay, unreachable);
            return;
        }
        preparedAgain(relay);
    }

    /** Idle sessions first, then new ones. */
    private void preparedAgain(Relay relay) {
        for (LiveSession session : List.copyOf(relay.sessions)) {
            if (relay.waitingTasks() == 0) {
                return;
            }
            session.wake();
        }
        connectAll(relay);
    }

    private boolean isOurs(Relay relay, Domain.Mx mx) {
        return settings.ours().test(new InetSocketAddress(mx.host().address, relay.key.port()));
    }

    // -- connections

    void connectAll(Relay relay) {
        for (Connector connector : List.copyOf(relay.connectors)) {
            connect(connector);
        }
    }

    @Override
    public void connect(Connector connector) {
        dialing.connect(connector);
        freeIfDone(connector.relay);
    }

    void opened(LiveSession session) {
        sessions.add(session);
    }

    /** A session is gone: those who waited for room look again. */
    void ended(LiveSession session, Connector connector, Route route) {
        sessions.remove(session);
        Relay relay = connector.relay;
        relay.sessions.remove(session);
        Set<Connector> woken = new LinkedHashSet<>();
        for (Counted counted : Dialing.counted(connector, route)) {
            counted.connections--;
            woken.addAll(counted.waiting);
            counted.waiting.clear();
        }
        woken.addAll(relay.connectors);
        woken.forEach(this::connect);
        book.release(route);
        freeIfDone(relay);
        outside.sessionEnded();
    }

    /** Room has come up on this route. */
    void wakeWaiting(Route route) {
        List<Connector> woken = List.copyOf(route.waiting);
        route.waiting.clear();
        woken.forEach(this::connect);
    }

    /** Puts a route aside; it is tried again, with one connection, when the time is over. */
    void disable(Route route, int penalty, boolean refused) {
        penalties.disable(route, penalty, refused);
    }

    /** A route of this connector serves again. */
    void serves(Connector connector) {
        connector.clear(Connector.Flag.ERROR_ROUTE_NET);
        connector.clear(Connector.Flag.ERROR_ROUTE_SMTP);
        recovered(connector.relay);
        connect(connector);
    }

    private void recovered(Relay relay) {
        relay.failedUntil = Counted.NEVER;
        if (relay.failureTimer != null) {
            relay.failureTimer.cancel();
            relay.failureTimer = null;
        }
    }

    /** {@code resume route}: as if it had never failed. 0 = all. Answers how many. */
    public int enableRoute(long id) {
        return penalties.forgive(id);
    }

    /** A session of this relay ended before it could take mail: the head has moved once. */
    void moved(Relay relay, String text, Reason reason) {
        Task head = relay.head();
        if (head != null && head.moved() > MAX_MOVES) {
            relay.remove(head);
            results.finish(head, Result.deferred(reason, text));
        }
    }

    /** The machine is short of descriptors: says nothing about anybody, so wait a second. */
    void startLater(Relay relay) {
        if (relay.startTimer == null) {
            relay.startTimer =
                    timers.after(
                            SOON_MILLIS,
                            () -> {
                                relay.startTimer = null;
                                connectAll(relay);
                            });
        }
    }

    // -- failure

    /** A connector has an error; the relay fails when all have. */
    void connectorFailed(Relay relay) {
        if (relay.waitingTasks() == 0 || relay.connecting > 0) {
            return;
        }
        for (Connector connector : relay.connectors) {
            if (!connector.hasError()) {
                return;
            }
        }
        failed(relay, NoRoute.result(relay, book));
    }

    @Override
    public void failed(Relay relay, Result result) {
        boolean deferred = result.kind() == Result.Kind.DEFERRED;
        boolean routes = NoRoute.isForWantOfHost(result);
        LogLine.of("mta", "relay-failed")
                .add("relay", relay.key.text())
                .add("count", relay.waitingTasks())
                .quoted("reason", result.text())
                .info(LOG);
        for (Task task : relay.waitingList()) {
            relay.remove(task);
            if (deferred && !task.key().others().isEmpty()) {
                moveOn(task);
                continue;
            }
            if (routes) {
                results.remember(task);
            }
            results.finish(task, result);
        }
        if (relay.hasHeld) {
            relay.hasHeld = false;
            outside.release(relay.id, -1);
        }
        relay.onHold = false;
        if (deferred) {
            relay.failure = result;
            rest(relay, NoRoute.rest(relay, book, timers.millis()));
        }
        freeIfDone(relay);
        begin();
    }

    /** The next host of the administrator's list, in the same attempt. */
    private void moveOn(Task task) {
        List<Letter> letters = new ArrayList<>(task.letters());
        task.letters().clear();
        stats.add(Stat.MTA_ENVELOPE, -letters.size());
        stats.increment(Stat.MTA_FALLBACK_HOST);
        Task.Key key = task.key().next();
        for (Letter letter : letters) {
            add(task.key().others().getFirst(), key, letter);
        }
        results.forget(task);
    }

    /** Longer than by itself: the configuration needs mending. */
    void failFor(Relay relay, Result result, long millis) {
        failed(relay, result);
        rest(relay, millis);
    }

    /** What comes meanwhile fails like what is there. */
    private void rest(Relay relay, long millis) {
        relay.failedUntil = timers.millis() + millis;
        if (relay.failureTimer != null) {
            relay.failureTimer.cancel();
        }
        relay.failureTimer =
                timers.after(
                        millis,
                        () -> {
                            relay.failureTimer = null;
                            relay.failedUntil = Counted.NEVER;
                            freeIfDone(relay);
                        });
    }

    // -- tasks

    void wantContent(Task task) {
        Message message = task.message();
        if (message.content() == null && !message.isWanted()) {
            message.wanted(true);
            outside.contentWanted(message);
        }
    }

    /** The content has come. */
    public void contentArrived(Message message) {
        for (Task task : List.copyOf(message.tasks())) {
            Relay relay = task.relay();
            for (LiveSession session : List.copyOf(relay.sessions)) {
                session.wake();
            }
            connectAll(relay);
        }
    }

    /** The content cannot be sent: its tasks get this result. */
    public void contentUnusable(Message message, Result result) {
        message.wanted(false);
        for (Task task : List.copyOf(message.tasks())) {
            if (!task.isRunning()) {
                Relay relay = task.relay();
                relay.remove(task);
                results.finish(task, result);
                freeIfDone(relay);
            }
        }
    }

    /** A task is taken: below low water more may come. */
    void taken(Relay relay) {
        stats.increment(Stat.MTA_TASK_RUNNING);
        int waiting = relay.waitingTasks();
        Limits limits = limits(relay);
        if (!relay.hasHeld || waiting > limits.of(Limit.MTA_TASK_LOWAT)) {
            return;
        }
        if (relay.onHold) {
            relay.onHold = false;
            LogLine.of("mta", "release")
                    .add("relay", relay.key.text())
                    .add("count", waiting)
                    .info(LOG);
        }
        if (waiting == 0) {
            outside.release(relay.id, 0);
        } else if (!relay.releasing) {
            relay.releasing = true;
            outside.release(relay.id, limits.intOf(Limit.MTA_TASK_RELEASE));
        }
    }

    void putBack(Task task) {
        stats.decrement(Stat.MTA_TASK_RUNNING);
        task.relay().putBack(task);
    }

    /** A running task has all its results. */
    void done(Task task) {
        stats.decrement(Stat.MTA_TASK_RUNNING);
        task.relay().running--;
        results.forget(task);
    }

    void result(Outside.Outcome outcome) {
        results.tell(outcome);
    }

    /** Too big for this host; permanent when it is so for every host there is. */
    void tooBig(Task task, Host host, String hostName, long limit) {
        task.tooBigAt(host, limit);
        putBack(task);
        Relay relay = task.relay();
        for (Domain.Mx mx : relay.domain.hosts) {
            if (!task.isTooBigAt(mx.host())) {
                timers.after(0, () -> connectAll(relay));
                return;
            }
        }
        if (relay.domain.incomplete) {
            return;
        }
        relay.remove(task);
        results.finish(
                task,
                Result.failed(
                        "552 5.3.4 Message size "
                                + task.message().wireSize()
                                + " exceeds limit "
                                + limit
                                + " of "
                                + hostName));
    }

    boolean hasOnlyOversize(Relay relay) {
        for (Domain.Mx mx : relay.domain.hosts) {
            if (!relay.isUseless(mx.host())) {
                return false;
            }
        }
        return !relay.domain.hosts.isEmpty() && !relay.domain.incomplete;
    }

    // -- end

    void freeIfDone(Relay relay) {
        if (relay.freed
                || relay.tasks() > 0
                || !relay.sessions.isEmpty()
                || relay.isAsking()
                || relay.questions > 0
                || relay.failureTimer != null
                || relay.startTimer != null) {
            return;
        }
        relay.freed = true;
        relays.remove(relay.key, relay);
        relaysById.remove(relay.id);
        stats.decrement(Stat.MTA_RELAY);
        Set<Route> touched = new LinkedHashSet<>();
        for (Connector connector : relay.connectors) {
            connector.cancelTimer();
            for (Domain.Mx mx : relay.domain.hosts) {
                mx.host().waiting.remove(connector);
                touched.add(book.route(connector.source, mx.host()));
            }
            connector.source.waiting.remove(connector);
            relay.domain.waiting.remove(connector);
            stats.decrement(Stat.MTA_CONNECTOR);
        }
        for (Route route : touched) {
            route.waiting.removeIf(connector -> connector.relay == relay);
            book.release(route);
        }
        relay.connectors.forEach(connector -> book.release(connector.source));
        if (relay.hasHeld) {
            outside.release(relay.id, 0);
        }
        book.release(relay.domain);
    }

    /** Ends: open transactions are finished, nothing else begins. */
    public void stop() {
        stopping = true;
        List.copyOf(sessions).forEach(LiveSession::stop);
    }

    /** Time is up: whatever still runs is deferred. */
    public void abort() {
        List.copyOf(sessions).forEach(LiveSession::abort);
    }

    public boolean hasSessions() {
        return !sessions.isEmpty();
    }

    // -- views

    Collection<Relay> relaysFrom(long id) {
        return relaysById.tailMap(id, false).values();
    }

    Collection<Route> routesFrom(long id) {
        return book.routes().tailMap(id, false).values();
    }

    Collection<Host> hosts() {
        return book.allHosts();
    }

    /** Rows of {@code show routes|hosts|relays}; kind and fields. */
    public Views views() {
        return new Views(this);
    }

    /** What hold keys stand for, the unknown left out. */
    public Map<Long, String> holdNames(List<Long> keys) {
        Map<Long, String> names = new LinkedHashMap<>();
        for (long key : keys) {
            Relay relay = relaysById.get(key);
            if (relay != null) {
                names.put(key, relay.key.text());
            }
        }
        return names;
    }

    long millis() {
        return timers.millis();
    }
}
