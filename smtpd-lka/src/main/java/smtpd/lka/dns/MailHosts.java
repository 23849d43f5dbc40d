package smtpd.lka.dns;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.xbill.DNS.MXRecord;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;
import org.xbill.DNS.Type;
import smtpd.imsg.DnsStatus;
import smtpd.imsg.Resolved;
import smtpd.imsg.Resolved.MxHost;
import smtpd.imsg.SocketAddr;

/** Where mail for a domain goes (RFC 5321 5.1, RFC 7505). Belongs to the event loop. */
public final class MailHosts {

    private static final int MAX_EXCHANGES = 20;
    private static final int MAX_AT_ONCE = 8;
    private static final int NO_PREFERENCE = -1;

    private final StubResolver resolver;
    private final Addresses addresses;

    public MailHosts(StubResolver resolver, HostsFile hosts, Families families) {
        this.resolver = resolver;
        this.addresses = new Addresses(resolver, hosts, families);
    }

    /** Hosts of a mail domain, best first; hosts of one preference stand in the server's order. */
    public void mx(String domain, Consumer<Resolved> then) {
        if (answerLiteral(domain, false, then)) {
            return;
        }
        Optional<Name> name = DomainName.parse(domain);
        if (name.isEmpty()) {
            then.accept(nothing(DnsStatus.INVALID));
            return;
        }
        resolver.ask(
                new Question(name.get(), Type.MX), answer -> exchanges(name.get(), answer, then));
    }

    /** Addresses of a host that the configuration or a relay URL names; no MX. */
    public void host(String host, Consumer<Resolved> then) {
        if (answerLiteral(host, true, then)) {
            return;
        }
        Optional<Name> name = DomainName.parse(host);
        if (name.isEmpty()) {
            then.accept(nothing(DnsStatus.INVALID));
            return;
        }
        addresses.askWithHosts(name.get(), found -> then.accept(hostResult(name.get(), found)));
    }

    /**
     * Our place among the exchangers of a domain.
     *
     * @param then status, and the preference, or -1 when we are not among them
     */
    public void preference(String domain, String ownName, BiConsumer<DnsStatus, Integer> then) {
        Optional<Name> name = DomainName.parse(domain);
        Optional<Name> own = DomainName.parse(ownName);
        if (name.isEmpty() || own.isEmpty()) {
            then.accept(DnsStatus.INVALID, NO_PREFERENCE);
            return;
        }
        resolver.ask(
                new Question(name.get(), Type.MX),
                answer -> {
                    switch (answer.status()) {
                        case OK -> then.accept(DnsStatus.OK, preferenceOf(own.get(), answer));
                        case NO_NAME -> then.accept(DnsStatus.NO_NAME, NO_PREFERENCE);
                        case NO_DATA, NOT_IMPLEMENTED ->
                                then.accept(DnsStatus.NOT_FOUND, NO_PREFERENCE);
                        case FAILED -> then.accept(DnsStatus.RETRY, NO_PREFERENCE);
                    }
                });
    }

    private static int preferenceOf(Name own, Answer answer) {
        int best = NO_PREFERENCE;
        for (Record record : answer.records()) {
            MXRecord mx = (MXRecord) record;
            if (mx.getTarget().equals(own) && (best < 0 || mx.getPriority() < best)) {
                best = mx.getPriority();
            }
        }
        return best;
    }

    private static boolean answerLiteral(String text, boolean bare, Consumer<Resolved> then) {
        Optional<SocketAddr> literal = Addresses.literal(text, bare);
        if (literal.isPresent()) {
            MxHost host = new MxHost(NO_PREFERENCE, literal.get(), text, false);
            then.accept(new Resolved(DnsStatus.OK, List.of(host), false));
        } else if (text.startsWith("[")) {
            then.accept(nothing(DnsStatus.INVALID));
        } else {
            return false;
        }
        return true;
    }

    private void exchanges(Name domain, Answer answer, Consumer<Resolved> then) {
        switch (answer.status()) {
            case FAILED -> then.accept(nothing(DnsStatus.RETRY));
            case NO_NAME -> then.accept(nothing(DnsStatus.NO_NAME));
            case NO_DATA, NOT_IMPLEMENTED -> {
                // RFC 5321 5.1: only a clear "no MX" makes the domain its own exchanger.
                List<Exchange> self = List.of(new Exchange(0, domain));
                new Hosts(self, answer.secure(), then).start();
            }
            case OK -> {
                List<Exchange> best = best(answer);
                if (best.isEmpty()) {
                    then.accept(nothing(DnsStatus.NULL_MX));
                } else {
                    new Hosts(best, answer.secure(), then).start();
                }
            }
        }
    }

    /** The best exchangers, a null one dropped (RFC 7505 3); empty: the domain takes no mail. */
    private static List<Exchange> best(Answer answer) {
        List<Exchange> found = new ArrayList<>(answer.records().size());
        for (Record record : answer.records()) {
            MXRecord mx = (MXRecord) record;
            if (!mx.getTarget().equals(Name.root)) {
                found.add(new Exchange(mx.getPriority(), mx.getTarget()));
            }
        }
        found.sort(Comparator.comparingInt(Exchange::preference));
        return found.size() <= MAX_EXCHANGES ? found : found.subList(0, MAX_EXCHANGES);
    }

    private static Resolved hostResult(Name name, Addresses.Found found) {
        DnsStatus status =
                switch (found.status()) {
                    case OK -> DnsStatus.OK;
                    case NOT_FOUND -> DnsStatus.NOT_FOUND;
                    case NO_NAME -> DnsStatus.NO_NAME;
                    case RETRY -> DnsStatus.RETRY;
                };
        List<MxHost> hosts = new ArrayList<>(found.addresses().size());
        for (SocketAddr address : found.addresses()) {
            hosts.add(new MxHost(NO_PREFERENCE, address, DomainName.text(name), found.secure()));
        }
        return new Resolved(status, hosts, found.incomplete());
    }

    private static Resolved nothing(DnsStatus status) {
        return new Resolved(status, List.of(), false);
    }

    private record Exchange(int preference, Name name) {}

    /** The addresses of all exchangers of one domain, a few asked at a time. */
    private final class Hosts {

        private final List<Exchange> exchanges;
        private final boolean secure;
        private final Consumer<Resolved> then;
        private final Addresses.Found[] found;
        private int next;
        private int open;
        private boolean finished;

        Hosts(List<Exchange> exchanges, boolean secure, Consumer<Resolved> then) {
            this.exchanges = exchanges;
            this.secure = secure;
            this.then = then;
            this.found = new Addresses.Found[exchanges.size()];
        }

        void start() {
            askMore();
            finishWhenComplete();
        }

        /** Kept answers come back before {@code ask} returns, so this may enter itself. */
        private void askMore() {
            while (next < exchanges.size() && open < MAX_AT_ONCE) {
                int index = next++;
                Name name = exchanges.get(index).name();
                Optional<SocketAddr> literal = Addresses.literal(DomainName.text(name), true);
                if (literal.isPresent()) {
                    found[index] =
                            new Addresses.Found(
                                    Addresses.Status.OK, List.of(literal.get()), secure, false);
                } else {
                    open++;
                    addresses.ask(name, result -> taken(index, result));
                }
            }
        }

        private void taken(int index, Addresses.Found result) {
            found[index] = result;
            open--;
            askMore();
            finishWhenComplete();
        }

        private void finishWhenComplete() {
            if (open == 0 && next == exchanges.size() && !finished) {
                finished = true;
                then.accept(result());
            }
        }

        private Resolved result() {
            List<MxHost> hosts = new ArrayList<>();
            Set<SocketAddr> seen = new HashSet<>();
            boolean retry = false;
            for (int i = 0; i < found.length; i++) {
                Exchange exchange = exchanges.get(i);
                retry |= found[i].status() == Addresses.Status.RETRY || found[i].incomplete();
                for (SocketAddr address : found[i].addresses()) {
                    if (seen.add(address)) {
                        hosts.add(
                                new MxHost(
                                        exchange.preference(),
                                        address,
                                        DomainName.text(exchange.name()),
                                        secure && found[i].secure()));
                    }
                }
            }
            if (!hosts.isEmpty()) {
                return new Resolved(DnsStatus.OK, hosts, retry);
            }
            return nothing(retry ? DnsStatus.RETRY : DnsStatus.NOT_FOUND);
        }
    }
}
