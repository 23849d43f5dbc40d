package smtpd.lka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import smtpd.conf.Action;
import smtpd.conf.Condition;
import smtpd.conf.Config;
import smtpd.conf.ConfigBundle;
import smtpd.conf.ConfigException;
import smtpd.conf.ConfigParser;
import smtpd.conf.Decision;
import smtpd.conf.Dialect;
import smtpd.conf.Instance;
import smtpd.conf.Rule;
import smtpd.envelope.Envelope;
import smtpd.envelope.EnvelopeText;
import smtpd.envelope.Verdict;
import smtpd.imsg.LkaToParent.OpenForward;
import smtpd.imsg.LkaToQueue.EnvelopesSubmit;
import smtpd.imsg.LkaToSmtp.RecipientRefused;
import smtpd.imsg.Outcome;
import smtpd.imsg.ParentToLka.ForwardFile;
import smtpd.imsg.ParentToLka.ForwardStatus;
import smtpd.imsg.Role;
import smtpd.imsg.SmtpToLka.ExpandRecipient;
import smtpd.imsg.SocketAddr;
import smtpd.lka.table.UserAnswer;
import smtpd.lka.table.Userbase;
import smtpd.mail.MailAddress;
import smtpd.proc.Harness;
import smtpd.sys.Memfd;
import smtpd.sys.SysException;
import smtpd.sys.User;

/**
 * The lookup process with a scripted smtp, queue and parent around it: the parent opens the {@code
 * .forward} texts of a test, the system knows a few users.
 */
final class House implements AutoCloseable {

    static final SocketAddr OUTSIDE = new SocketAddr(new byte[] {(byte) 192, 0, 2, 17}, 25, 0);

    final Harness<LkaProcess> harness;
    final Map<String, String> forwards = new HashMap<>();
    final Map<String, ForwardStatus> unopened = new HashMap<>();
    final List<String> opened = new ArrayList<>();
    final Set<String> brokenUsers = ConcurrentHashMap.newKeySet();
    SocketAddr client = OUTSIDE;
    String login = "";
    MailAddress sender = new MailAddress("zed", "far.example");
    private long sid = 1;
    private static final Map<String, Integer> UIDS =
            Map.of("root", 0, "bob", 1001, "ann", 1002, "carl", 1003, "info", 1004, "_smtpd", 900);

    /** What became of a recipient. */
    record Fate(List<Envelope> envelopes, RecipientRefused refused) {

        List<String> lines() {
            assertThat(refused).isNull();
            return envelopes.stream().map(Fate::line).toList();
        }

        /** Reason, reply and enhanced code. */
        String refusal() {
            assertThat(envelopes).isNull();
            return refused.reason()
                    + switch (refused.outcome()) {
                        case Outcome.Ok _ -> " ok";
                        case Outcome.Temporary t -> " " + t.reply() + " " + t.esc();
                        case Outcome.Permanent p -> " " + p.reply() + " " + p.esc();
                    };
        }

        private static String line(Envelope e) {
            return switch (e.type()) {
                case MTA -> "mta " + e.dest();
                default -> {
                    String how =
                            e.mda().method() == null
                                    ? "exec"
                                    : e.mda().method().text() + " " + e.mda().buffer();
                    String tag = e.mda().subaddress().isEmpty() ? "" : " +" + e.mda().subaddress();
                    yield "mda "
                            + e.dest()
                            + " "
                            + e.mda().user()
                            + tag
                            + " "
                            + how
                            + e.mda().exec();
                }
            };
        }
    }

    House(String config) {
        this(config, null, Optional.empty());
    }

    House(String text, Userbase.Source system, Optional<UserAnswer.Found> onlyUser) {
        this(config(1, text), system, onlyUser);
    }

    House(Config config, Userbase.Source system, Optional<UserAnswer.Found> onlyUser) {
        Userbase.Source source = system == null ? this::user : system;
        harness = new Harness<>(Role.LKA, context -> new LkaProcess(context, source, onlyUser));
        harness.configure(config);
        connect();
    }

    /** Without a configuration as yet. */
    House() {
        harness =
                new Harness<>(
                        Role.LKA, context -> new LkaProcess(context, this::user, Optional.empty()));
        connect();
    }

    private void connect() {
        for (Role peer : new Role[] {Role.SMTP, Role.QUEUE, Role.MTA, Role.MDA, Role.CONTROL}) {
            harness.peer(peer);
        }
    }

    static Config config(long id, String text) {
        try {
            return ConfigParser.parse(
                    ConfigBundle.ofText(
                            id, Instance.at(Path.of("/tmp/x")), "mx.here.example", "conf", text));
        } catch (ConfigException e) {
            throw new AssertionError(e.errors().toString(), e);
        }
    }

    /** A configuration of one rule, which takes all mail from everywhere. */
    static Config oneRule(Dialect dialect, Action action) {
        Config base = config(1, "accept for any relay\n");
        Rule rule =
                new Rule(
                        0,
                        base.rules().getFirst().at(),
                        dialect,
                        List.of(
                                new Condition.From(Condition.FromKind.ANY, Optional.empty(), false),
                                new Condition.For(Condition.ForKind.ANY, Optional.empty(), false)),
                        new Decision.Accept(action));
        return new Config(
                base.configId(),
                base.instance(),
                base.serverName(),
                base.listeners(),
                base.submission(),
                base.tables(),
                List.of(rule),
                Map.of(action.name(), action),
                base.expire(),
                base.bounceExpire(),
                base.warnAfter(),
                base.maxMessageBytes(),
                base.subAddressDelimiter(),
                base.maxMtaDeferred(),
                base.limits(),
                base.mtaLimits(),
                base.inflightShare(),
                base.queue(),
                base.mda(),
                base.resolvers());
    }

    private Optional<User> user(String name) throws SysException {
        if (brokenUsers.contains(name)) {
            throw new SysException("getpwnam", 5);
        }
        Integer uid = UIDS.get(name);
        return uid == null
                ? Optional.empty()
                : Optional.of(new User(name, uid, uid, "/home/" + name, "/bin/sh"));
    }

    long send(String rcpt) {
        MailAddress address = MailAddress.split(rcpt);
        long id = sid++;
        harness.peer(Role.SMTP).send(id, request(address));
        return id;
    }

    ExpandRecipient request(MailAddress rcpt) {
        return new ExpandRecipient(
                3,
                1,
                1,
                "lan",
                "mx.here.example",
                "client.example",
                "<unknown>",
                client,
                sender,
                rcpt,
                login,
                !login.isEmpty(),
                0,
                "",
                "",
                "",
                false,
                false,
                false,
                false);
    }

    /** Asks, plays the parent, and waits for the queue or smtp to hear the result. */
    Fate expand(String rcpt) {
        long id = send(rcpt);
        return fate(id);
    }

    Fate fate(long id) {
        List<Envelope> envelopes = new ArrayList<>();
        List<Fate> fate = new ArrayList<>();
        await().atMost(Duration.ofSeconds(20))
                .pollInterval(Duration.ofMillis(2))
                .until(
                        () -> {
                            playParent();
                            for (Harness.Received r : harness.peer(Role.QUEUE).drain()) {
                                assertThat(r.frame().id()).isEqualTo(id);
                                EnvelopesSubmit set = (EnvelopesSubmit) r.message();
                                assertThat(set.no()).isEqualTo(3);
                                set.envelopes().forEach(text -> envelopes.add(read(text)));
                                if (!r.frame().more()) {
                                    fate.add(new Fate(envelopes, null));
                                }
                            }
                            for (Harness.Received r : harness.peer(Role.SMTP).drain()) {
                                assertThat(r.frame().id()).isEqualTo(id);
                                fate.add(new Fate(null, (RecipientRefused) r.message()));
                            }
                            return !fate.isEmpty();
                        });
        assertThat(fate).hasSize(1);
        return fate.getFirst();
    }

    private void playParent() throws SysException {
        for (Harness.Received r : harness.parent().drain()) {
            if (r.message() instanceof OpenForward question) {
                opened.add(question.user());
                String text = forwards.get(question.user());
                ForwardStatus status = unopened.get(question.user());
                if (text == null) {
                    ForwardFile answer =
                            new ForwardFile(
                                    status == null ? ForwardStatus.NONE : status, "scripted");
                    harness.parent().send(r.frame().id(), answer);
                } else {
                    int fd = Memfd.sealed("forward", text.getBytes(StandardCharsets.UTF_8));
                    harness.parent()
                            .send(r.frame().id(), new ForwardFile(ForwardStatus.OPEN, ""), fd);
                }
            }
        }
    }

    static Envelope read(byte[] text) {
        Verdict verdict = EnvelopeText.parse(text);
        assertThat(verdict).isInstanceOf(Verdict.Sound.class);
        return ((Verdict.Sound) verdict).envelope();
    }

    @Override
    public void close() {
        harness.close();
    }
}
