package smtpd.mda;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.ZoneOffset;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import smtpd.conf.Config;
import smtpd.conf.ConfigBundle;
import smtpd.conf.ConfigParser;
import smtpd.conf.Instance;
import smtpd.envelope.ContentFacts;
import smtpd.envelope.Envelope;
import smtpd.envelope.EnvelopeBuilder;
import smtpd.envelope.EnvelopeText;
import smtpd.envelope.EnvelopeType;
import smtpd.envelope.Evpid;
import smtpd.envelope.MdaMethod;
import smtpd.envelope.Msgid;
import smtpd.imsg.AgentToQueue;
import smtpd.imsg.Content;
import smtpd.imsg.LkaToMda;
import smtpd.imsg.MdaToLka;
import smtpd.imsg.Message;
import smtpd.imsg.Outcome;
import smtpd.imsg.QueueToAgent;
import smtpd.imsg.QueueToAgent.ContentForm;
import smtpd.imsg.Role;
import smtpd.imsg.StoredEnvelope;
import smtpd.mail.MailAddress;
import smtpd.mda.deliver.Settings;
import smtpd.proc.Harness;
import smtpd.sys.At;
import smtpd.sys.Identity;

/** mda with a scripted queue and lka, and with real mailboxes: of real uids when root runs it. */
abstract class MdaFixture {

    static final byte[] MAIL = bytes("Subject: x\n\nhello\n");
    static final int NOBODY = 65534;

    Path dir;
    Harness<MdaProcess> harness;
    Harness<MdaProcess>.Peer queue;
    Harness<MdaProcess>.Peer lka;
    int serial = 1;

    @BeforeEach
    void start() throws Exception {
        dir = Files.createTempDirectory("smtpd-mda-test");
        Files.setPosixFilePermissions(dir, PosixFilePermissions.fromString("rwxr-xr-x"));
        Files.createDirectory(dir.resolve("mail"));
        harness =
                new Harness<>(
                        Role.MDA,
                        context -> new MdaProcess(context, this::settings),
                        isRoot() ? NOBODY : -1,
                        isRoot() ? NOBODY : -1);
        queue = harness.peer(Role.QUEUE);
        lka = harness.peer(Role.LKA);
        assertThat(queue.get(AgentToQueue.InFlightReport.class).evpids()).isEmpty();
    }

    @AfterEach
    void end() throws IOException {
        harness.close();
        try (Stream<Path> all = Files.walk(dir)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }

    Settings settings(Config config) {
        return new Settings(
                config.serverName(),
                dir.resolve("mail").toString(),
                ZoneOffset.UTC,
                Duration.ofSeconds(20),
                Duration.ofMillis(200),
                Duration.ofSeconds(1),
                4);
    }

    Config configure(String text) throws Exception {
        Config config =
                ConfigParser.parse(
                        ConfigBundle.ofText(
                                1, Instance.at(dir), "mx.here.example", "smtpd.conf", text));
        harness.configure(config);
        return config;
    }

    static boolean isRoot() {
        return Identity.euid() == 0;
    }

    static byte[] bytes(String text) {
        return text.getBytes(java.nio.charset.StandardCharsets.UTF_8);
    }

    // ---- users and mail

    int uid(String name) {
        return isRoot() ? 47_000 + (name.hashCode() & 0xff) : Identity.euid();
    }

    Path home(String name) throws Exception {
        Path home = dir.resolve(name);
        if (!Files.exists(home)) {
            Files.createDirectory(home);
            At.chown(At.CWD, home.toString(), uid(name), uid(name) == 0 ? 0 : gid(name));
        }
        return home;
    }

    int gid(String name) {
        return isRoot() ? uid(name) : Identity.egid();
    }

    void answerUser(Harness.Received asked) throws Exception {
        MdaToLka.UserInfo m = (MdaToLka.UserInfo) asked.message();
        String home = home(m.user()).toString();
        lka.send(
                asked.frame().id(),
                new LkaToMda.UserIs(Outcome.ok(), m.user(), uid(m.user()), gid(m.user()), home));
    }

    void answerUser() throws Exception {
        answerUser(lka.expect(MdaToLka.UserInfo.class));
    }

    EnvelopeBuilder envelope(String user) {
        MailAddress address = new MailAddress(user, "here.example");
        return Envelope.builder()
                .version(2)
                .action("@0000000000000001")
                .type(EnvelopeType.MDA)
                .smtpname("mx.here.example")
                .helo("client")
                .hostname("client")
                .sockaddr("local")
                .sender(new MailAddress("ann", "far.example"))
                .rcpt(address)
                .dest(address)
                .ctime(1_700_000_000L)
                .content(new ContentFacts(MAIL.length, sum(MAIL), 3))
                .mdaUser(user)
                .mdaUsertable("<getpwnam>")
                .mdaMethod(MdaMethod.MAILDIR)
                .mdaBuffer("~/Maildir")
                .mdaRaw(true);
    }

    static int sum(byte[] bytes) {
        CRC32C sum = new CRC32C();
        sum.update(bytes);
        return (int) sum.getValue();
    }

    StoredEnvelope stored(Msgid msgid, int low, Envelope envelope) {
        return new StoredEnvelope(Evpid.of(msgid, low), EnvelopeText.dump(envelope));
    }

    QueueToAgent.Transfer transfer(Msgid msgid, ContentForm form, StoredEnvelope... envelopes) {
        return new QueueToAgent.Transfer(
                msgid,
                List.of(envelopes),
                form,
                form == ContentForm.INLINE ? Content.of(MAIL) : Content.NONE,
                MAIL.length,
                sum(MAIL),
                3);
    }

    Evpid send(Envelope envelope) {
        Msgid msgid = new Msgid(serial++);
        StoredEnvelope one = stored(msgid, 1, envelope);
        queue.send(0, transfer(msgid, ContentForm.INLINE, one));
        return one.evpid();
    }

    /** The next result, past what else mda tells the queue. */
    Message result() {
        while (true) {
            Message message = queue.next().message();
            if (!(message instanceof AgentToQueue.ContentReleased)) {
                return message;
            }
        }
    }

    static List<Path> files(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            return all.filter(Files::isRegularFile).toList();
        }
    }
}
