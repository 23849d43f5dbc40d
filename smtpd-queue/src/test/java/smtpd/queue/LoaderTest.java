package smtpd.queue;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import smtpd.envelope.EnvelopeText;
import smtpd.envelope.Evpid;
import smtpd.envelope.Hold;
import smtpd.imsg.ChildToControl;
import smtpd.imsg.ControlToQueue;
import smtpd.imsg.LkaToQueue;
import smtpd.imsg.QueueToControl;
import smtpd.imsg.QueueToScheduler;
import smtpd.imsg.QueueToScheduler.Origin;
import smtpd.imsg.QueueToSmtp;
import smtpd.imsg.Role;
import smtpd.imsg.SchedulerToQueue;
import smtpd.imsg.SmtpToQueue;
import smtpd.proc.Harness;
import smtpd.queue.ram.RamQueue;
import smtpd.sys.Fd;

/** What is stored is told to a new scheduler, and shown to the operator. */
final class LoaderTest {

    private static final byte[] MAIL = QueueRig.bytes("Subject: x\n\nhello\n");

    @TempDir Path root;
    private QueueRig rig;
    private Harness<QueueProcess>.Peer control;

    @BeforeEach
    void start() throws Exception {
        rig = QueueRig.on(root);
        control = rig.harness.peer(Role.CONTROL);
    }

    @AfterEach
    void stop() {
        rig.close();
    }

    private ChildToControl.ControlDone done() {
        Harness.Received received = control.expect(ChildToControl.ControlDone.class);
        assertThat(received.frame().peer()).isEqualTo(3);
        assertThat(received.frame().id()).isEqualTo(8);
        return (ChildToControl.ControlDone) received.message();
    }

    private Path folder(Evpid id) {
        return root.resolve("queue").resolve(id.msgid().bucket()).resolve(id.msgid().toString());
    }

    @Test
    void everythingIsLoadedAfterARestartWithItsState() throws Exception {
        List<Evpid> all = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            all.addAll(
                    rig.accept(
                            MAIL,
                            QueueRig.mail("z@example.org").hold(new Hold(0, 1)).retry(2).build()));
        }
        rig.close();
        rig = new QueueRig(QueueRig.fs(root), 1);
        List<QueueToScheduler.MessageReady> loaded = rig.meet();
        List<Evpid> ids = new ArrayList<>();
        for (QueueToScheduler.MessageReady m : loaded) {
            ids.addAll(QueueRig.ids(m));
            assertThat(m.origin()).isEqualTo(Origin.LOADED);
            assertThat(m.plans().getFirst().retry()).isEqualTo(2);
            assertThat(m.plans().getFirst().suspended()).isTrue();
        }
        assertThat(ids).containsExactlyInAnyOrderElementsOf(all);
    }

    @Test
    void newMailIsTakenWhileTheLoadWaitsForTheWordOfSmtp() throws Exception {
        Evpid old = rig.accept(MAIL, QueueRig.mail("old@example.org").build()).getFirst();
        rig.close();
        rig = new QueueRig(QueueRig.fs(root), 2);
        long sid = rig.sid();
        rig.rcpt(sid, 0, QueueRig.mail("new@example.org").build());
        assertThat(rig.commit(sid, QueueRig.inline(MAIL, 1)).outcome().isOk()).isTrue();
        rig.smtp.send(0, new SmtpToQueue.CommitStatusEnd());
        rig.smtp.send(0, new SmtpToQueue.CommitStatusEnd()); // of one more smtp: no second load
        List<Evpid> loaded = new ArrayList<>();
        List<Evpid> fresh = new ArrayList<>();
        for (QueueToScheduler.MessageReady m : rig.meet()) {
            (m.origin() == Origin.NEW ? fresh : loaded).addAll(QueueRig.ids(m));
        }
        assertThat(loaded).containsExactly(old);
        assertThat(fresh).hasSize(1);
        rig.harness.onLoop(() -> null);
        assertThat(rig.scheduler.drain()).isEmpty();
    }

    @Test
    void aTornOrCorruptTextIsSetAsideAndTheRestIsLoaded() throws Exception {
        List<Evpid> ids =
                rig.accept(
                        MAIL,
                        QueueRig.mail("a@example.org").build(),
                        QueueRig.mail("b@example.org").build());
        rig.close();
        Files.writeString(folder(ids.get(0)).resolve(ids.get(0).toString()), "nonsense\n");
        rig = new QueueRig(QueueRig.fs(root), 1);
        List<QueueToScheduler.MessageReady> loaded = rig.meet();
        assertThat(QueueRig.ids(loaded.getFirst())).containsExactly(ids.get(1));
        org.awaitility.Awaitility.await()
                .until(() -> !Files.exists(folder(ids.get(0)).resolve(ids.get(0).toString())));
        try (var aside = Files.walk(root.resolve("corrupt"))) {
            assertThat(aside.filter(f -> f.endsWith(ids.get(0).toString()))).hasSize(1);
        }
    }

    @Test
    void aCopiedEnvelopeIsDiscovered() throws Exception {
        Evpid id = rig.accept(MAIL, QueueRig.mail("a@example.org").build()).getFirst();
        Evpid copy = new Evpid(id.value() ^ 1);
        Files.copy(folder(id).resolve(id.toString()), folder(id).resolve(copy.toString()));
        control.sendFor(3, 8, new ControlToQueue.Discover(Evpid.ofMessage(id.msgid())));
        QueueToScheduler.MessageReady found = rig.told(QueueToScheduler.MessageReady.class);
        assertThat(found.origin()).isEqualTo(Origin.FOUND);
        assertThat(QueueRig.ids(found)).containsExactlyInAnyOrder(id, copy);
        assertThat(done().count()).isEqualTo(2);
        control.sendFor(3, 8, new ControlToQueue.Discover(copy));
        assertThat(QueueRig.ids(rig.told(QueueToScheduler.MessageReady.class)))
                .containsExactly(copy);
        assertThat(done().ok()).isTrue();
        control.sendFor(3, 8, new ControlToQueue.Discover(new Evpid(0x1100000000L)));
        assertThat(done().ok()).isFalse();
    }

    private byte[] shown() {
        java.io.ByteArrayOutputStream all = new java.io.ByteArrayOutputStream();
        while (true) {
            Harness.Received received = control.next();
            assertThat(received.frame().peer()).isEqualTo(3);
            switch (received.message()) {
                case QueueToControl.MessageContent m -> {
                    assertThat(m.bytes().length).isLessThanOrEqualTo(32 << 10);
                    all.writeBytes(m.bytes());
                }
                case ChildToControl.ControlDone d -> {
                    assertThat(d.ok()).isTrue();
                    return all.toByteArray();
                }
                default -> throw new AssertionError(received.message());
            }
        }
    }

    @Test
    void envelopesAndMessagesOfAnySizeAreShown() throws Exception {
        Evpid id = rig.accept(MAIL, QueueRig.mail("a@example.org").build()).getFirst();
        control.sendFor(3, 8, new ControlToQueue.ShowMessage(id, ControlToQueue.What.ENVELOPE));
        assertThat(EnvelopeText.parse(shown())).isInstanceOf(smtpd.envelope.Verdict.Sound.class);
        control.sendFor(3, 8, new ControlToQueue.ShowMessage(id, ControlToQueue.What.MESSAGE));
        assertThat(shown()).isEqualTo(MAIL);
        byte[] large = new byte[3_000_001];
        new java.util.Random(1).nextBytes(large);
        long sid = rig.sid();
        rig.rcpt(sid, 0, QueueRig.mail("zed@example.org").build());
        rig.smtp.send(sid, new SmtpToQueue.OpenContent(1));
        int fd = rig.smtp.expect(QueueToSmtp.ContentFile.class).frame().fd();
        Fd.write(fd, large, 0, large.length);
        Fd.close(fd);
        var msgid = rig.commit(sid, QueueRig.inFile(large, 1)).msgid();
        control.sendFor(
                3,
                8,
                new ControlToQueue.ShowMessage(
                        Evpid.ofMessage(msgid), ControlToQueue.What.MESSAGE));
        assertThat(shown()).isEqualTo(large);
        for (ControlToQueue.What what : ControlToQueue.What.values()) {
            control.sendFor(3, 8, new ControlToQueue.ShowMessage(new Evpid(0x1100000011L), what));
            assertThat(done().ok()).isFalse();
        }
    }

    @Test
    void listingsSkipWhatIsGoneAndEndWithTheLastIdLookedAt() {
        Evpid id = rig.accept(MAIL, QueueRig.mail("a@example.org").build()).getFirst();
        List<SchedulerToQueue.DescribeRow> rows =
                List.of(
                        new SchedulerToQueue.DescribeRow(id, 1, 2, 3, 0),
                        new SchedulerToQueue.DescribeRow(new Evpid(0x1100000011L), 1, 2, 3, 0));
        rig.scheduler.sendFor(3, 8, new SchedulerToQueue.DescribeEnvelopes(rows, 77));
        QueueToControl.EnvelopeLine line = control.get(QueueToControl.EnvelopeLine.class);
        assertThat(line.rows()).hasSize(1);
        assertThat(line.rows().getFirst().evpid()).isEqualTo(id);
        ChildToControl.ControlDone end = done();
        assertThat(end.last()).isEqualTo(77);
        assertThat(end.count()).isEqualTo(1);
    }

    @Test
    void profileOfTheStoreHasARowForEachOperation() {
        control.send(0, new smtpd.imsg.ControlToChild.TraceState(0, 2, false));
        control.expect(ChildToControl.TraceApplied.class);
        for (int i = 0; i < 10; i++) {
            rig.accept(MAIL, QueueRig.mail("a@example.org").build());
        }
        control.sendFor(3, 8, new smtpd.imsg.ControlToChild.ShowProfile("queue"));
        List<String> row = control.get(ChildToControl.ShowRow.class).fields();
        assertThat(row.get(0)).isEqualTo("queue");
        assertThat(row).contains("message.create", "count=10");
        while (!(control.next().message() instanceof ChildToControl.ControlDone)) {
            // the other operations
        }
    }

    @Test
    void flushProblemsAndRestoreAnswer() {
        control.sendFor(3, 8, new ControlToQueue.Flush());
        assertThat(done().ok()).isTrue();
        control.sendFor(3, 8, new ControlToQueue.ShowProblems());
        assertThat(done().ok()).isTrue();
        control.sendFor(3, 8, new ControlToQueue.Restore(new smtpd.envelope.Msgid(0x1234)));
        assertThat(done().ok()).isFalse();
    }

    @Test
    void aQueueInMemoryWorksAlike() throws Exception {
        rig.close();
        rig = new QueueRig(new RamQueue((_, _) -> null), 1);
        rig.meet();
        List<Evpid> ids = rig.accept(MAIL, QueueRig.mail("a@example.org").build());
        assertThat(rig.stored(ids.getFirst())).isNotNull();
    }

    @Test
    void whatComesBeforeTheStoreIsOpenIsAnsweredAfterwards() throws Exception {
        rig.close();
        try (Harness<QueueProcess> early =
                new Harness<>(
                        Role.QUEUE,
                        context ->
                                new QueueProcess(
                                        context,
                                        _ -> QueueRig.fs(root),
                                        java.time.Clock.systemUTC()))) {
            var lka = early.peer(Role.LKA);
            var smtp = early.peer(Role.SMTP);
            org.awaitility.Awaitility.await().until(lka::isConnected);
            lka.send(
                    1L << 48 | 1,
                    new LkaToQueue.EnvelopesSubmit(
                            1,
                            0,
                            List.of(EnvelopeText.dump(QueueRig.mail("a@example.org").build()))));
            early.configure(
                    smtpd.conf.ConfigParser.parse(
                            smtpd.conf.ConfigBundle.ofText(
                                    7,
                                    smtpd.conf.Instance.system(),
                                    "mx1.example.org",
                                    "smtpd.conf",
                                    "accept for local deliver to maildir\n")));
            smtp.expect(QueueToSmtp.StateNote.class);
            assertThat(smtp.get(QueueToSmtp.RecipientStored.class).outcome().isOk()).isTrue();
        }
        rig = QueueRig.on(root);
    }
}
