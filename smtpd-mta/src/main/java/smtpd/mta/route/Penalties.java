package smtpd.mta.route;

import java.util.Collection;
import java.util.List;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import smtpd.log.LogLine;

/** Routes that failed: put aside, tried again with care, forgiven step by step. */
final class Penalties {

    private static final Logger LOG = LoggerFactory.getLogger(Penalties.class);

    private final Book book;
    private final Timers timers;
    private final Consumer<Connector> serves;

    /**
     * @param serves told of each connector that waited for a route which may be tried again
     */
    Penalties(Book book, Timers timers, Consumer<Connector> serves) {
        this.book = book;
        this.timers = timers;
        this.serves = serves;
    }

    /** Puts a route aside; it is tried again, with one connection, when the time is over. */
    void disable(Route route, int penalty, boolean refused) {
        route.penalty = Math.min(Route.MAX_PENALTY, route.penalty + penalty);
        route.refused = refused;
        route.disabled = true;
        long aside = Route.asideMillis(route.penalty);
        arm(route, aside);
        LogLine.of("mta", "route-disabled")
                .add("route", route.id)
                .add("source", route.source.text())
                .add("host", Source.text(route.host.address))
                .add("for_s", aside / 1000)
                .add("penalty", route.penalty)
                .quoted("reason", route.lastText)
                .info(LOG);
    }

    private void arm(Route route, long millis) {
        if (route.timer != null) {
            route.timer.cancel();
        }
        route.timerAt = timers.millis() + millis;
        route.timer = timers.after(millis, () -> decay(route));
    }

    /** The time aside is over, or a step of penalty was lived down. */
    private void decay(Route route) {
        route.timer = null;
        route.penalty = Math.max(0, route.penalty - 1);
        if (route.disabled) {
            enable(route, "");
        }
        if (route.penalty > 0) {
            arm(route, Route.asideMillis(route.penalty));
        } else {
            book.release(route);
        }
    }

    private void enable(Route route, String by) {
        route.disabled = false;
        route.isNew = true;
        route.errors = 0;
        LogLine line =
                LogLine.of("mta", "route-enabled")
                        .add("route", route.id)
                        .add("source", route.source.text())
                        .add("host", Source.text(route.host.address));
        (by.isEmpty() ? line : line.add("by", by)).info(LOG);
        List<Connector> woken = List.copyOf(route.waiting);
        route.waiting.clear();
        woken.forEach(serves);
    }

    /** {@code resume route}: as if it had never failed. 0 = all. Answers how many. */
    int forgive(long id) {
        Collection<Route> chosen =
                id == 0
                        ? List.copyOf(book.routes().values())
                        : book.routeById(id) == null ? List.of() : List.of(book.routeById(id));
        for (Route route : chosen) {
            route.penalty = 0;
            route.pausedUntil = Counted.NEVER;
            route.lastConnect = Counted.NEVER;
            route.lastDisconnect = Counted.NEVER;
            if (route.timer != null) {
                route.timer.cancel();
                route.timer = null;
            }
            enable(route, "admin");
            book.release(route);
        }
        return chosen.size();
    }
}
