package smtpd.lka.dns;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import org.xbill.DNS.AAAARecord;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;
import org.xbill.DNS.Type;
import smtpd.imsg.SocketAddr;
import smtpd.table.Netaddr;

/** Addresses of one host: A and AAAA asked side by side. */
final class Addresses {

    static final int MAX_PER_HOST = 20;

    /** How it ended. */
    enum Status {
        OK,
        NOT_FOUND,
        NO_NAME,
        /** Some question had no answer, and nothing else was found. */
        RETRY
    }

    /**
     * @param incomplete addresses were found, but one family could not be asked
     */
    record Found(Status status, List<SocketAddr> addresses, boolean secure, boolean incomplete) {}

    private final StubResolver resolver;
    private final HostsFile hosts;
    private final Families families;

    Addresses(StubResolver resolver, HostsFile hosts, Families families) {
        this.resolver = resolver;
        this.hosts = hosts;
        this.families = families;
    }

    /** {@code [192.0.2.1]}, {@code [IPv6:2001:db8::1]}; with {@code bare} also without brackets. */
    static Optional<SocketAddr> literal(String text, boolean bare) {
        boolean bracketed = text.startsWith("[") && text.endsWith("]");
        return bracketed || bare
                ? Netaddr.parseAddress(text).map(Addresses::toSocketAddr)
                : Optional.empty();
    }

    private static SocketAddr toSocketAddr(Netaddr address) {
        return new SocketAddr(address.toBytes(), 0, 0);
    }

    /** As {@link #ask}, with the hosts file first. */
    void askWithHosts(Name name, Consumer<Found> then) {
        List<Netaddr> listed = hosts.addresses(DomainName.text(name).toLowerCase(Locale.ROOT));
        List<SocketAddr> usable = new ArrayList<>(listed.size());
        for (Netaddr address : listed) {
            usable.add(toSocketAddr(address));
        }
        if (usable.isEmpty()) {
            ask(name, then);
        } else {
            then.accept(new Found(Status.OK, usable, false, false));
        }
    }

    /** Asks the DNS; IPv6 first, in the order the server gave. */
    void ask(Name name, Consumer<Found> then) {
        Pair pair = new Pair(then);
        pair.open = (families.ipv4() ? 1 : 0) + (families.ipv6() ? 1 : 0);
        if (families.ipv6()) {
            resolver.ask(new Question(name, Type.AAAA), pair::six);
        }
        if (families.ipv4()) {
            resolver.ask(new Question(name, Type.A), pair::four);
        }
    }

    /** One family alone. */
    void ask(Name name, boolean ipv4, Consumer<Found> then) {
        Pair pair = new Pair(then);
        pair.open = 1;
        resolver.ask(new Question(name, ipv4 ? Type.A : Type.AAAA), ipv4 ? pair::four : pair::six);
    }

    private static final class Pair {

        private final Consumer<Found> then;
        private int open;
        private Answer four;
        private Answer six;

        Pair(Consumer<Found> then) {
            this.then = then;
        }

        void four(Answer answer) {
            four = answer;
            done();
        }

        void six(Answer answer) {
            six = answer;
            done();
        }

        private void done() {
            if (--open == 0) {
                then.accept(merge());
            }
        }

        private Found merge() {
            List<SocketAddr> addresses = new ArrayList<>();
            add(six, addresses);
            add(four, addresses);
            boolean failed = isFailed(six) || isFailed(four);
            boolean secure = (six == null || six.secure()) && (four == null || four.secure());
            if (!addresses.isEmpty()) {
                return new Found(Status.OK, List.copyOf(addresses), secure, failed);
            }
            if (failed) {
                return new Found(Status.RETRY, List.of(), false, false);
            }
            boolean noName = isNoName(six) || isNoName(four);
            return new Found(noName ? Status.NO_NAME : Status.NOT_FOUND, List.of(), secure, false);
        }

        private static boolean isFailed(Answer answer) {
            return answer != null && answer.status() == Answer.Status.FAILED;
        }

        private static boolean isNoName(Answer answer) {
            return answer != null && answer.status() == Answer.Status.NO_NAME;
        }

        private static void add(Answer answer, List<SocketAddr> addresses) {
            if (answer == null) {
                return;
            }
            for (Record record : answer.records()) {
                InetAddress address =
                        switch (record) {
                            case ARecord a -> a.getAddress();
                            case AAAARecord a -> a.getAddress();
                            default -> null;
                        };
                if (address != null && addresses.size() < MAX_PER_HOST) {
                    addresses.add(new SocketAddr(address.getAddress(), 0, 0));
                }
            }
        }
    }
}
