package smtpd.mta.route;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import smtpd.imsg.DnsStatus;
import smtpd.imsg.LkaToMta;
import smtpd.imsg.MtaToLka;
import smtpd.imsg.Resolve;
import smtpd.imsg.Resolved;
import smtpd.imsg.ReverseLookup;
import smtpd.imsg.ReverseName;
import smtpd.imsg.SocketAddr;
import smtpd.log.LogLine;
import smtpd.mta.session.Reason;
import smtpd.mta.session.Result;
import smtpd.stat.Stat;
import smtpd.stat.Stats;

/**
 * What a relay must know before it connects: mail hosts, the place of a backup among them, local
 * addresses, names to greet with. Asked all at once; who asks the same waits for one answer.
 */
final class Preparation {

    private static final Logger LOG = LoggerFactory.getLogger(Preparation.class);
    static final long SOURCE_BROKEN_MILLIS = 600_000;
    private static final String NO_LOOKUP = "451 4.3.0 Look-up service not available";

    /** Who is told. */
    interface Ready {
        /** Nothing is missing any more. */
        void ready(Relay relay);

        void failed(Relay relay, Result result);

        void connect(Connector connector);

        Relays.Settings settings();
    }

    private final Ready ready;
    private final Outside outside;
    private final Timers timers;
    private final Stats stats;
    private final Book book;
    private final Random random;

    Preparation(
            Ready ready, Outside outside, Timers timers, Stats stats, Book book, Random random) {
        this.ready = ready;
        this.outside = outside;
        this.timers = timers;
        this.stats = stats;
        this.book = book;
        this.random = random;
    }

    /** Asks what is missing and goes on when nothing is. */
    void prepare(Relay relay) {
        if (relay.key.tlsDemanded()) {
            // A demanded level is never lowered.
            ready.failed(
                    relay,
                    Result.deferred(
                            Reason.TLS_FAILED,
                            "451 4.7.4 TLS required for relaying, but not available"));
            return;
        }
        if (!relay.key.label().isEmpty()) {
            ready.failed(
                    relay,
                    Result.deferred(Reason.AUTH_FAILED, "451 4.3.5 No auth table for relaying"));
            return;
        }
        if (!relay.domain.isFresh(timers.millis()) && !relay.askingMx) {
            askMx(relay);
        }
        if (!relay.key.backup().isEmpty() && !relay.hasPreference && !relay.askingPreference) {
            askPreference(relay);
        }
        if (!relay.hasSources && !relay.askingSources) {
            askSources(relay);
        }
        done(relay);
    }

    private void done(Relay relay) {
        if (!relay.isAsking()) {
            ready.ready(relay);
        }
    }

    private void askMx(Relay relay) {
        Domain domain = relay.domain;
        if (relay.key.asHost() && isLiteral(domain)) {
            return;
        }
        relay.askingMx = true;
        domain.askers.add(relay);
        if (domain.asking) {
            return;
        }
        domain.asking = true;
        Resolve.Kind kind = relay.key.asHost() ? Resolve.Kind.HOST : Resolve.Kind.MX;
        outside.ask(new Resolve(domain.key.name(), kind), answer -> resolved(domain, answer));
    }

    /** An address in brackets needs no question; one that makes no sense is lka's to judge. */
    private boolean isLiteral(Domain domain) {
        String name = domain.key.name();
        if (!name.startsWith("[") || !name.endsWith("]")) {
            return false;
        }
        String inside = name.substring(1, name.length() - 1);
        InetAddress address;
        try {
            address =
                    InetAddress.ofLiteral(
                            inside.startsWith("ipv6:") ? inside.substring(5) : inside);
        } catch (IllegalArgumentException e) {
            return false;
        }
        domain.status = DnsStatus.OK;
        domain.incomplete = false;
        domain.answered = timers.millis();
        book.hosts(domain, List.of(new Domain.Mx(-1, name, book.host(address))));
        return true;
    }

    /** For those who look at routes; nothing waits for it. */
    void askName(Host host) {
        if (host.nameAsked) {
            return;
        }
        host.nameAsked = true;
        outside.ask(
                new ReverseLookup(SocketAddr.of(host.address, 0)),
                answer -> {
                    if (answer instanceof ReverseName is && is.forwardConfirmed()) {
                        host.name = is.name();
                    }
                });
    }

    private void resolved(Domain domain, LkaToMta answer) {
        domain.asking = false;
        List<Relay> askers = List.copyOf(domain.askers);
        domain.askers.clear();
        if (answer instanceof Resolved resolved) {
            take(domain, resolved);
        }
        for (Relay relay : askers) {
            relay.askingMx = false;
            if (answer == null) {
                ready.failed(relay, Result.deferred(Reason.DNS_TEMPFAIL, NO_LOOKUP));
                continue;
            }
            for (Connector connector : relay.connectors) {
                connector.clear(Connector.Flag.ERROR_MX);
                connector.clear(Connector.Flag.ERROR_FAMILY);
            }
            done(relay);
        }
    }

    private void take(Domain domain, Resolved resolved) {
        domain.status = resolved.status();
        domain.incomplete = resolved.incomplete();
        if (resolved.status() != DnsStatus.OK) {
            domain.answered = Counted.NEVER;
            return;
        }
        domain.answered = timers.millis();
        List<Resolved.MxHost> shuffled = new ArrayList<>(resolved.hosts());
        // Inside one preference in an order of this process's own, so that several spread.
        Collections.shuffle(shuffled, random);
        shuffled.sort(Comparator.comparingInt(Resolved.MxHost::preference));
        List<Domain.Mx> list = new ArrayList<>(shuffled.size());
        for (Resolved.MxHost mx : shuffled) {
            list.add(
                    new Domain.Mx(
                            mx.preference(), mx.host(), book.host(mx.address().toInetAddress())));
        }
        book.hosts(domain, list);
    }

    private void askPreference(Relay relay) {
        relay.askingPreference = true;
        outside.ask(
                new MtaToLka.MxPreference(relay.key.domain(), relay.key.backup()),
                answer -> {
                    relay.askingPreference = false;
                    if (answer instanceof LkaToMta.MxPreferenceIs is
                            && is.status() == DnsStatus.OK) {
                        relay.hasPreference = true;
                        relay.backupPreference =
                                is.preference() < 0 ? Integer.MAX_VALUE : is.preference();
                        done(relay);
                    } else {
                        // Taken for "not listed", a backup MX would send the mail to itself.
                        ready.failed(
                                relay,
                                Result.deferred(
                                        Reason.DNS_TEMPFAIL,
                                        "451 4.4.3 Cannot find backup preference"));
                    }
                });
    }

    private void askSources(Relay relay) {
        if (relay.key.sourceTable().isEmpty()) {
            addConnector(relay, book.source(null));
            relay.hasSources = true;
            return;
        }
        relay.askingSources = true;
        outside.ask(
                new MtaToLka.SourceAddress(ready.settings().configId(), relay.key.sourceTable()),
                answer -> {
                    relay.askingSources = false;
                    if (answer instanceof LkaToMta.SourcesAre are
                            && are.outcome().isOk()
                            && !are.sources().isEmpty()) {
                        relay.hasSources = true;
                        List<SocketAddr> list = new ArrayList<>(are.sources());
                        // Each relay rotates for itself: a shared rotation may hand one relay the
                        // same unfit address every time.
                        Collections.rotate(list, -random.nextInt(list.size()));
                        for (SocketAddr address : list) {
                            addConnector(relay, book.source(address.toInetAddress()));
                        }
                        done(relay);
                    } else {
                        ready.failed(
                                relay,
                                Result.deferred(
                                        Reason.LOCAL_TEMPFAIL,
                                        answer == null
                                                ? NO_LOOKUP
                                                : "451 4.3.5 Could not retrieve source address"));
                    }
                });
    }

    private void addConnector(Relay relay, Source source) {
        Connector connector = new Connector(relay, source);
        source.references++;
        relay.connectors.add(connector);
        stats.increment(Stat.MTA_CONNECTOR);
        if (relay.key.heloTable().isEmpty() || source.address == null) {
            String name = relay.key.helo();
            connector.helo = name.isEmpty() ? ready.settings().serverName() : name;
        }
    }

    /** The name for a bound source; without one that source is not used. */
    void askHelo(Connector connector) {
        if (connector.askingHelo) {
            return;
        }
        connector.askingHelo = true;
        connector.relay.questions++;
        outside.ask(
                new MtaToLka.HeloName(
                        ready.settings().configId(),
                        connector.relay.key.heloTable(),
                        SocketAddr.of(connector.source.address, 0)),
                answer -> {
                    connector.askingHelo = false;
                    connector.relay.questions--;
                    if (answer instanceof LkaToMta.HeloNameIs is
                            && is.outcome().isOk()
                            && !is.name().isEmpty()) {
                        connector.helo = is.name();
                    } else {
                        connector.set(
                                Connector.Flag.ERROR_SOURCE,
                                timers.millis() + SOURCE_BROKEN_MILLIS);
                        LogLine.of("mta", "source-unusable")
                                .add("source", connector.source.text())
                                .add("cause", "helo")
                                .warn(LOG);
                    }
                    ready.connect(connector);
                });
    }
}
