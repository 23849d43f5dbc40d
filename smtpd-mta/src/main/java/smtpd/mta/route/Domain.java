package smtpd.mta.route;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import smtpd.imsg.DnsStatus;

/** A destination name and its mail hosts; the list is asked again when older than 5 minutes. */
final class Domain extends Counted {

    static final long MAX_AGE = 300_000;

    /**
     * One mail host.
     *
     * @param preference lower is better; -1 for a host given by name
     */
    record Mx(int preference, String name, Host host) {}

    /** Name, and whether it is a host's. */
    record Key(String name, boolean asHost) {}

    final Key key;
    final List<Relay> askers = new ArrayList<>();
    List<Mx> hosts = List.of();
    DnsStatus status = DnsStatus.OK;
    boolean incomplete;
    boolean asking;
    long answered = Long.MIN_VALUE / 2;

    Domain(Key key) {
        this.key = key;
    }

    boolean isFresh(long now) {
        return now - answered < MAX_AGE;
    }

    boolean has(InetAddress address) {
        return hosts.stream().anyMatch(mx -> mx.host().address.equals(address));
    }
}
