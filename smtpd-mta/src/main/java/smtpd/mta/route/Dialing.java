package smtpd.mta.route;

import java.net.InetSocketAddress;
import smtpd.conf.Limit;
import smtpd.conf.Limits;
import smtpd.mta.session.OutboundSession;
import smtpd.mta.session.SessionSpec;
import smtpd.stat.Stat;
import smtpd.stat.Stats;

/**
 * Decides whether a connector makes a connection now: run on a new task, an answer, a session's
 * end, a route that works again, a timer.
 */
final class Dialing {

    private static final long LIMIT_CHECK_MILLIS = 5_000;

    private final Relays relays;
    private final Outside outside;
    private final Timers timers;
    private final Stats stats;
    private final Preparation preparation;
    private final Finder finder;

    Dialing(
            Relays relays,
            Outside outside,
            Timers timers,
            Stats stats,
            Preparation preparation,
            Finder finder) {
        this.relays = relays;
        this.outside = outside;
        this.timers = timers;
        this.stats = stats;
        this.preparation = preparation;
        this.finder = finder;
    }

    void connect(Connector connector) {
        Relay relay = connector.relay;
        while (!relay.freed && !relays.isHalted()) {
            long now = timers.millis();
            if (connector.source.brokenUntil > now) {
                connector.set(Connector.Flag.ERROR_SOURCE, connector.source.brokenUntil);
            }
            connector.expire(now);
            connector.cancelTimer();
            if (connector.hasError()) {
                relays.connectorFailed(relay);
                return;
            }
            int tasks = relay.waitingTasks();
            if (tasks == 0 || relay.isAsking() || relay.startTimer != null) {
                return;
            }
            int coming = relay.connecting + relay.usefulIdle();
            int open = relay.connections;
            if (coming >= tasks || (open > 2 && open >= tasks / 2)) {
                return;
            }
            if (connector.helo == null) {
                preparation.askHelo(connector);
                return;
            }
            if (!step(connector, now)) {
                return;
            }
        }
    }

    /** True when a session was started or found and there may be more to do. */
    private boolean step(Connector connector, long now) {
        Relay relay = connector.relay;
        Limits limits = relays.limits(relay);
        connector.clearLimits();
        limit(
                connector,
                relay.domain,
                limits,
                Limit.MTA_MAX_CONN_PER_DOMAIN,
                Connector.Flag.LIMIT_DOMAIN);
        limit(
                connector,
                connector.source,
                limits,
                Limit.MTA_MAX_CONN_PER_SOURCE,
                Connector.Flag.LIMIT_SOURCE);
        limit(
                connector,
                connector,
                limits,
                Limit.MTA_MAX_CONN_PER_CONNECTOR,
                Connector.Flag.LIMIT_CONN);
        limit(connector, relay, limits, Limit.MTA_MAX_CONN_PER_RELAY, Connector.Flag.LIMIT_RELAY);
        if (connector.hasLimit()) {
            again(connector, LIMIT_CHECK_MILLIS);
            return false;
        }
        long base =
                Math.max(
                        after(relay.domain, limits, Limit.MTA_CONN_DELAY_DOMAIN),
                        Math.max(
                                after(connector.source, limits, Limit.MTA_CONN_DELAY_SOURCE),
                                after(connector, limits, Limit.MTA_CONN_DELAY_CONNECTOR)));
        Finder.Choice choice =
                finder.find(
                        connector,
                        limits,
                        relays.family(relay),
                        base,
                        limits.of(Limit.MTA_SHARE) == 1,
                        now);
        if (choice.session() != null) {
            return choice.session().serve(relay);
        }
        if (choice.route() != null) {
            start(connector, choice, limits, now);
            return true;
        }
        nothing(connector, choice, now);
        return false;
    }

    private static long after(Counted counted, Limits limits, Limit delay) {
        return counted.lastConnect + limits.of(delay) * 1000;
    }

    private static void limit(
            Connector connector, Counted counted, Limits limits, Limit limit, Connector.Flag flag) {
        if (counted.connections >= limits.of(limit)) {
            connector.set(flag, Long.MAX_VALUE);
            counted.waiting.add(connector);
        }
    }

    private void nothing(Connector connector, Finder.Choice choice, long now) {
        if (choice.sawNothing()) {
            if (relays.hasOnlyOversize(connector.relay)) {
                return;
            }
            error(
                    connector,
                    Connector.Flag.ERROR_MX,
                    connector.relay.domain.answered + Domain.MAX_AGE);
        } else if (choice.busyHost() || choice.busyRoute()) {
            if (choice.busyHost()) {
                connector.set(Connector.Flag.LIMIT_HOST, Long.MAX_VALUE);
            }
            if (choice.busyRoute()) {
                connector.set(Connector.Flag.LIMIT_ROUTE, Long.MAX_VALUE);
            }
            again(connector, Math.min(LIMIT_CHECK_MILLIS, choice.until() - now));
        } else if (choice.until() != Long.MAX_VALUE) {
            again(connector, choice.until() - now);
        } else if (choice.down().isEmpty()) {
            error(
                    connector,
                    Connector.Flag.ERROR_FAMILY,
                    connector.relay.domain.answered + Domain.MAX_AGE);
        } else {
            down(connector, choice);
        }
    }

    private void down(Connector connector, Finder.Choice choice) {
        boolean refused = true;
        long until = Long.MAX_VALUE;
        for (Route route : choice.down()) {
            refused &= route.refused;
            until = Math.min(until, route.timerAt);
            route.waiting.add(connector);
        }
        error(
                connector,
                refused ? Connector.Flag.ERROR_ROUTE_SMTP : Connector.Flag.ERROR_ROUTE_NET,
                until);
    }

    private void error(Connector connector, Connector.Flag flag, long until) {
        connector.set(flag, until);
        relays.connectorFailed(connector.relay);
    }

    private void again(Connector connector, long millis) {
        connector.cancelTimer();
        long rest = Math.max(1, millis);
        connector.timerAt = timers.millis() + rest;
        connector.timer =
                timers.after(
                        rest,
                        () -> {
                            connector.timer = null;
                            connector.clearLimits();
                            connect(connector);
                        });
    }

    private void start(Connector connector, Finder.Choice choice, Limits limits, long now) {
        Relay relay = connector.relay;
        Route route = choice.route();
        for (Counted counted : counted(connector, route)) {
            counted.opened(now);
        }
        relay.connecting++;
        preparation.askName(route.host);
        stats.increment(Stat.MTA_SESSION);
        SessionSpec spec =
                new SessionSpec(
                        outside.nextSessionId(),
                        new InetSocketAddress(route.host.address, relay.key.port()),
                        connector.source.address,
                        choice.mx().name(),
                        connector.helo,
                        relay.key.lmtp(),
                        relay.key.asHost(),
                        limits.intOf(Limit.MTA_SESSION_MAIL_MAX),
                        limits.intOf(Limit.MTA_SESSION_RCPT_MAX),
                        limits.of(Limit.MTA_SESSION_KEEPALIVE) * 1000,
                        limits.of(Limit.MTA_SESSION_TRANSACTION_DELAY) * 1000,
                        limits.intOf(Limit.MTA_MAX_FAILURES_PER_SESSION),
                        true,
                        relays.settings().timeouts());
        LiveSession live =
                new LiveSession(relays, connector, route, choice.mx().name(), spec, timers, stats);
        relay.sessions.add(live);
        Task head = relay.head();
        if (head != null) {
            relays.wantContent(head);
        }
        OutboundSession session = outside.start(spec, live);
        live.started(session);
    }

    static Counted[] counted(Connector connector, Route route) {
        return new Counted[] {
            connector.relay, connector.relay.domain, connector, connector.source, route, route.host
        };
    }
}
