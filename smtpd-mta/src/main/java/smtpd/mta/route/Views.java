package smtpd.mta.route;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * What {@code smtpctl show routes|hosts|relays} prints, as rows of fields; it formats the lines.
 */
public final class Views {

    /** Rows of one answer. */
    public static final int PAGE = 256;

    /**
     * @param last key of the last row, 0 when no more follow
     */
    public record Page(List<List<String>> rows, long last) {}

    private final Relays relays;

    Views(Relays relays) {
        this.relays = relays;
    }

    /**
     * id, route text, flags, nconn, nerror, penalty, seconds until the timer or -, window, seconds
     * of a pause or -.
     */
    public Page routes(long from) {
        List<List<String>> rows = new ArrayList<>();
        long last = 0;
        for (Route route : relays.routesFrom(from)) {
            if (rows.size() == PAGE) {
                return new Page(rows, last);
            }
            last = route.id;
            rows.add(
                    List.of(
                            Long.toString(route.id),
                            route.text(),
                            flags(route),
                            Integer.toString(route.connections),
                            Integer.toString(route.errors),
                            Integer.toString(route.penalty),
                            route.timer == null ? "-" : until(route.timerAt),
                            Integer.toString(route.window()),
                            route.pausedUntil > relays.millis() ? until(route.pausedUntil) : "-"));
        }
        return new Page(rows, 0);
    }

    private static String flags(Route route) {
        return (route.isNew ? "N" : "-")
                + (route.disabled ? "D" : "-")
                + (route.timer != null ? "Q" : "-")
                + (route.idle.isEmpty() ? "-" : "K");
    }

    /** address, name or -, refcount, nconn, seconds since the last connection or -. */
    public Page hosts(long from) {
        List<Host> all = new ArrayList<>(relays.hosts());
        all.sort(Comparator.comparing(host -> host.address.getHostAddress()));
        List<List<String>> rows = new ArrayList<>();
        int index = (int) Math.min(from, all.size());
        while (index < all.size() && rows.size() < PAGE) {
            Host host = all.get(index++);
            rows.add(
                    List.of(
                            host.address.getHostAddress(),
                            host.name.isEmpty() ? "-" : host.name,
                            Integer.toString(host.references),
                            Integer.toString(host.connections),
                            since(host.lastConnect)));
        }
        return new Page(rows, index < all.size() ? index : 0);
    }

    /**
     * A row {@code relay}: text, refcount, ntask, nconn, since the last connection, until the
     * timer, what it waits for; behind it a row {@code connector} for each: source, refcount,
     * nconn, since, until, flags.
     */
    public Page relays(long from) {
        List<List<String>> rows = new ArrayList<>();
        long last = 0;
        for (Relay relay : relays.relaysFrom(from)) {
            if (!rows.isEmpty() && rows.size() + relay.connectors.size() >= PAGE) {
                return new Page(rows, last);
            }
            last = relay.id;
            rows.add(
                    List.of(
                            "relay",
                            relay.key.text(),
                            Integer.toString(relay.tasks() + relay.sessions.size()),
                            Integer.toString(relay.tasks()),
                            Integer.toString(relay.connections),
                            since(relay.lastConnect),
                            relay.failedUntil > relays.millis() ? until(relay.failedUntil) : "-",
                            waits(relay)));
            for (Connector connector : relay.connectors) {
                rows.add(
                        List.of(
                                "connector",
                                connector.source.text(),
                                Integer.toString(connector.connections + 1),
                                Integer.toString(connector.connections),
                                since(connector.lastConnect),
                                connector.timer == null ? "-" : until(connector.timerAt),
                                connector.flagText()));
            }
        }
        return new Page(rows, 0);
    }

    private static String waits(Relay relay) {
        List<String> waits = new ArrayList<>(4);
        if (relay.askingMx) {
            waits.add("MX");
        }
        if (relay.askingPreference) {
            waits.add("preference");
        }
        if (relay.askingSources) {
            waits.add("source");
        }
        if (relay.onHold) {
            waits.add("ONHOLD");
        }
        return waits.isEmpty() ? "-" : String.join(",", waits);
    }

    private String until(long millis) {
        return Long.toString(Math.max(0, (millis - relays.millis() + 999) / 1000));
    }

    private String since(long millis) {
        return millis == Counted.NEVER
                ? "-"
                : Long.toString(Math.max(0, (relays.millis() - millis) / 1000));
    }
}
