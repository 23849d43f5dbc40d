package smtpd.queue;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;
import smtpd.conf.Config;
import smtpd.conf.ConfigBundle;
import smtpd.conf.ConfigException;
import smtpd.conf.ConfigParser;
import smtpd.conf.Instance;
import smtpd.envelope.Envelope;
import smtpd.envelope.EnvelopeBuilder;
import smtpd.envelope.EnvelopeText;
import smtpd.envelope.EnvelopeType;
import smtpd.envelope.Evpid;
import smtpd.envelope.MdaMethod;
import smtpd.envelope.Msgid;
import smtpd.envelope.Verdict;
import smtpd.imsg.Agent;
import smtpd.imsg.AgentToQueue;
import smtpd.imsg.Content;
import smtpd.imsg.LkaToQueue;
import smtpd.imsg.Message;
import smtpd.imsg.QueueToAgent;
import smtpd.imsg.QueueToScheduler;
import smtpd.imsg.QueueToSmtp;
import smtpd.imsg.Role;
import smtpd.imsg.SchedulerToQueue;
import smtpd.imsg.SmtpToQueue;
import smtpd.mail.MailAddress;
import smtpd.proc.Harness;
import smtpd.queue.backend.QueueBackend;
import smtpd.queue.backend.QueueBackend.Load;
import smtpd.queue.backend.SpoolConfig;
import smtpd.queue.backend.SyncMode;
import smtpd.queue.fs.FsQueue;

/** A queue process on a real spool among scripted peers. */
final class QueueRig implements AutoCloseable {

    final FaultyBackend backend;
    final Harness<QueueProcess> harness;
    final Harness<QueueProcess>.Peer smtp;
    final Harness<QueueProcess>.Peer lka;
    final Harness<QueueProcess>.Peer scheduler;
    final Harness<QueueProcess>.Peer mta;
    final Harness<QueueProcess>.Peer mda;
    private long nextSid = 1L << 48 | 77;

    /** A first queue on plain files, its peers all here, the load done. */
    static QueueRig on(Path root) throws Exception {
        QueueRig rig = new QueueRig(fs(root), 1);
        rig.meet();
        return rig;
    }

    static QueueBackend fs(Path root) {
        return new FsQueue(
                new SpoolConfig(root, SyncMode.FILE, 4, 4, 0, 0),
                (_, text) ->
                        EnvelopeText.parse(text) instanceof Verdict.Usable ? null : "unreadable");
    }

    QueueRig(QueueBackend store, int generation) throws Exception {
        this(store, generation, configuration("accept for local deliver to maildir\n"));
    }

    static Config configuration(String text) throws ConfigException {
        return ConfigParser.parse(
                ConfigBundle.ofText(7, Instance.system(), "mx1.example.org", "smtpd.conf", text));
    }

    QueueRig(QueueBackend store, int generation, Config config) throws Exception {
        backend = new FaultyBackend(store);
        harness =
                new Harness<>(
                        Role.QUEUE,
                        context -> new QueueProcess(context, _ -> backend, Clock.systemUTC()),
                        -1,
                        -1,
                        generation);
        harness.configure(config);
        smtp = harness.peer(Role.SMTP);
        smtp.expect(QueueToSmtp.StateNote.class);
        lka = harness.peer(Role.LKA);
        mta = harness.peer(Role.MTA);
        mda = harness.peer(Role.MDA);
        mta.expect(QueueToAgent.HandoverCredit.class);
        mda.expect(QueueToAgent.HandoverCredit.class);
        scheduler = harness.peer(Role.SCHEDULER);
    }

    /** Agents that hold nothing; returns what was loaded. */
    List<QueueToScheduler.MessageReady> meet() {
        for (var agent : List.of(mta, mda)) {
            agent.expect(QueueToAgent.InFlightQuery.class);
            agent.send(0, new AgentToQueue.InFlightReport(List.of()));
        }
        List<QueueToScheduler.MessageReady> loaded = new ArrayList<>();
        int snapshots = 0;
        boolean isLoaded = false;
        while (snapshots < 3 || !isLoaded) {
            switch (scheduler.next().message()) {
                case QueueToScheduler.InFlightSnapshot _ -> snapshots++;
                case QueueToScheduler.MessageReady m -> loaded.add(m);
                case QueueToScheduler.LoadProgress p ->
                        isLoaded = p.phase() == QueueToScheduler.LoadPhase.END;
                default -> throw new AssertionError();
            }
        }
        return loaded;
    }

    static EnvelopeBuilder mail(String to) {
        return Envelope.builder()
                .version(2)
                .action("@a56504ab1e9002ea")
                .tag("local")
                .type(EnvelopeType.MDA)
                .smtpname("mx1.example.org")
                .helo("localhost")
                .hostname("1004@localhost")
                .sender(MailAddress.split("bob@example.org"))
                .rcpt(MailAddress.split(to))
                .dest(MailAddress.split(to))
                .ctime(System.currentTimeMillis() / 1000)
                .expire(Envelope.DEFAULT_EXPIRE)
                .mdaMethod(MdaMethod.MAILDIR)
                .mdaBuffer("/home/zed/Maildir")
                .mdaUser("zed")
                .mdaUsertable("<getpwnam>");
    }

    static EnvelopeBuilder relayed(String to) {
        return mail(to).type(EnvelopeType.MTA).relay("smtp://mx.example.com");
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    long sid() {
        return nextSid++;
    }

    QueueToSmtp.RecipientStored rcpt(long sid, int rcptNo, Envelope... set) {
        List<byte[]> texts = new ArrayList<>();
        for (Envelope e : set) {
            texts.add(EnvelopeText.dump(e));
        }
        lka.send(sid, new LkaToQueue.EnvelopesSubmit(1, rcptNo, texts));
        return smtp.get(QueueToSmtp.RecipientStored.class);
    }

    static SmtpToQueue.CommitMessage inline(byte[] content, int accepted) {
        return commit(content, accepted, Content.of(content), false);
    }

    static SmtpToQueue.CommitMessage inFile(byte[] content, int accepted) {
        return commit(content, accepted, Content.NONE, true);
    }

    private static SmtpToQueue.CommitMessage commit(
            byte[] content, int accepted, Content with, boolean inFile) {
        CRC32C sum = new CRC32C();
        sum.update(content);
        long lines = 0;
        for (byte b : content) {
            lines += b == '\n' ? 1 : 0;
        }
        return new SmtpToQueue.CommitMessage(
                1,
                new byte[] {(byte) accepted},
                0,
                content.length,
                (int) sum.getValue(),
                lines,
                0,
                inFile,
                with);
    }

    QueueToSmtp.MessageCommitted commit(long sid, SmtpToQueue.CommitMessage m) {
        smtp.send(sid, m);
        return smtp.get(QueueToSmtp.MessageCommitted.class);
    }

    /** Mail for these, stored and told to the scheduler; the ids of its envelopes. */
    List<Evpid> accept(byte[] content, Envelope... envelopes) {
        long sid = sid();
        assertThat(rcpt(sid, 0, envelopes).outcome().isOk()).isTrue();
        QueueToSmtp.MessageCommitted done = commit(sid, inline(content, 1));
        assertThat(done.outcome().isOk()).isTrue();
        return ids(scheduler.get(QueueToScheduler.MessageReady.class));
    }

    static List<Evpid> ids(QueueToScheduler.MessageReady ready) {
        List<Evpid> ids = new ArrayList<>();
        ready.plans().forEach(p -> ids.add(Evpid.of(ready.msgid(), p.low())));
        return ids;
    }

    void dispatch(Agent agent, List<Evpid> ids) {
        scheduler.send(0, new SchedulerToQueue.Dispatch(agent, ids));
    }

    /** The stored text, null when there is none. */
    Envelope stored(Evpid id) {
        Load load = backend.load(id).toCompletableFuture().join();
        return load instanceof Load.Found f
                ? ((Verdict.Usable) EnvelopeText.parse(f.bytes())).envelope()
                : null;
    }

    List<QueueBackend.Entry> stored(Msgid id) {
        return backend.discover(id).toCompletableFuture().join();
    }

    <M extends Message> M told(Class<M> type) {
        return scheduler.get(type);
    }

    List<String> state() {
        return harness.onLoop(() -> harness.process().state());
    }

    void nothingIsLeft() {
        assertThat(state())
                .containsExactly(
                        "transactions=0",
                        "content=0",
                        "mta=0",
                        "mda=0",
                        "held=0",
                        "drawn=0",
                        "staged=0");
    }

    @Override
    public void close() {
        harness.close();
        backend.close();
    }
}
