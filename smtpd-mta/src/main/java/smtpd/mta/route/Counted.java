package smtpd.mta.route;

import java.util.LinkedHashSet;
import java.util.Set;

/** What connections are counted on: those open, those being opened, and when the last began. */
abstract class Counted {

    /** Long enough ago for every delay. */
    static final long NEVER = Long.MIN_VALUE / 2;

    int connections;
    long lastConnect = NEVER;
    int references;

    /** Connectors that wait for a connection of this to end. */
    final Set<Connector> waiting = new LinkedHashSet<>();

    void opened(long now) {
        connections++;
        lastConnect = now;
    }
}
