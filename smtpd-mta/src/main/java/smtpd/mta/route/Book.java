package smtpd.mta.route;

import java.net.InetAddress;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import smtpd.stat.Stat;
import smtpd.stat.Stats;

/** Every domain, host, source and route there is; what nothing refers to is forgotten. */
final class Book {

    /** A route that did something worth remembering is looked at again after this time. */
    private static final long ROUTE_MEMORY_MILLIS = 601_000;

    private record RouteKey(Source source, Host host) {}

    private final Timers timers;
    private final Stats stats;
    private final Map<Domain.Key, Domain> domains = new HashMap<>();
    private final Map<InetAddress, Source> sources = new HashMap<>();
    private final Source system = new Source(null);
    private final Map<InetAddress, Host> hosts = new HashMap<>();
    private final Map<RouteKey, Route> routes = new HashMap<>();
    private final TreeMap<Long, Route> routesById = new TreeMap<>();
    private long lastRouteId;

    Book(Timers timers, Stats stats) {
        this.timers = timers;
        this.stats = stats;
    }

    Domain domain(Domain.Key key) {
        return domains.computeIfAbsent(
                key,
                made -> {
                    stats.increment(Stat.MTA_DOMAIN);
                    return new Domain(made);
                });
    }

    /** The mail hosts of a domain, as they were just told. */
    void hosts(Domain domain, List<Domain.Mx> list) {
        list.forEach(mx -> mx.host().references++);
        List<Domain.Mx> old = domain.hosts;
        domain.hosts = List.copyOf(list);
        old.forEach(mx -> mx.host().references--);
        old.forEach(mx -> forget(mx.host()));
    }

    /** A relay of it is gone. */
    void release(Domain domain) {
        domain.references--;
        if (domain.references == 0) {
            long rest = domain.answered + Domain.MAX_AGE - timers.millis();
            if (rest > 0) {
                timers.after(rest, () -> forget(domain));
            } else {
                forget(domain);
            }
        }
    }

    private void forget(Domain domain) {
        if (domain.references == 0
                && !domain.asking
                && !domain.isFresh(timers.millis())
                && domains.remove(domain.key, domain)) {
            stats.decrement(Stat.MTA_DOMAIN);
            hosts(domain, List.of());
        }
    }

    /**
     * @param address null = the system chooses
     */
    Source source(InetAddress address) {
        if (address == null) {
            return system;
        }
        return sources.computeIfAbsent(
                address,
                made -> {
                    stats.increment(Stat.MTA_SOURCE);
                    return new Source(made);
                });
    }

    void release(Source source) {
        source.references--;
        forget(source);
    }

    private void forget(Source source) {
        if (source.references > 0 || source.connections > 0 || source.address == null) {
            return;
        }
        long rest = source.brokenUntil - timers.millis();
        if (rest > 0) {
            timers.after(rest, () -> forget(source));
        } else if (sources.remove(source.address, source)) {
            stats.decrement(Stat.MTA_SOURCE);
        }
    }

    Host host(InetAddress address) {
        return hosts.computeIfAbsent(
                address,
                made -> {
                    stats.increment(Stat.MTA_HOST);
                    return new Host(made);
                });
    }

    void forget(Host host) {
        if (host.references == 0 && host.connections == 0 && hosts.remove(host.address, host)) {
            stats.decrement(Stat.MTA_HOST);
        }
    }

    Route route(Source source, Host host) {
        return routes.computeIfAbsent(
                new RouteKey(source, host),
                _ -> {
                    Route route = new Route(++lastRouteId, source, host);
                    source.references++;
                    host.references++;
                    routesById.put(route.id, route);
                    stats.increment(Stat.MTA_ROUTE);
                    return route;
                });
    }

    /** Forgets a route now, or when there is nothing to remember of it any more. */
    void release(Route route) {
        if (route.timer != null || routesById.get(route.id) != route) {
            return;
        }
        if (!route.isForgettable(timers.millis())) {
            if (route.connections == 0) {
                route.timerAt = timers.millis() + ROUTE_MEMORY_MILLIS;
                route.timer =
                        timers.after(
                                ROUTE_MEMORY_MILLIS,
                                () -> {
                                    route.timer = null;
                                    release(route);
                                });
            }
            return;
        }
        routes.remove(new RouteKey(route.source, route.host));
        routesById.remove(route.id);
        stats.decrement(Stat.MTA_ROUTE);
        route.host.references--;
        forget(route.host);
        release(route.source);
    }

    Route routeById(long id) {
        return routesById.get(id);
    }

    NavigableMap<Long, Route> routes() {
        return routesById;
    }

    Collection<Host> allHosts() {
        return hosts.values();
    }
}
