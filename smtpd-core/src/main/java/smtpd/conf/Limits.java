package smtpd.conf;

import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;

/** The limits in force: what was set, and the defaults for the rest. Immutable. */
public final class Limits {

    private static final Limit[] ALL = Limit.values();

    /**
     * A relay with a host of its own: its admin wants speed, politeness is that host's business.
     */
    private static final Map<Limit, Long> AS_HOST =
            Map.of(
                    Limit.MTA_MAX_CONN_PER_HOST, 20L,
                    Limit.MTA_MAX_CONN_PER_ROUTE, 20L,
                    Limit.MTA_CONN_DELAY_ROUTE, 0L,
                    Limit.MTA_CONN_DELAY_RELAY, 0L,
                    Limit.MTA_RECONN_DELAY_ROUTE, 0L,
                    Limit.MTA_SESSION_MAIL_MAX, 1000L);

    /** Nothing set. */
    public static final Limits DEFAULT = new Limits(Map.of());

    private final EnumMap<Limit, Long> explicit = new EnumMap<>(Limit.class);
    private final long[] values = new long[ALL.length];

    Limits(Map<Limit, Long> explicit) {
        this(explicit, Map.of());
    }

    private Limits(Map<Limit, Long> explicit, Map<Limit, Long> defaults) {
        this.explicit.putAll(explicit);
        for (Limit limit : ALL) {
            Long set = explicit.getOrDefault(limit, defaults.get(limit));
            values[limit.ordinal()] = set != null ? set : limit.byDefault();
        }
    }

    /** The value in its own unit. */
    public long of(Limit limit) {
        return values[limit.ordinal()];
    }

    /** The value, for limits whose range fits an int: all of them. */
    public int intOf(Limit limit) {
        return Math.toIntExact(values[limit.ordinal()]);
    }

    public Duration duration(Limit limit) {
        return Duration.ofSeconds(of(limit));
    }

    /** True when the configuration names it. */
    public boolean isSet(Limit limit) {
        return explicit.containsKey(limit);
    }

    /** What the configuration set, without defaults. */
    public Map<Limit, Long> explicit() {
        return Map.copyOf(explicit);
    }

    /** These limits for relays that name their host: explicit ones stay, the others are faster. */
    public Limits asHost() {
        return new Limits(explicit, AS_HOST);
    }

    /** These limits where {@code narrow} says nothing else. */
    Limits overlaidWith(Limits narrow) {
        EnumMap<Limit, Long> both = new EnumMap<>(explicit);
        both.putAll(narrow.explicit);
        return new Limits(both);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Limits limits && explicit.equals(limits.explicit);
    }

    @Override
    public int hashCode() {
        return explicit.hashCode();
    }

    @Override
    public String toString() {
        return explicit.toString();
    }
}
