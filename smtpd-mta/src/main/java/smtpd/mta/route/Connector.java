package smtpd.mta.route;

import java.util.EnumMap;
import java.util.Map;

/** A relay over one source. */
final class Connector extends Counted {

    /** Why no connection is made; ERROR ones need a change, LIMIT ones time. */
    enum Flag {
        ERROR_FAMILY,
        ERROR_SOURCE,
        ERROR_MX,
        ERROR_ROUTE_NET,
        ERROR_ROUTE_SMTP,
        LIMIT_HOST,
        LIMIT_ROUTE,
        LIMIT_SOURCE,
        LIMIT_RELAY,
        LIMIT_CONN,
        LIMIT_DOMAIN;

        boolean isError() {
            return compareTo(LIMIT_HOST) < 0;
        }
    }

    final Relay relay;
    final Source source;
    private final Map<Flag, Long> flags = new EnumMap<>(Flag.class);
    Timers.Timer timer;
    long timerAt;

    /** The name to greet with; null while it is not known. */
    String helo;

    boolean askingHelo;

    Connector(Relay relay, Source source) {
        this.relay = relay;
        this.source = source;
    }

    void set(Flag flag, long until) {
        flags.put(flag, until);
    }

    boolean has(Flag flag) {
        return flags.containsKey(flag);
    }

    void clear(Flag flag) {
        flags.remove(flag);
    }

    void clearLimits() {
        flags.keySet().removeIf(flag -> !flag.isError());
    }

    void expire(long now) {
        flags.values().removeIf(until -> until <= now);
    }

    boolean hasError() {
        for (Flag flag : flags.keySet()) {
            if (flag.isError()) {
                return true;
            }
        }
        return false;
    }

    boolean hasLimit() {
        return !flags.isEmpty() && !hasError();
    }

    void cancelTimer() {
        if (timer != null) {
            timer.cancel();
            timer = null;
        }
    }

    String flagText() {
        StringBuilder text = new StringBuilder();
        for (Flag flag : flags.keySet()) {
            text.append(text.isEmpty() ? "" : ",").append(flag);
        }
        return text.toString();
    }
}
