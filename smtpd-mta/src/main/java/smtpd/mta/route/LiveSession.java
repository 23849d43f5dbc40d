package smtpd.mta.route;

import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import smtpd.conf.Limit;
import smtpd.log.LogLine;
import smtpd.mta.session.Mail;
import smtpd.mta.session.OutboundSession;
import smtpd.mta.session.Phase;
import smtpd.mta.session.Reason;
import smtpd.mta.session.Recipient;
import smtpd.mta.session.Reply;
import smtpd.mta.session.Result;
import smtpd.mta.session.SessionEnd;
import smtpd.mta.session.SessionEvents;
import smtpd.mta.session.SessionSpec;
import smtpd.mta.session.Transaction;
import smtpd.stat.Stat;
import smtpd.stat.Stats;

/**
 * A session of a relay on a route: hands it the relay's tasks, then those of other relays that the
 * same connection serves, and turns what it tells into results and into what is known of the route.
 */
final class LiveSession implements SessionEvents {

    private static final Logger LOG = LoggerFactory.getLogger(LiveSession.class);
    private static final long AUTH_PAUSE_MILLIS = 300_000;
    private static final int MAX_ERRORS = 4;

    final Route route;
    private final Relays relays;
    private final Connector connector;
    private final String mxName;
    private final SessionSpec spec;
    private final Timers timers;
    private final Stats stats;
    private final long startedAt;
    private OutboundSession session;
    private Relay guest;
    private boolean ready;
    private boolean closed;

    LiveSession(
            Relays relays,
            Connector connector,
            Route route,
            String mxName,
            SessionSpec spec,
            Timers timers,
            Stats stats) {
        this.relays = relays;
        this.connector = connector;
        this.route = route;
        this.mxName = mxName;
        this.spec = spec;
        this.timers = timers;
        this.stats = stats;
        this.startedAt = timers.millis();
    }

    void started(OutboundSession made) {
        session = made;
        relays.opened(this);
        LogLine.of(spec.id(), "mta", "connecting")
                .add("address", (spec.lmtp() ? "lmtp://" : "smtp://") + address())
                .add("host", mxName)
                .add("relay", connector.relay.key.domain())
                .add("source", route.source.text())
                .add("route", route.id)
                .info(LOG);
    }

    private String address() {
        return Source.text(spec.remote().getAddress()) + ":" + spec.remote().getPort();
    }

    boolean isIdle() {
        return ready && !closed && session.isIdle();
    }

    void wake() {
        if (isIdle()) {
            session.wake();
        }
    }

    void stop() {
        session.stop();
    }

    void abort() {
        session.abort();
    }

    /** True when a mail of this relay may ride on this connection. */
    boolean serves(Relay relay, String name) {
        return relay == connector.relay
                || (name.equalsIgnoreCase(mxName) && connector.relay.key.sharesWith(relay.key));
    }

    /** An idle session takes a task of this relay; false when it could not. */
    boolean serve(Relay relay) {
        guest = relay;
        int before = relay.waitingTasks();
        session.wake();
        guest = null;
        return relay.waitingTasks() < before;
    }

    @Override
    public void connected(OutboundSession s) {
        LogLine.of(spec.id(), "mta", "connected").info(LOG);
    }

    @Override
    public void ready(OutboundSession s) {
        ready = true;
        connector.relay.connecting--;
        route.ready++;
        boolean wasNew = route.isNew;
        route.becameReady();
        if (wasNew) {
            relays.wakeWaiting(route);
            // Its own relay may have more than one connection's work; not inside this call.
            timers.after(0, () -> relays.connectAll(connector.relay));
        }
    }

    @Override
    public Transaction next(OutboundSession s) {
        route.idle.remove(this);
        Task task = take(guest != null ? guest : connector.relay);
        if (task == null) {
            task = takeOther();
        }
        if (task == null) {
            route.idle.add(this);
            return null;
        }
        relays.taken(task.relay());
        Task following = task.relay().head();
        if (following != null) {
            relays.wantContent(following);
        }
        return transaction(task);
    }

    private Task take(Relay relay) {
        if (relays.isHalted()) {
            return null;
        }
        Task task =
                relay.take(
                        candidate ->
                                candidate.message().content() != null
                                        && !candidate.isTooBigAt(route.host));
        if (task == null && relay.head() != null) {
            relays.wantContent(relay.head());
        }
        return task;
    }

    /** The connection serves other domains with the same mail host, the longest waiting first. */
    private Task takeOther() {
        if (relays.limits(connector.relay).of(Limit.MTA_SHARE) == 0) {
            return null;
        }
        for (Connector waiting : route.waiting) {
            Relay relay = waiting.relay;
            if (relay != connector.relay
                    && relay.waitingTasks() > 0
                    && relays.limits(relay).of(Limit.MTA_SHARE) == 1
                    && connector.relay.key.sharesWith(relay.key)
                    && names(relay)) {
                Task task = take(relay);
                if (task != null) {
                    return task;
                }
            }
        }
        return null;
    }

    private boolean names(Relay relay) {
        for (Domain.Mx mx : relay.domain.hosts) {
            if (mx.host() == route.host && mx.name().equalsIgnoreCase(mxName)) {
                return true;
            }
        }
        return false;
    }

    private Transaction transaction(Task task) {
        List<Recipient> recipients = new ArrayList<>();
        int limit = session.recipientLimit();
        String domain = null;
        for (Letter letter : task.letters()) {
            if (recipients.size() == limit) {
                break;
            }
            if (session.extensions().oneDomain()) {
                if (domain != null && !domain.equals(letter.domain())) {
                    continue;
                }
                domain = letter.domain();
            }
            recipients.add(
                    new Recipient(
                            letter.evpid().value(),
                            letter.dest(),
                            letter.dsnNotify(),
                            letter.orcpt()));
        }
        Task.Key key = task.key();
        Mail mail =
                new Mail(
                        key.sender(),
                        task.message().wireSize(),
                        key.eightBit(),
                        key.utf8(),
                        key.ret(),
                        key.envid(),
                        task.message().content());
        return new Transaction(mail, recipients, task, !task.isReturned());
    }

    @Override
    public void finished(OutboundSession s, Transaction transaction, Finish how) {
        Task task = (Task) transaction.owner();
        switch (how) {
            case TOO_BIG ->
                    relays.tooBig(task, route.host, spec.peer(), session.extensions().size());
            case RETURNED -> {
                task.returned(true);
                relays.putBack(task);
            }
            case ANSWERED -> judged(task, transaction);
        }
    }

    private void judged(Task task, Transaction transaction) {
        Map<Long, Result> results = new LinkedHashMap<>();
        for (int i = 0; i < transaction.recipients().size(); i++) {
            Result result = transaction.result(i);
            if (result != null) {
                results.put(transaction.recipients().get(i).evpid(), result);
            }
        }
        Map<Result, List<Letter>> groups = new LinkedHashMap<>();
        List<Letter> rest = new ArrayList<>(0);
        for (Letter letter : task.letters()) {
            Result result = results.get(letter.evpid().value());
            if (result == null) {
                rest.add(letter);
            } else {
                groups.computeIfAbsent(result, _ -> new ArrayList<>()).add(letter);
            }
        }
        task.letters().clear();
        task.letters().addAll(rest);
        boolean delivered = false;
        boolean putOff = false;
        for (Map.Entry<Result, List<Letter>> group : groups.entrySet()) {
            Result result = group.getKey();
            delivered |= result.kind() == Result.Kind.DELIVERED;
            putOff |= learn(result);
            if (result.sent()) {
                stats.add(Stat.MTA_DUPLICATE_POSSIBLE, group.getValue().size());
            }
            relays.result(
                    new Outside.Outcome(
                            task,
                            group.getValue(),
                            result,
                            spec,
                            session.extensions().dsn(),
                            sourceText()));
        }
        if (delivered) {
            stats.add(Stat.MTA_BYTES, transaction.mail().size());
            route.accepted(
                    relays.limits(connector.relay).intOf(Limit.MTA_MAX_CONN_PER_ROUTE),
                    timers.millis());
        }
        if (putOff) {
            route.complained(timers.millis());
        }
        if (rest.isEmpty()) {
            relays.done(task);
        } else {
            relays.putBack(task);
        }
    }

    /** What a refusal says about the route; true when it counts as a complaint. */
    private boolean learn(Result result) {
        if (result.kind() != Result.Kind.DEFERRED) {
            return false;
        }
        long now = timers.millis();
        switch (result.reason()) {
            case GREYLISTED, LOCAL_TEMPFAIL, AUTH_FAILED -> {
                return false;
            }
            case RATE_LIMITED -> {
                route.pause(now);
                halve(now);
            }
            case REMOTE_4XX -> {
                if (result.esc().equals("4.3.2") || result.text().startsWith("421")) {
                    halve(now);
                }
            }
            default -> {}
        }
        return true;
    }

    private void halve(long now) {
        if (route.halve(now)) {
            stats.increment(Stat.MTA_WINDOW_HALVED);
        }
    }

    private String sourceText() {
        InetSocketAddress local = session.localAddress();
        return local == null || local.getAddress() == null
                ? ""
                : local.getAddress().getHostAddress();
    }

    @Override
    public void authenticationWanted(OutboundSession s, Reply reply) {
        relays.failFor(
                connector.relay,
                Result.deferred(
                        Reason.AUTH_FAILED, "451 4.7.0 Authentication required: " + reply.text()),
                AUTH_PAUSE_MILLIS);
    }

    @Override
    public void contentFixed(OutboundSession s, Transaction transaction, int count) {
        Task task = (Task) transaction.owner();
        stats.add(Stat.MTA_CONTENT_FIXED, count);
        LogLine.of(spec.id(), "mta", "content-fixed")
                .msgid("msgid", task.message().id().value())
                .add("bytes", count)
                .info(LOG);
    }

    @Override
    public void closed(OutboundSession s, SessionEnd end) {
        closed = true;
        stats.decrement(Stat.MTA_SESSION);
        route.idle.remove(this);
        if (ready) {
            route.ready--;
        } else {
            connector.relay.connecting--;
        }
        log(end);
        long now = timers.millis();
        if (end.cause() != SessionEnd.Cause.QUIT && end.cause() != SessionEnd.Cause.IDLE) {
            route.lastDisconnect = now;
        }
        if (end.wasReady()) {
            endedAfterReady(end, now);
        } else {
            endedBeforeReady(end, now);
        }
        relays.ended(this, connector, route);
    }

    private void endedBeforeReady(SessionEnd end, long now) {
        Relay relay = connector.relay;
        switch (end.cause()) {
            case STOPPED -> {}
            case RESOURCE -> relays.startLater(relay);
            case SOURCE -> {
                route.source.brokenUntil = now + Preparation.SOURCE_BROKEN_MILLIS;
                LogLine.of("mta", "source-unusable")
                        .add("source", route.source.text())
                        .quoted("cause", end.text())
                        .warn(LOG);
                if (route.source.address == null) {
                    // The system's own choice failed: no source to blame, so the route is.
                    route.source.brokenUntil = Counted.NEVER;
                    failedEarly(end, now);
                }
            }
            default -> failedEarly(end, now);
        }
    }

    private void failedEarly(SessionEnd end, long now) {
        // The delay between connections spares a host that answers; the next host is another.
        connector.relay.lastConnect = Counted.NEVER;
        route.lastText = end.text();
        route.lastRefusal = end.reply();
        boolean refused = end.reply() != null;
        Reason reason =
                refused
                        ? Reason.BANNER_REJECT
                        : end.phase() != Phase.CONNECT
                                ? Reason.IO_ERROR
                                : end.cause() == SessionEnd.Cause.TIMEOUT
                                        ? Reason.CONNECT_TIMEOUT
                                        : Reason.CONNECT_REFUSED;
        if (end.cause() == SessionEnd.Cause.TIMEOUT || (refused && end.reply().isTemporary())) {
            halve(now);
        }
        if (route.isNew) {
            relays.disable(route, 1, refused);
        } else {
            error(now);
        }
        relays.moved(connector.relay, end.text(), reason);
    }

    private void endedAfterReady(SessionEnd end, long now) {
        switch (end.cause()) {
            case NETWORK, GARBAGE -> error(now);
            case TIMEOUT -> {
                halve(now);
                error(now);
            }
            case REFUSED -> {
                route.lastText = end.text();
                halve(now);
            }
            case REJECTS_ALL -> {
                LogLine.of(spec.id(), "mta", "host-rejects-all-mails")
                        .add("relay", connector.relay.key.domain())
                        .add("host", spec.peer())
                        .warn(LOG);
                route.lastText = end.text();
                if (end.reply() != null && end.reply().isTemporary() && !route.disabled) {
                    relays.disable(route, 1, true);
                }
            }
            default -> {}
        }
    }

    /** More than four session errors since the last success put the route aside. */
    private void error(long now) {
        if (++route.errors > MAX_ERRORS && !route.disabled) {
            relays.disable(route, 2, true);
        }
        route.complained(now);
    }

    private void log(SessionEnd end) {
        long duration = timers.millis() - startedAt;
        if (!end.text().isEmpty() && end.cause() != SessionEnd.Cause.STOPPED) {
            LogLine.of(spec.id(), "mta", "error")
                    .quoted("reason", end.text())
                    .add("phase", end.phase().label())
                    .info(LOG);
        }
        LogLine.of(spec.id(), "mta", "disconnected")
                .add("reason", reason(end.cause()))
                .add("messages", end.mails())
                .add("duration_ms", duration)
                .info(LOG);
    }

    private static String reason(SessionEnd.Cause cause) {
        return switch (cause) {
            case QUIT, TOO_MANY_FAILURES, REJECTS_ALL -> "quit";
            case IDLE -> "idle-lost";
            case TIMEOUT -> "timeout";
            case STOPPED -> "shutdown";
            default -> "error";
        };
    }
}
