package smtpd.queue;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import smtpd.envelope.Envelope;
import smtpd.envelope.Evpid;
import smtpd.envelope.Msgid;
import smtpd.imsg.Agent;
import smtpd.imsg.AgentToQueue;
import smtpd.imsg.Outcome;
import smtpd.imsg.QueueToAgent;
import smtpd.imsg.QueueToAgent.ContentForm;
import smtpd.imsg.QueueToScheduler;
import smtpd.proc.Harness;

/** Hand-overs: credit, content, and agents that die and return. */
final class HandOverTest {

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

    private List<Evpid> mail(int recipients) {
        Envelope[] all = new Envelope[recipients];
        for (int i = 0; i < recipients; i++) {
            all[i] = QueueRig.relayed("r" + i + "@example.com").build();
        }
        return rig.accept(MAIL, all);
    }

    private QueueToAgent.Transfer transfer() {
        return rig.mta.get(QueueToAgent.Transfer.class);
    }

    private void delivered(long seq, List<Evpid> ids) {
        rig.mta.send(0, new AgentToQueue.Delivered(seq, ids, "2.0.0", "ok", false, ""));
    }

    @Test
    void contentComesWithTheFirstHandOverAndIsKnownLater() {
        List<Evpid> ids = mail(2);
        rig.dispatch(Agent.MTA, ids.subList(0, 1));
        QueueToAgent.Transfer first = transfer();
        assertThat(first.form()).isEqualTo(ContentForm.INLINE);
        assertThat(first.content().toBytes()).isEqualTo(MAIL);
        assertThat(first.lines()).isEqualTo(3);
        rig.dispatch(Agent.MTA, ids.subList(1, 2));
        assertThat(transfer().form()).isEqualTo(ContentForm.KNOWN);
        delivered(1, ids);
        rig.mta.expect(QueueToAgent.ResultsStored.class);
        rig.nothingIsLeft();
    }

    @Test
    void aSecondOrderForWhatTheAgentHasIsAnsweredByItsOneResult() {
        List<Evpid> ids = mail(1);
        rig.dispatch(Agent.MTA, ids);
        rig.dispatch(Agent.MTA, ids);
        transfer();
        delivered(1, ids);
        rig.mta.expect(QueueToAgent.ResultsStored.class);
        assertThat(rig.told(QueueToScheduler.Done.class).rows()).hasSize(1);
        rig.nothingIsLeft();
    }

    @Test
    void withoutCreditTheAgentAsksWhenItStarts() {
        rig.mta.send(0, new AgentToQueue.ContentReleased(-5, -5)); // counts as nothing
        List<List<Evpid>> all = new ArrayList<>();
        byte[] large = new byte[128 << 10];
        for (int i = 0; i < 129; i++) {
            all.add(rig.accept(large, QueueRig.relayed("r@example.com").build()));
        }
        all.forEach(ids -> rig.dispatch(Agent.MTA, ids));
        int inline = 0;
        Msgid asked = null;
        for (int i = 0; i < 129; i++) {
            QueueToAgent.Transfer t = transfer();
            if (t.form() == ContentForm.INLINE) {
                inline++;
            } else {
                assertThat(t.form()).isEqualTo(ContentForm.ASK);
                asked = t.msgid();
            }
        }
        assertThat(inline).isEqualTo(128); // 16 MiB
        rig.mta.send(42, new AgentToQueue.OpenMessage(asked));
        Harness.Received file = rig.mta.expect(QueueToAgent.MessageFile.class);
        assertThat(file.frame().id()).isEqualTo(42);
        assertThat(((QueueToAgent.MessageFile) file.message()).content().toBytes())
                .isEqualTo(large);
        rig.mta.send(0, new AgentToQueue.ContentReleased(0, 1 << 20));
        rig.dispatch(Agent.MTA, mail(1));
        assertThat(transfer().form()).isEqualTo(ContentForm.INLINE);
    }

    @Test
    void contentThatIsGoneIsATemporaryAnswer() {
        rig.mta.send(1, new AgentToQueue.OpenMessage(new Msgid(0x1234)));
        QueueToAgent.MessageFile m = rig.mta.get(QueueToAgent.MessageFile.class);
        assertThat(m.outcome()).isInstanceOf(Outcome.Temporary.class);
    }

    @Test
    void manyRecipientsGoInFramesThatFit() {
        List<Evpid> ids = new ArrayList<>();
        long sid = rig.sid();
        Envelope[] all = new Envelope[90];
        for (int i = 0; i < all.length; i++) {
            all[i] = QueueRig.relayed("r" + i + "@example.com").errorline("x".repeat(2000)).build();
        }
        for (int from = 0; from < 90; from += 15) {
            rig.rcpt(sid, from / 15, java.util.Arrays.copyOfRange(all, from, from + 15));
        }
        byte[] large = new byte[128 << 10];
        rig.commit(sid, QueueRig.inline(large, 0b111111));
        ids.addAll(QueueRig.ids(rig.told(QueueToScheduler.MessageReady.class)));
        assertThat(ids).hasSize(90);
        rig.dispatch(Agent.MTA, ids);
        int got = 0;
        while (got < 90) {
            QueueToAgent.Transfer t = transfer();
            assertThat(t.form()).isEqualTo(got == 0 ? ContentForm.INLINE : ContentForm.KNOWN);
            got += t.envelopes().size();
        }
    }

    @Test
    void aThousandMessagesAtOnceDoNotOverflowTheStack() {
        List<Evpid> ids = new ArrayList<>();
        for (int i = 0; i < 1000; i++) {
            ids.addAll(mail(1));
        }
        for (int i = 0; i < 1000; i += 250) {
            rig.dispatch(Agent.MTA, ids.subList(i, i + 250));
        }
        for (int i = 0; i < 1000; i++) {
            transfer();
        }
        assertThat(rig.state()).contains("mta=1000", "held=1000");
    }

    @Test
    void anEnvelopeRemovedByHandHasVanished() throws Exception {
        List<Evpid> ids = mail(1);
        Evpid id = ids.getFirst();
        rig.close();
        Path file =
                root.resolve("queue")
                        .resolve(id.msgid().bucket())
                        .resolve(id.msgid().toString())
                        .resolve(id.toString());
        rig = QueueRig.on(root);
        Files.delete(file);
        rig.dispatch(Agent.MTA, ids);
        QueueToScheduler.Vanished gone = rig.told(QueueToScheduler.Vanished.class);
        assertThat(gone.evpid()).isEqualTo(id);
        assertThat(gone.wasInFlight()).isTrue();
        rig.nothingIsLeft();
    }

    @Test
    void anEnvelopeThatCannotBeReadComesBackLaterAndLater() throws Exception {
        List<Evpid> ids = mail(1);
        Evpid id = ids.getFirst();
        Path file =
                root.resolve("queue")
                        .resolve(id.msgid().bucket())
                        .resolve(id.msgid().toString())
                        .resolve(id.toString());
        rig.close();
        rig = QueueRig.on(root);
        Path aside = root.resolve("aside");
        Files.move(file, aside);
        Files.createDirectory(file); // whoever runs this, it cannot be read as a text
        for (int seconds : new int[] {60, 120, 240, 480, 600, 600}) {
            rig.dispatch(Agent.MTA, ids);
            assertThat(rig.told(QueueToScheduler.LocalDelay.class).delaySeconds())
                    .isEqualTo(seconds);
        }
        Files.delete(file);
        Files.move(aside, file);
        rig.dispatch(Agent.MTA, ids);
        assertThat(transfer().form()).isEqualTo(ContentForm.INLINE);
    }

    @Test
    void ordersForAnAgentThatIsAwayComeBack() {
        List<Evpid> ids = mail(1);
        rig.mta.die();
        rig.told(QueueToScheduler.AgentLost.class);
        rig.dispatch(Agent.MTA, ids);
        assertThat(rig.told(QueueToScheduler.LocalDelay.class).evpid()).isEqualTo(ids.getFirst());
        rig.mta.rejoin();
        rig.mta.expect(QueueToAgent.HandoverCredit.class);
        rig.dispatch(Agent.MTA, ids);
        assertThat(transfer().form()).isEqualTo(ContentForm.INLINE);
    }

    @Test
    void whatWasBeingReadForADeadAgentDoesNotReachItsSuccessor() {
        List<Evpid> ids = rig.accept(new byte[10], QueueRig.relayed("r@example.com").build());
        rig.harness.onLoop(() -> rig.harness.process()); // the commit has been told
        rig.smtp.send(0, new smtpd.imsg.SmtpToQueue.CommitStatusEnd());
        CompletableFuture<Void> gate = new CompletableFuture<>();
        rig.backend.contentGate = gate;
        rig.harness.onLoop(
                () -> {
                    rig.harness.process().forgetContent(ids.getFirst().msgid());
                    return null;
                });
        rig.dispatch(Agent.MTA, ids);
        org.awaitility.Awaitility.await().until(() -> rig.state().contains("mta=1"));
        rig.mta.die();
        assertThat(rig.told(QueueToScheduler.AgentLost.class).agent()).isEqualTo(Agent.MTA);
        rig.mta.rejoin();
        rig.mta.expect(QueueToAgent.HandoverCredit.class);
        gate.complete(null);
        List<Evpid> other = mail(1);
        rig.dispatch(Agent.MTA, other);
        assertThat(transfer().envelopes().getFirst().evpid()).isEqualTo(other.getFirst());
    }

    @Test
    void theLossOfAnAgentIsToldAfterItsLastResults() {
        List<Evpid> ids = mail(3);
        rig.dispatch(Agent.MTA, ids);
        transfer();
        delivered(1, ids.subList(0, 2));
        rig.mta.die();
        List<Evpid> done = new ArrayList<>();
        while (done.size() < 2) {
            rig.told(QueueToScheduler.Done.class).rows().forEach(r -> done.add(r.evpid()));
        }
        assertThat(done).containsExactlyInAnyOrderElementsOf(ids.subList(0, 2));
        rig.told(QueueToScheduler.AgentLost.class);
        assertThat(rig.state()).contains("mta=0", "held=0");
    }

    @Test
    void aNewAgentHearsNothingBeforeTheOldOneIsSettled() {
        List<Evpid> ids = mail(1);
        rig.dispatch(Agent.MTA, ids);
        transfer();
        rig.backend.isFull = true;
        rig.mta.send(
                0, new AgentToQueue.Deferred(500, ids, "4.7.1", "451 4.7.1 later", "greylist", ""));
        rig.mta.die();
        rig.mta.rejoin();
        rig.backend.isFull = false; // the result is stored five seconds later
        assertThat(rig.told(QueueToScheduler.Retry.class).rows().getFirst().retry()).isEqualTo(1);
        rig.told(QueueToScheduler.AgentLost.class);
        // Not the acknowledgement of a number that its predecessor used.
        rig.mta.expect(QueueToAgent.HandoverCredit.class);
    }

    @Test
    void holdAndReleaseReachTheScheduler() {
        List<Evpid> ids = mail(1);
        rig.dispatch(Agent.MTA, ids);
        transfer();
        rig.mta.send(0, new AgentToQueue.Hold(7, ids));
        QueueToScheduler.HoldRows held = rig.told(QueueToScheduler.HoldRows.class);
        assertThat(held.key()).isEqualTo(7);
        assertThat(held.generation()).isEqualTo(1);
        rig.mta.send(0, new AgentToQueue.Release(7, 0));
        rig.told(QueueToScheduler.ReleaseRows.class);
        assertThat(rig.state()).contains("mta=0", "held=0");
    }

    @Test
    void aNewSchedulerLearnsWhatIsInFlightAndEverythingStored() {
        List<Evpid> ids = mail(2);
        rig.dispatch(Agent.MTA, ids.subList(0, 1));
        transfer();
        rig.scheduler.die();
        rig.scheduler.rejoin();
        rig.mta.expect(QueueToAgent.InFlightQuery.class);
        rig.mda.expect(QueueToAgent.InFlightQuery.class);
        rig.mta.send(0, new AgentToQueue.InFlightReport(ids.subList(0, 1)));
        rig.mda.send(0, new AgentToQueue.InFlightReport(List.of()));
        List<Evpid> inFlight = new ArrayList<>();
        List<Evpid> loaded = new ArrayList<>();
        int snapshots = 0;
        while (snapshots < 3 || loaded.size() < 2) {
            switch (rig.scheduler.next().message()) {
                case QueueToScheduler.InFlightSnapshot s -> {
                    snapshots++;
                    inFlight.addAll(s.evpids());
                }
                case QueueToScheduler.MessageReady m -> loaded.addAll(QueueRig.ids(m));
                default -> {}
            }
        }
        assertThat(inFlight).containsExactly(ids.getFirst());
        assertThat(loaded).containsExactlyInAnyOrderElementsOf(ids);
    }

    @Test
    void aNewQueueTellsWhatAgentsHoldOnlyWhenTheySaidIt() throws Exception {
        List<Evpid> ids = mail(1);
        rig.close();
        rig = new QueueRig(QueueRig.fs(root), 2);
        rig.mta.send(0, new AgentToQueue.InFlightReport(ids)); // unasked, as at every return
        rig.smtp.send(0, new smtpd.imsg.SmtpToQueue.CommitStatusEnd());
        rig.mta.expect(QueueToAgent.InFlightQuery.class);
        rig.mta.send(0, new AgentToQueue.InFlightReport(ids));
        rig.mda.expect(QueueToAgent.InFlightQuery.class);
        rig.mda.send(0, new AgentToQueue.InFlightReport(List.of()));
        List<Evpid> inFlight = new ArrayList<>();
        for (int snapshots = 0; snapshots < 3; ) {
            if (rig.scheduler.next().message() instanceof QueueToScheduler.InFlightSnapshot s) {
                snapshots++;
                inFlight.addAll(s.evpids());
            }
        }
        assertThat(inFlight).containsExactly(ids.getFirst());
        // The result it kept: stored once, told once.
        delivered(77, ids);
        assertThat(rig.mta.get(QueueToAgent.ResultsStored.class).seq()).isEqualTo(77);
        assertThat(rig.stored(ids.getFirst())).isNull();
        assertThat(rig.state()).contains("mta=0", "held=0");
    }
}
