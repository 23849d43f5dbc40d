package smtpd.mta.route;

import java.util.List;
import java.util.function.BiPredicate;
import smtpd.conf.Limit;
import smtpd.conf.Limits;
import smtpd.conf.Listener;

/**
 * Chooses the route of the next connection: hosts by preference, worse ones only when all better
 * ones are <em>unusable</em>, never because they are busy (RFC 5321 5.1).
 */
final class Finder {

    /**
     * What was found; route and session null = nothing now.
     *
     * @param session an idle session of another relay that serves as well
     * @param until when a delayed host may be used; {@link Long#MAX_VALUE} = none is delayed
     */
    record Choice(
            Route route,
            Domain.Mx mx,
            LiveSession session,
            boolean busyHost,
            boolean busyRoute,
            long until,
            boolean family,
            List<Route> down) {

        boolean sawNothing() {
            return route == null
                    && session == null
                    && !busyHost
                    && !busyRoute
                    && until == Long.MAX_VALUE
                    && !family
                    && down.isEmpty();
        }
    }

    private final BiPredicate<Relay, Domain.Mx> ours;
    private final RouteBook routes;

    interface RouteBook {
        Route route(Source source, Host host);
    }

    Finder(RouteBook routes, BiPredicate<Relay, Domain.Mx> ours) {
        this.routes = routes;
        this.ours = ours;
    }

    /**
     * @param base when the delays of domain, source and connector are over
     * @param share idle sessions of other relays may be used
     */
    Choice find(
            Connector connector,
            Limits limits,
            Listener.Family family,
            long base,
            boolean share,
            long now) {
        Relay relay = connector.relay;
        Search search = new Search(connector, limits, family, base, share, now);
        int preference = Integer.MIN_VALUE;
        for (Domain.Mx mx : relay.domain.hosts) {
            if (mx.preference() != preference) {
                if (search.isSettled()
                        || (mx.preference() >= relay.backupPreference && !relay.key.asHost())) {
                    break;
                }
                preference = mx.preference();
            }
            if (ours.test(relay, mx)) {
                if (relay.key.asHost()) {
                    continue;
                }
                // All of equal or worse preference would only send it back to us.
                break;
            }
            search.look(mx);
            if (search.session != null) {
                break;
            }
        }
        return search.choice();
    }

    private final class Search {
        private final Connector connector;
        private final Limits limits;
        private final Listener.Family family;
        private final long base;
        private final boolean share;
        private final long now;
        private Route best;
        private Domain.Mx bestMx;
        private LiveSession session;
        private boolean busyHost;
        private boolean busyRoute;
        private long until = Long.MAX_VALUE;
        private boolean otherFamily;
        private final List<Route> down = new java.util.ArrayList<>(2);

        Search(
                Connector connector,
                Limits limits,
                Listener.Family family,
                long base,
                boolean share,
                long now) {
            this.connector = connector;
            this.limits = limits;
            this.family = family;
            this.base = base;
            this.share = share;
            this.now = now;
        }

        boolean isSettled() {
            return best != null || busyHost || busyRoute || until != Long.MAX_VALUE;
        }

        void look(Domain.Mx mx) {
            Relay relay = connector.relay;
            Host host = mx.host();
            if (relay.isUseless(host)) {
                return;
            }
            if (!fits(host)) {
                otherFamily = true;
                return;
            }
            Route route = routes.route(connector.source, host);
            if (share) {
                for (LiveSession idle : route.idle) {
                    if (idle.isIdle() && idle.serves(relay, mx.name())) {
                        session = idle;
                        return;
                    }
                }
            }
            if (route.disabled) {
                down.add(route);
                return;
            }
            if (host.connections >= limits.of(Limit.MTA_MAX_CONN_PER_HOST)) {
                busyHost = true;
                host.waiting.add(connector);
                return;
            }
            int allowed =
                    route.allowed(
                            limits.intOf(Limit.MTA_MAX_CONN_PER_ROUTE),
                            limits.of(Limit.MTA_ADAPTIVE) == 1);
            if ((route.isNew && route.connections > 0) || route.connections >= allowed) {
                busyRoute = true;
                route.waiting.add(connector);
                return;
            }
            long at = readyAt(route);
            if (at > now) {
                until = Math.min(until, at);
                route.waiting.add(connector);
                return;
            }
            if (best == null || route.connections < best.connections) {
                best = route;
                bestMx = mx;
            }
        }

        private boolean fits(Host host) {
            boolean six = host.address.getAddress().length == 16;
            if (family != Listener.Family.ANY && six != (family == Listener.Family.INET6)) {
                return false;
            }
            return connector.source.address == null
                    || six == (connector.source.address.getAddress().length == 16);
        }

        private long readyAt(Route route) {
            long at = Math.max(base, route.pausedUntil);
            at = Math.max(at, after(route.host.lastConnect, Limit.MTA_CONN_DELAY_HOST, false));
            boolean well = route.isDoingWell() && !connector.relay.key.asHost();
            at = Math.max(at, after(route.lastConnect, Limit.MTA_CONN_DELAY_ROUTE, well));
            at = Math.max(at, after(connector.relay.lastConnect, Limit.MTA_CONN_DELAY_RELAY, well));
            return Math.max(at, after(route.lastDisconnect, Limit.MTA_RECONN_DELAY_ROUTE, false));
        }

        /** Delays protect hosts unknown or complaining; one that does well needs none. */
        private long after(long last, Limit delay, boolean well) {
            return well && !limits.isSet(delay) ? last : last + limits.of(delay) * 1000;
        }

        Choice choice() {
            return new Choice(
                    session == null ? best : null,
                    bestMx,
                    session,
                    busyHost,
                    busyRoute,
                    until,
                    otherFamily,
                    down);
        }
    }
}
