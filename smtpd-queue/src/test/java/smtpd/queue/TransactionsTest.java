package smtpd.queue;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import smtpd.envelope.EnvelopeText;
import smtpd.envelope.Evpid;
import smtpd.envelope.Msgid;
import smtpd.imsg.Agent;
import smtpd.imsg.Content;
import smtpd.imsg.LkaToQueue;
import smtpd.imsg.Outcome;
import smtpd.imsg.QueueToAgent;
import smtpd.imsg.QueueToScheduler;
import smtpd.imsg.QueueToSmtp;
import smtpd.imsg.SmtpToQueue;
import smtpd.queue.backend.QueueBackend.ContentLoad;
import smtpd.sys.Fd;

/** Mail on its way in, over real socket pairs onto real files. */
final class TransactionsTest {

    private static final byte[] MAIL = QueueRig.bytes("Subject: x\n\nhello\n");

    @TempDir Path root;
    private QueueRig rig;

    @BeforeEach
    void start() throws Exception {
        rig = QueueRig.on(root);
    }

    @AfterEach
    void stop() {
        rig.close();
    }

    @Test
    void mailIsDurableBeforeItIsConfirmed() {
        long sid = rig.sid();
        QueueToSmtp.RecipientStored stored =
                rig.rcpt(sid, 0, QueueRig.mail("zed@example.org").build());
        assertThat(stored.outcome().isOk()).isTrue();
        assertThat(stored.lows()).hasSize(1);
        QueueToSmtp.MessageCommitted done = rig.commit(sid, QueueRig.inline(MAIL, 1));
        assertThat(done.outcome().isOk()).isTrue();
        assertThat(done.msgid()).isEqualTo(stored.msgid());
        Evpid id = Evpid.of(stored.msgid(), stored.lows().getFirst());
        assertThat(rig.stored(id).content().size()).isEqualTo(MAIL.length);
        assertThat(rig.stored(id).content().lines()).isEqualTo(3);
        QueueToScheduler.MessageReady ready = rig.told(QueueToScheduler.MessageReady.class);
        assertThat(QueueRig.ids(ready)).containsExactly(id);
        assertThat(ready.origin()).isEqualTo(QueueToScheduler.Origin.NEW);
        assertThat(rig.state()).contains("drawn=0", "staged=0", "transactions=0");
    }

    @Test
    void theSameRecipientTwiceIsOneEnvelopeThoughASecondPassed() {
        long sid = rig.sid();
        var mail = QueueRig.mail("zed@example.org").build();
        rig.rcpt(sid, 0, mail);
        rig.rcpt(sid, 1, mail.toBuilder().ctime(mail.ctime() + 1).build());
        rig.rcpt(sid, 2, QueueRig.mail("amy@example.org").build());
        Msgid id = rig.commit(sid, QueueRig.inline(MAIL, 0b111)).msgid();
        assertThat(rig.stored(id)).hasSize(2);
    }

    @Test
    void setsThatWereNotConfirmedToTheClientAreLeftOut() {
        long sid = rig.sid();
        rig.rcpt(sid, 0, QueueRig.mail("zed@example.org").build());
        rig.rcpt(sid, 1, QueueRig.mail("amy@example.org").build());
        Msgid id = rig.commit(sid, QueueRig.inline(MAIL, 0b10)).msgid();
        assertThat(rig.stored(id)).hasSize(1);
        assertThat(
                        new String(
                                rig.stored(id).getFirst().text(),
                                java.nio.charset.StandardCharsets.UTF_8))
                .contains("dest: amy@example.org");
    }

    @Test
    void aConfirmedSetThatIsNotHereFailsTheCommitAndLeavesNothing() {
        long sid = rig.sid();
        Msgid id = rig.rcpt(sid, 0, QueueRig.mail("zed@example.org").build()).msgid();
        assertThat(rig.commit(sid, QueueRig.inline(MAIL, 0b11)).outcome())
                .isInstanceOf(Outcome.Temporary.class);
        assertThat(rig.stored(id)).isEmpty();
        rig.nothingIsLeft();
    }

    @Test
    void commitOfAnUnknownTransactionIsTemporary() {
        assertThat(rig.commit(rig.sid(), QueueRig.inline(MAIL, 1)).outcome())
                .isInstanceOf(Outcome.Temporary.class);
    }

    @Test
    void aSetInPartsIsWholeOrNotAtAll() {
        long sid = rig.sid();
        List<byte[]> first = List.of(EnvelopeText.dump(QueueRig.mail("a@example.org").build()));
        List<byte[]> second = List.of(EnvelopeText.dump(QueueRig.mail("b@example.org").build()));
        rig.lka.sendMore(sid, new LkaToQueue.EnvelopesSubmit(1, 0, first));
        rig.lka.send(sid, new LkaToQueue.EnvelopesSubmit(1, 0, second));
        assertThat(rig.smtp.get(QueueToSmtp.RecipientStored.class).lows()).hasSize(2);
        rig.lka.sendMore(sid, new LkaToQueue.EnvelopesSubmit(1, 1, first));
        rig.lka.send(sid, new LkaToQueue.EnvelopesSubmit(1, 1, List.of(QueueRig.bytes("rubbish"))));
        assertThat(rig.smtp.get(QueueToSmtp.RecipientStored.class).outcome())
                .isInstanceOf(Outcome.Temporary.class);
        Msgid id = rig.commit(sid, QueueRig.inline(MAIL, 1)).msgid();
        assertThat(rig.stored(id)).hasSize(2);
        assertThat(rig.state()).contains("staged=0");
    }

    @Test
    void setsOfADeadLkaAreForgotten() {
        long sid = rig.sid();
        List<byte[]> first = List.of(EnvelopeText.dump(QueueRig.mail("a@example.org").build()));
        rig.lka.sendMore(sid, new LkaToQueue.EnvelopesSubmit(1, 0, first));
        rig.lka.die();
        rig.lka.rejoin();
        rig.lka.send(sid, new LkaToQueue.EnvelopesSubmit(1, 0, first));
        assertThat(rig.smtp.get(QueueToSmtp.RecipientStored.class).lows()).hasSize(1);
    }

    @Test
    void aSetThatComesAfterItsTransactionEndedStagesNothing() {
        long sid = rig.sid();
        rig.rcpt(sid, 0, QueueRig.mail("zed@example.org").build());
        rig.smtp.send(sid, new SmtpToQueue.AbortMessage(1, Msgid.NONE, 1));
        long other = rig.sid();
        rig.rcpt(other, 0, QueueRig.mail("amy@example.org").build()); // the abort has been read
        List<byte[]> late = List.of(EnvelopeText.dump(QueueRig.mail("late@example.org").build()));
        rig.lka.send(sid, new LkaToQueue.EnvelopesSubmit(1, 1, late));
        rig.smtp.send(other, new SmtpToQueue.AbortMessage(1, Msgid.NONE, 0));
        long last = rig.sid();
        assertThat(rig.rcpt(last, 5, QueueRig.mail("amy@example.org").build()).rcptNo())
                .isEqualTo(5);
        assertThat(rig.state()).contains("transactions=1", "drawn=1");
    }

    @Test
    void setsOfAnOlderSmtpOpenNothing() {
        rig.smtp.die();
        rig.smtp.rejoin();
        rig.smtp.expect(QueueToSmtp.StateNote.class);
        List<byte[]> late = List.of(EnvelopeText.dump(QueueRig.mail("late@example.org").build()));
        rig.lka.send(rig.sid(), new LkaToQueue.EnvelopesSubmit(1, 0, late));
        long now = 2L << 48 | 5;
        assertThat(rig.rcpt(now, 3, QueueRig.mail("zed@example.org").build()).rcptNo())
                .isEqualTo(3);
        assertThat(rig.state()).contains("transactions=1");
    }

    @Test
    void openTransactionsEndWithTheirSmtp() {
        rig.rcpt(rig.sid(), 0, QueueRig.mail("zed@example.org").build());
        rig.smtp.die();
        // While no smtp is here, nothing is opened for the one that died.
        List<byte[]> late = List.of(EnvelopeText.dump(QueueRig.mail("late@example.org").build()));
        rig.lka.send(rig.sid(), new LkaToQueue.EnvelopesSubmit(1, 0, late));
        rig.smtp.rejoin();
        rig.smtp.expect(QueueToSmtp.StateNote.class);
        rig.nothingIsLeft();
    }

    @Test
    void contentOfAnySizeComesBackAsItWas() throws Exception {
        long seed = 4711;
        Random random = new Random(seed);
        for (int size : new int[] {0, 1, (128 << 10) - 1, 128 << 10}) {
            byte[] content = new byte[size];
            random.nextBytes(content);
            long sid = rig.sid();
            rig.rcpt(sid, 0, QueueRig.mail("zed@example.org").build());
            QueueToSmtp.MessageCommitted done = rig.commit(sid, QueueRig.inline(content, 1));
            assertThat(done.outcome().isOk()).as("size %d", size).isTrue();
            comesBack(done.msgid(), content);
        }
        for (int size : new int[] {0, 1, (128 << 10) - 1, 128 << 10, (128 << 10) + 1, 1 << 20}) {
            byte[] content = new byte[size];
            random.nextBytes(content);
            long sid = rig.sid();
            rig.rcpt(sid, 0, QueueRig.mail("zed@example.org").build());
            rig.smtp.send(sid, new SmtpToQueue.OpenContent(1));
            int fd = rig.smtp.expect(QueueToSmtp.ContentFile.class).frame().fd();
            Fd.write(fd, content, 0, size);
            Fd.close(fd);
            QueueToSmtp.MessageCommitted done = rig.commit(sid, QueueRig.inFile(content, 1));
            assertThat(done.outcome().isOk()).as("file of %d", size).isTrue();
            comesBack(done.msgid(), content);
        }
    }

    /** Over the hand-over to an agent, and from the store. */
    private void comesBack(Msgid msgid, byte[] content) throws Exception {
        QueueToScheduler.MessageReady ready = rig.told(QueueToScheduler.MessageReady.class);
        rig.dispatch(Agent.MDA, QueueRig.ids(ready));
        var received = rig.mda.expect(QueueToAgent.Transfer.class);
        QueueToAgent.Transfer transfer = (QueueToAgent.Transfer) received.message();
        byte[] got =
                switch (transfer.form()) {
                    case INLINE -> transfer.content().toBytes();
                    case DESCRIPTOR -> Fd.readAll(received.frame().fd(), 4 << 20);
                    case KNOWN, ASK -> throw new AssertionError(transfer.form());
                };
        assertThat(got).isEqualTo(content);
        assertThat(transfer.size()).isEqualTo(content.length);
        ContentLoad load = rig.backend.content(msgid).toCompletableFuture().join();
        byte[] there =
                switch (load) {
                    case ContentLoad.Bytes b -> b.bytes();
                    case ContentLoad.Open o -> Fd.readAll(o.fd(), 4 << 20);
                    default -> throw new AssertionError(load);
                };
        assertThat(there).isEqualTo(content);
    }

    @Test
    void aFileThatIsNotWhatWasAnnouncedIsRefused() throws Exception {
        long sid = rig.sid();
        Msgid id = rig.rcpt(sid, 0, QueueRig.mail("zed@example.org").build()).msgid();
        rig.smtp.send(sid, new SmtpToQueue.OpenContent(1));
        Fd.close(rig.smtp.expect(QueueToSmtp.ContentFile.class).frame().fd());
        assertThat(rig.commit(sid, QueueRig.inFile(MAIL, 1)).outcome())
                .isInstanceOf(Outcome.Temporary.class);
        assertThat(rig.stored(id)).isEmpty();
        rig.nothingIsLeft();
    }

    @Test
    void aSecondFileForOneTransactionIsRefused() throws Exception {
        long sid = rig.sid();
        rig.rcpt(sid, 0, QueueRig.mail("zed@example.org").build());
        rig.smtp.send(sid, new SmtpToQueue.OpenContent(1));
        rig.smtp.send(sid, new SmtpToQueue.OpenContent(1));
        int oks = 0;
        for (int i = 0; i < 2; i++) {
            var answer = rig.smtp.expect(QueueToSmtp.ContentFile.class);
            oks += ((QueueToSmtp.ContentFile) answer.message()).outcome().isOk() ? 1 : 0;
            Fd.closeQuietly(answer.frame().fd());
        }
        assertThat(oks).isEqualTo(1);
    }

    @Test
    void aFullDiskIs452AndLeavesNothing() {
        long sid = rig.sid();
        Msgid id = rig.rcpt(sid, 0, QueueRig.mail("zed@example.org").build()).msgid();
        rig.backend.isFull = true;
        assertThat(rig.commit(sid, QueueRig.inline(MAIL, 1)).outcome())
                .isEqualTo(new Outcome.Temporary("452 4.3.1 Mail system full", "4.3.1"));
        assertThat(rig.stored(id)).isEmpty();
        rig.nothingIsLeft();
    }

    @Test
    void aDurableCommitWhoseClientWasRefusedIsWithdrawn() {
        List<Evpid> ids = rig.accept(MAIL, QueueRig.mail("zed@example.org").build());
        Msgid id = ids.getFirst().msgid();
        rig.smtp.send(rig.sid(), new SmtpToQueue.AbortMessage(1, id, 0));
        assertThat(rig.told(QueueToScheduler.Vanished.class).evpid()).isEqualTo(ids.getFirst());
        assertThat(rig.stored(id)).isEmpty();
        rig.nothingIsLeft();
    }

    @Test
    void whatAnAgentHasIsNotWithdrawn() {
        List<Evpid> ids = rig.accept(MAIL, QueueRig.mail("zed@example.org").build());
        rig.dispatch(Agent.MDA, ids);
        rig.mda.expect(QueueToAgent.Transfer.class);
        Msgid id = ids.getFirst().msgid();
        rig.smtp.send(rig.sid(), new SmtpToQueue.AbortMessage(1, id, 0));
        rig.rcpt(rig.sid(), 0, QueueRig.mail("amy@example.org").build());
        assertThat(rig.stored(id)).hasSize(1);
    }

    @Test
    void aCommitGivenUpWhileItRunsIsWithdrawnWhenItEnds() {
        long sid = rig.sid();
        Msgid id = rig.rcpt(sid, 0, QueueRig.mail("zed@example.org").build()).msgid();
        CompletableFuture<Void> gate = new CompletableFuture<>();
        rig.backend.commitGate = gate;
        rig.smtp.send(sid, QueueRig.inline(MAIL, 1));
        rig.smtp.send(sid, new SmtpToQueue.AbortMessage(1, id, 0));
        rig.rcpt(rig.sid(), 0, QueueRig.mail("amy@example.org").build());
        gate.complete(null);
        rig.told(QueueToScheduler.Vanished.class);
        assertThat(rig.stored(id)).isEmpty();
    }

    @Test
    void afterARestartDurableCommitsAreKnownAndOthersNot() throws Exception {
        Msgid id = rig.accept(MAIL, QueueRig.mail("zed@example.org").build()).getFirst().msgid();
        rig.close();
        rig = new QueueRig(QueueRig.fs(root), 2);
        rig.smtp.send(9, new SmtpToQueue.CommitStatus(1, id));
        rig.smtp.send(10, new SmtpToQueue.CommitStatus(1, new Msgid(id.value() ^ 1)));
        rig.smtp.send(0, new SmtpToQueue.CommitStatusEnd());
        List<Boolean> answers = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            QueueToSmtp.MessageCommitted m = rig.smtp.get(QueueToSmtp.MessageCommitted.class);
            answers.add(m.msgid().equals(id) == m.outcome().isOk());
        }
        assertThat(answers).containsExactly(true, true);
        assertThat(rig.meet()).hasSize(1); // and without waiting for a timer
    }

    @Test
    void tooMuchForOneTransactionIs452ForThatRecipientAlone() {
        long sid = rig.sid();
        byte[] large =
                EnvelopeText.dump(
                        QueueRig.mail("zed@example.org").errorline("x".repeat(2000)).build());
        List<byte[]> part = java.util.Collections.nCopies(20, large);
        int parts = (16 << 20) / (large.length * 20) + 1;
        for (int i = 0; i < parts; i++) {
            rig.lka.sendMore(sid, new LkaToQueue.EnvelopesSubmit(1, 0, part));
        }
        rig.lka.send(sid, new LkaToQueue.EnvelopesSubmit(1, 0, part));
        assertThat(rig.smtp.get(QueueToSmtp.RecipientStored.class).outcome())
                .isEqualTo(new Outcome.Temporary("452 4.3.1 Mail system full", "4.3.1"));
        assertThat(rig.rcpt(sid, 1, QueueRig.mail("amy@example.org").build()).outcome().isOk())
                .isTrue();
        Msgid id = rig.commit(sid, QueueRig.inline(MAIL, 0b10)).msgid();
        assertThat(rig.stored(id)).hasSize(1);
        assertThat(rig.state()).contains("staged=0");
    }

    @Test
    void theTextGrownByOneLineIsTheTextWrittenAnew() {
        var plain = QueueRig.mail("zed@example.org").build();
        for (var before :
                List.of(
                        plain,
                        plain.toBuilder().need(smtpd.envelope.Need.EIGHTBITMIME).build(),
                        plain.toBuilder().hold(new smtpd.envelope.Hold(1, 2)).build(),
                        QueueRig.relayed("zed@example.org").version(3).build())) {
            var staged = new Transaction.Staged(1, before, EnvelopeText.dump(before));
            var complete =
                    before.toBuilder()
                            .content(new smtpd.envelope.ContentFacts(5120, 0x8f2c03d1, 131))
                            .build();
            assertThat(Completion.text(staged, complete)).isEqualTo(EnvelopeText.dump(complete));
            var needy = complete.toBuilder().need(smtpd.envelope.Need.SMTPUTF8).build();
            assertThat(Completion.text(staged, needy)).isEqualTo(EnvelopeText.dump(needy));
        }
    }

    @Test
    void needsKnownOnlyAtTheEndAreStored() {
        long sid = rig.sid();
        rig.rcpt(sid, 0, QueueRig.mail("zed@example.org").build());
        rig.rcpt(sid, 1, QueueRig.mail("z\u00e9d@example.org").build());
        SmtpToQueue.CommitMessage m = QueueRig.inline(MAIL, 0b11);
        int needs = smtpd.imsg.Need.EIGHT_BIT_MIME | smtpd.imsg.Need.SMTPUTF8_BY_ADDRESS;
        Msgid id =
                rig.commit(
                                sid,
                                new SmtpToQueue.CommitMessage(
                                        1,
                                        m.accepted(),
                                        0,
                                        m.size(),
                                        m.crc32c(),
                                        m.lines(),
                                        needs,
                                        false,
                                        m.content()))
                        .msgid();
        for (var entry : rig.stored(id)) {
            var envelope = rig.stored(entry.id());
            assertThat(envelope.needs(smtpd.envelope.Need.EIGHTBITMIME)).isTrue();
            assertThat(envelope.needs(smtpd.envelope.Need.SMTPUTF8))
                    .isEqualTo(
                            envelope.dest().local().length() == 3
                                    && envelope.dest().local().charAt(1) > 127);
        }
    }

    @Test
    void aRecipientThatBecameSeveralIsReportedOnceAsThat() {
        long sid = rig.sid();
        var base =
                QueueRig.mail("list@example.org")
                        .dsnNotify(smtpd.envelope.DsnFields.SUCCESS)
                        .build();
        rig.rcpt(
                sid,
                0,
                base.toBuilder().dest(smtpd.mail.MailAddress.split("a@example.org")).build(),
                base.toBuilder().dest(smtpd.mail.MailAddress.split("b@example.org")).build());
        Msgid id = rig.commit(sid, QueueRig.inline(MAIL, 1)).msgid();
        int reports = 0;
        for (var entry : rig.stored(id)) {
            var envelope = rig.stored(entry.id());
            if (envelope.type() == smtpd.envelope.EnvelopeType.BOUNCE) {
                reports++;
                assertThat(envelope.bounce().type()).isEqualTo(smtpd.envelope.BounceType.EXPANDED);
                assertThat(envelope.has(smtpd.envelope.EnvelopeFlag.INTERNAL)).isTrue();
            } else {
                assertThat(envelope.dsn().notifyBits()).isEqualTo(smtpd.envelope.DsnFields.NEVER);
            }
        }
        assertThat(reports).isEqualTo(1);
        assertThat(rig.told(QueueToScheduler.MessageReady.class).plans()).hasSize(3);
    }

    @Test
    void inlineContentThatIsShorterThanAnnouncedIsRefused() {
        long sid = rig.sid();
        rig.rcpt(sid, 0, QueueRig.mail("zed@example.org").build());
        SmtpToQueue.CommitMessage m = QueueRig.inline(MAIL, 1);
        rig.smtp.send(
                sid,
                new SmtpToQueue.CommitMessage(
                        1,
                        m.accepted(),
                        0,
                        m.size(),
                        m.crc32c(),
                        m.lines(),
                        0,
                        false,
                        new Content(MAIL, 0, 3)));
        assertThat(rig.smtp.get(QueueToSmtp.MessageCommitted.class).outcome())
                .isInstanceOf(Outcome.Temporary.class);
    }
}
