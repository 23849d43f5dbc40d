package smtpd.mta.route;

import static org.awaitility.Awaitility.await;

import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import smtpd.conf.ConfigBundle;
import smtpd.conf.ConfigParser;
import smtpd.conf.Instance;
import smtpd.conf.MtaLimits;
import smtpd.envelope.Evpid;
import smtpd.envelope.Msgid;
import smtpd.imsg.DnsStatus;
import smtpd.imsg.LkaToMta;
import smtpd.imsg.MtaToLka;
import smtpd.imsg.Resolve;
import smtpd.imsg.Resolved;
import smtpd.imsg.SocketAddr;
import smtpd.mta.session.Content;
import smtpd.mta.session.OutboundSession;
import smtpd.mta.session.Result;
import smtpd.mta.session.SessionEvents;
import smtpd.mta.session.SessionSpec;
import smtpd.mta.session.Timeouts;
import smtpd.stat.Stat;
import smtpd.stat.Stats;

/** The routing with real sessions to real sinks, and a DNS and a clock that the test owns. */
final class World implements Outside, Timers, AutoCloseable {

    static final String HELO = "client.test";
    private static final List<Stat> GAUGES =
            List.of(
                    Stat.MTA_SESSION,
                    Stat.MTA_ENVELOPE,
                    Stat.MTA_TASK,
                    Stat.MTA_TASK_RUNNING,
                    Stat.MTA_RELAY,
                    Stat.MTA_CONNECTOR,
                    Stat.MTA_ROUTE,
                    Stat.MTA_HOST,
                    Stat.MTA_DOMAIN,
                    Stat.MTA_SOURCE);

    private final EventLoopGroup group =
            new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    final EventLoop loop = group.next();
    private final ExecutorService files = Executors.newSingleThreadExecutor();
    final Stats stats = new Stats(loop, _ -> true);
    final Relays relays = new Relays(this, this, stats, new Random(1));
    final List<Outcome> outcomes = new CopyOnWriteArrayList<>();
    final List<Evpid> held = new CopyOnWriteArrayList<>();
    final List<Integer> releases = new CopyOnWriteArrayList<>();
    final List<Evpid> again = new CopyOnWriteArrayList<>();
    final List<MtaToLka> questions = new CopyOnWriteArrayList<>();
    final Map<String, Resolved> dns = new HashMap<>();
    final Map<String, List<SocketAddr>> sources = new HashMap<>();
    final Map<String, String> helos = new HashMap<>();
    final Set<InetSocketAddress> ours = new HashSet<>();
    final List<SessionSpec> started = new CopyOnWriteArrayList<>();
    final List<Message> contentWanted = new CopyOnWriteArrayList<>();
    final List<Message> contentDone = new CopyOnWriteArrayList<>();
    LkaToMta preference = new LkaToMta.MxPreferenceIs(DnsStatus.OK, -1);
    int port;
    private final Timeouts timeouts;
    volatile boolean full;
    private int lastId;
    private long lastSid;

    private long now = 1_000_000;
    private long order;
    private final TreeMap<Long, Runnable> alarms = new TreeMap<>();

    World(int port) {
        this(port, new Timeouts(1000, 2000, 2000, 2000, 2000, 2000, 2000, 2000, 2000, 500));
    }

    World(int port, Timeouts timeouts) {
        this.port = port;
        this.timeouts = timeouts;
        configure(MtaLimits.DEFAULT);
    }

    void configure(MtaLimits limits) {
        configure(new Relays.Settings(1, HELO, limits, 100, ours::contains, timeouts));
    }

    /** With these lines of a configuration. */
    void limits(String lines) {
        try {
            configure(
                    ConfigParser.parse(
                                    ConfigBundle.ofText(
                                            1,
                                            Instance.system(),
                                            HELO,
                                            "smtpd.conf",
                                            lines + "accept for any relay\n"))
                            .mtaLimits());
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    void configure(Relays.Settings settings) {
        on(
                () -> {
                    relays.configure(settings);
                    return null;
                });
    }

    <T> T on(Callable<T> work) {
        try {
            return loop.submit(work).get(20, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    // -- the daemon

    static Resolved.MxHost mx(int preference, String address) {
        return new Resolved.MxHost(
                preference,
                SocketAddr.of(InetAddress.ofLiteral(address), 0),
                "mx-" + address.replace('.', '-').replace(':', '-') + ".test",
                false);
    }

    World mx(String domain, Resolved.MxHost... hosts) {
        dns.put(domain, new Resolved(DnsStatus.OK, List.of(hosts), false));
        return this;
    }

    RelayKey key(String domain) {
        return key(domain, false, "", "", "");
    }

    RelayKey host(String name) {
        return key(name, true, "", "", "");
    }

    RelayKey key(
            String domain, boolean asHost, String sourceTable, String heloTable, String backup) {
        return new RelayKey(
                domain,
                asHost,
                port,
                false,
                "smtp+notls",
                "",
                "",
                "",
                "",
                sourceTable,
                heloTable,
                "",
                backup,
                "",
                false);
    }

    Message message(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        Message message = new Message(new Msgid(++lastId), bytes.length, 1);
        message.content(new Content.InMemory(bytes, 0, bytes.length));
        return message;
    }

    /** One message with these recipients, all of one relay. */
    Message mail(RelayKey key, String... recipients) {
        Message message = message("Subject: test\n\nhello\n");
        mail(key, message, recipients);
        return message;
    }

    void mail(RelayKey key, Message message, String... recipients) {
        mail(key, List.of(), message, recipients);
    }

    /**
     * @param others further hosts of a list
     */
    void mail(RelayKey key, List<RelayKey> others, Message message, String... recipients) {
        on(
                () -> {
                    int low = 0;
                    for (String recipient : recipients) {
                        relays.add(
                                key,
                                new Task.Key(message, "a@src.test", "", "", false, false, others),
                                new Letter(
                                        Evpid.of(message.id(), ++low),
                                        recipient,
                                        recipient,
                                        "",
                                        "",
                                        0,
                                        0));
                    }
                    relays.begin();
                    return null;
                });
    }

    List<String> results() {
        List<String> all = new ArrayList<>();
        for (Outcome outcome : outcomes) {
            for (Letter letter : outcome.letters()) {
                all.add(
                        letter.dest()
                                + " "
                                + outcome.result().kind()
                                + " "
                                + outcome.result().text());
            }
        }
        return all;
    }

    int count(Result.Kind kind) {
        int count = 0;
        for (Outcome outcome : outcomes) {
            count += outcome.result().kind() == kind ? outcome.letters().size() : 0;
        }
        return count;
    }

    Route route(String address) {
        return on(
                () -> {
                    for (Route route : relays.routesFrom(0)) {
                        if (route.host.address.equals(InetAddress.ofLiteral(address))) {
                            return route;
                        }
                    }
                    return null;
                });
    }

    Connector connector(RelayKey key) {
        return on(
                () -> {
                    for (Relay relay : relays.relaysFrom(0)) {
                        if (relay.key.equals(key)) {
                            return relay.connectors.getFirst();
                        }
                    }
                    return null;
                });
    }

    @Override
    public void ask(MtaToLka question, Consumer<LkaToMta> answer) {
        questions.add(question);
        LkaToMta given =
                switch (question) {
                    case Resolve resolve ->
                            dns.getOrDefault(
                                    resolve.domain(),
                                    new Resolved(DnsStatus.NO_NAME, List.of(), false));
                    case MtaToLka.SourceAddress source ->
                            new LkaToMta.SourcesAre(
                                    smtpd.imsg.Outcome.ok(),
                                    sources.getOrDefault(source.table(), List.of()));
                    case MtaToLka.HeloName helo ->
                            new LkaToMta.HeloNameIs(
                                    smtpd.imsg.Outcome.ok(),
                                    helos.getOrDefault(helo.source().host(), ""));
                    case MtaToLka.MxPreference _ -> preference;
                    default -> null;
                };
        loop.execute(() -> answer.accept(given));
    }

    @Override
    public void result(Outcome outcome) {
        outcomes.add(outcome);
    }

    @Override
    public void hold(long relay, List<Evpid> evpids) {
        held.addAll(evpids);
    }

    @Override
    public void release(long relay, int count) {
        releases.add(count);
    }

    @Override
    public void scheduleNow(List<Evpid> evpids) {
        again.addAll(evpids);
    }

    @Override
    public void contentWanted(Message message) {
        contentWanted.add(message);
    }

    @Override
    public void contentDone(Message message) {
        contentDone.add(message);
    }

    @Override
    public OutboundSession start(SessionSpec spec, SessionEvents events) {
        started.add(spec);
        OutboundSession session = new OutboundSession(spec, loop, files, events);
        session.start();
        return session;
    }

    @Override
    public boolean isFull() {
        return full;
    }

    @Override
    public long nextSessionId() {
        return ++lastSid;
    }

    /** The gauges that must be zero when nothing is left to do, and are not. */
    List<String> leftovers() {
        on(
                () -> {
                    relays.stop();
                    return null;
                });
        await().until(() -> gauge(Stat.MTA_SESSION) == 0);
        for (int i = 0; i < 5; i++) {
            pass(1_000_000);
        }
        List<String> left = new ArrayList<>();
        for (Stat stat : GAUGES) {
            if (gauge(stat) != 0) {
                left.add(stat.key() + "=" + gauge(stat));
            }
        }
        return left;
    }

    // -- the clock

    @Override
    public long millis() {
        return now;
    }

    @Override
    public Timer after(long millis, Runnable run) {
        if (millis == 0) {
            loop.execute(run);
            return () -> {};
        }
        long key = (now + millis) * 100_000 + order++ % 100_000;
        alarms.put(key, run);
        return () -> alarms.remove(key);
    }

    boolean hasAlarm() {
        return !alarms.isEmpty();
    }

    /** Lets this much time go by. */
    void pass(long millis) {
        on(
                () -> {
                    long end = now + millis;
                    while (!alarms.isEmpty() && alarms.firstKey() / 100_000 <= end) {
                        now = Math.max(now, alarms.firstKey() / 100_000);
                        alarms.pollFirstEntry().getValue().run();
                    }
                    now = end;
                    return null;
                });
    }

    long gauge(Stat stat) {
        return on(() -> stats.get(stat));
    }

    @Override
    public void close() {
        on(
                () -> {
                    relays.stop();
                    relays.abort();
                    return null;
                });
        files.shutdownNow();
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }
}
