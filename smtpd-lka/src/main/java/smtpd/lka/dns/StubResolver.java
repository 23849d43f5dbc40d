package smtpd.lka.dns;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.SimpleResolver;
import org.xbill.DNS.Type;
import smtpd.log.LogLine;

/**
 * Asks name servers one question each, by UDP and, when the answer was cut, by TCP. The same
 * question of several askers is sent once. Belongs to the event loop.
 */
public final class StubResolver {

    private static final Logger LOG = LoggerFactory.getLogger(StubResolver.class);

    /** What fits a UDP datagram on every path (DNS flag day 2020). */
    private static final int EDNS_PAYLOAD = 1232;

    private static final int MAX_IN_FLIGHT = 4096;

    /**
     * How long a server is waited for.
     *
     * @param perTry one server, one time
     * @param total after this no further try is made
     * @param tries over all servers
     */
    public record Patience(Duration perTry, Duration total, int tries) {

        public static final Patience DEFAULT =
                new Patience(Duration.ofSeconds(5), Duration.ofSeconds(15), 3);
    }

    private final NameServers servers;
    private final Patience patience;
    private final Executor loop;
    private final LongSupplier nanoTime;
    private final Meter meter;
    private final AnswerCache cache;
    private final Map<Question, Flight> flights = new HashMap<>();
    private final Map<InetSocketAddress, SimpleResolver> withEdns = new HashMap<>();
    private final Map<InetSocketAddress, SimpleResolver> plain = new HashMap<>();
    private List<InetSocketAddress> known = List.of();
    private int preferred;

    public StubResolver(
            NameServers servers,
            Patience patience,
            Executor loop,
            LongSupplier nanoTime,
            Meter meter) {
        this.servers = servers;
        this.patience = patience;
        this.loop = loop;
        this.nanoTime = nanoTime;
        this.meter = meter;
        this.cache = new AnswerCache(AnswerCache.MAX_ENTRIES, nanoTime);
    }

    /**
     * Asks, on the loop.
     *
     * @param then called on the loop, before this returns when the answer is known already
     */
    public void ask(Question question, Consumer<Answer> then) {
        Answer kept = cache.get(question);
        if (kept != null) {
            meter.fromCache();
            then.accept(kept);
            return;
        }
        Flight flight = flights.get(question);
        if (flight != null) {
            flight.askers.add(then);
            return;
        }
        if (flights.size() >= MAX_IN_FLIGHT) {
            then.accept(Answer.empty(Answer.Status.FAILED, false, 0));
            return;
        }
        flight = new Flight(question);
        flight.askers.add(then);
        flights.put(question, flight);
        flight.tryNext();
    }

    /** Questions sent and not yet answered. */
    public int inFlight() {
        return flights.size();
    }

    /** Answers kept. */
    public int cached() {
        return cache.size();
    }

    /** Forgets all answers. */
    public void clear() {
        cache.clear();
    }

    private SimpleResolver resolver(InetSocketAddress server, boolean edns) {
        if (!known.equals(servers.current())) {
            known = servers.current();
            withEdns.clear();
            plain.clear();
            preferred = 0;
        }
        return (edns ? withEdns : plain)
                .computeIfAbsent(
                        server,
                        address -> {
                            SimpleResolver made = new SimpleResolver(address);
                            made.setTimeout(patience.perTry());
                            if (edns) {
                                made.setEDNS(0, EDNS_PAYLOAD, 0, List.of());
                            } else {
                                made.setEDNS(null);
                            }
                            return made;
                        });
    }

    /** One question on its way, from server to server until one answers. */
    private final class Flight {

        final Question question;
        final List<Consumer<Answer>> askers = new ArrayList<>(1);
        final long startedNanos = nanoTime.getAsLong();
        final List<InetSocketAddress> list = servers.current();
        final int first = list.size() > preferred ? preferred : 0;
        int tries;
        boolean edns = true;

        Flight(Question question) {
            this.question = question;
        }

        InetSocketAddress server() {
            return list.get((first + tries) % list.size());
        }

        void tryNext() {
            Message query =
                    Message.newQuery(Record.newRecord(question.name(), question.type(), DClass.IN));
            // RFC 6840 5.7: asks a validating server to say whether it validated.
            query.getHeader().setFlag(Flags.AD);
            InetSocketAddress server = server();
            meter.sent();
            resolver(server, edns)
                    .sendAsync(query, loop)
                    .whenComplete(
                            (reply, problem) ->
                                    loop.execute(() -> answered(server, reply, problem)));
        }

        void answered(InetSocketAddress server, Message reply, Throwable problem) {
            if (problem != null) {
                failed(server, problem.getMessage());
                return;
            }
            int rcode = reply.getRcode();
            if (edns && (rcode == Rcode.FORMERR || rcode == Rcode.NOTIMP)) {
                // RFC 6891 7: an old server that does not know EDNS is asked without.
                edns = false;
                tryNext();
                return;
            }
            switch (rcode) {
                case Rcode.NOERROR, Rcode.NXDOMAIN -> {
                    Answer answer = AnswerReader.read(question, reply, isTrusted(server));
                    if (answer.status() == Answer.Status.FAILED) {
                        failed(server, "alias loop or foreign data");
                    } else {
                        preferred = (first + tries) % list.size();
                        finish(answer);
                    }
                }
                case Rcode.NOTIMP -> finish(Answer.empty(Answer.Status.NOT_IMPLEMENTED, false, 0));
                default -> failed(server, Rcode.string(rcode));
            }
        }

        void failed(InetSocketAddress server, String why) {
            tries++;
            edns = true;
            long elapsed = nanoTime.getAsLong() - startedNanos;
            if (tries < patience.tries() && elapsed < patience.total().toNanos()) {
                tryNext();
                return;
            }
            LogLine.of("lka", "dns")
                    .add("q", Type.string(question.type()))
                    .add("name", DomainName.text(question.name()))
                    .add("result", "retry")
                    .add("ms", TimeUnit.NANOSECONDS.toMillis(elapsed))
                    .add("server", server.getAddress().getHostAddress())
                    .add("why", why)
                    .info(LOG);
            meter.failed();
            finish(Answer.empty(Answer.Status.FAILED, false, 0));
        }

        void finish(Answer answer) {
            flights.remove(question);
            cache.put(question, answer);
            for (Consumer<Answer> asker : askers) {
                asker.accept(answer);
            }
        }

        /** An answer's AD bit counts only when nobody can have set it on the way. */
        private boolean isTrusted(InetSocketAddress server) {
            return server.getAddress().isLoopbackAddress();
        }
    }
}
