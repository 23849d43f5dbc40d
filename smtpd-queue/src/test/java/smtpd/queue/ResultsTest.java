package smtpd.queue;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import smtpd.envelope.BounceType;
import smtpd.envelope.DsnFields;
import smtpd.envelope.Envelope;
import smtpd.envelope.EnvelopeText;
import smtpd.envelope.EnvelopeType;
import smtpd.envelope.Evpid;
import smtpd.envelope.Verdict;
import smtpd.imsg.Agent;
import smtpd.imsg.AgentToQueue;
import smtpd.imsg.ParentToChild;
import smtpd.imsg.QueueToAgent;
import smtpd.imsg.QueueToScheduler;
import smtpd.imsg.QueueToScheduler.Result;
import smtpd.imsg.SchedulerToQueue;
import smtpd.mail.MailAddress;

/** How tries end: stored first, then told. */
final class ResultsTest {

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

    private List<Evpid> handed(Envelope... envelopes) {
        List<Evpid> ids = rig.accept(MAIL, envelopes);
        rig.dispatch(Agent.MTA, ids);
        rig.mta.expect(QueueToAgent.Transfer.class);
        return ids;
    }

    private static Envelope mail() {
        return QueueRig.relayed("zed@example.com").build();
    }

    private void failed(long seq, List<Evpid> ids) {
        rig.mta.send(
                0,
                new AgentToQueue.Failed(
                        seq, ids, "5.1.1", "550 5.1.1 no such user", "", "mx.example.com [::1]"));
    }

    private long acknowledged() {
        return rig.mta.get(QueueToAgent.ResultsStored.class).seq();
    }

    /** The one bounce envelope that is stored for this message. */
    private Envelope bounce(Evpid of) {
        List<Envelope> all =
                rig.stored(of.msgid()).stream()
                        .map(e -> ((Verdict.Usable) EnvelopeText.parse(e.text())).envelope())
                        .filter(e -> e.type() == EnvelopeType.BOUNCE)
                        .toList();
        assertThat(all).hasSize(1);
        return all.getFirst();
    }

    @Test
    void aDeferralIsInTheFileBeforeAnybodyHearsOfIt() {
        List<Evpid> ids = handed(mail());
        rig.mta.send(
                0,
                new AgentToQueue.Deferred(
                        1, ids, "4.7.1", "451 4.7.1 grey\r\nlisted", "", "mx.example.com [::1]"));
        QueueToScheduler.RetryRow row = rig.told(QueueToScheduler.Retry.class).rows().getFirst();
        assertThat(row.retry()).isEqualTo(1);
        Envelope stored = rig.stored(ids.getFirst());
        assertThat(stored.retry()).isEqualTo(1);
        assertThat(stored.errorline()).startsWith("451 4.7.1 grey").doesNotContain("\n");
        assertThat(stored.remoteMta()).isEqualTo("mx.example.com [::1]");
        assertThat(stored.dsn().enhancedStatus()).isEqualTo("4.7.1");
        assertThat(stored.lastTry()).isPositive();
        assertThat(acknowledged()).isEqualTo(1);
    }

    @Test
    void whateverTheOtherSideCallsItselfIsStored() {
        List<Evpid> ids = handed(mail());
        String odd = "\u00fc\r\nflags: \\".repeat(40);
        rig.mta.send(0, new AgentToQueue.Deferred(1, ids, "9..x", odd, "", odd));
        rig.told(QueueToScheduler.Retry.class);
        Envelope stored = rig.stored(ids.getFirst());
        assertThat(stored.retry()).isEqualTo(1);
        assertThat(stored.remoteMta()).hasSize(255).isASCII();
        assertThat(stored.flags()).isEmpty();
    }

    @Test
    void aDeliveryEndsMailAndContent() {
        List<Evpid> ids = handed(mail());
        rig.mta.send(0, new AgentToQueue.Delivered(1, ids, "2.0.0", "ok", false, ""));
        assertThat(rig.told(QueueToScheduler.Done.class).rows())
                .containsExactly(new QueueToScheduler.DoneRow(ids.getFirst(), Result.OK));
        assertThat(acknowledged()).isEqualTo(1);
        assertThat(rig.stored(ids.getFirst().msgid())).isEmpty();
        rig.nothingIsLeft();
    }

    @Test
    void aResultForAnEnvelopeThatIsGoneIsAcknowledgedAndTheSchedulerAnswered() {
        List<Evpid> ids = List.of(new Evpid(0x1234567800000009L));
        failed(7, ids);
        assertThat(rig.told(QueueToScheduler.Vanished.class).evpid()).isEqualTo(ids.getFirst());
        assertThat(acknowledged()).isEqualTo(7);
    }

    @Test
    void repeatedResultsDoNothingTwice() {
        List<Evpid> ids = handed(mail());
        failed(1, ids);
        rig.told(QueueToScheduler.Done.class);
        rig.told(QueueToScheduler.MessageReady.class);
        acknowledged();
        failed(1, ids);
        rig.told(QueueToScheduler.Vanished.class);
        acknowledged();
        bounce(ids.getFirst());
    }

    @Test
    void acknowledgementsAreCumulativeAndWaitForTheSlowest() {
        List<Evpid> first = handed(mail());
        List<Evpid> second = handed(mail());
        rig.backend.isFull = true;
        rig.mta.send(0, new AgentToQueue.Deferred(1, first, "4.0.0", "450 later", "", ""));
        rig.mta.send(0, new AgentToQueue.Delivered(2, second, "2.0.0", "ok", false, ""));
        rig.told(QueueToScheduler.Done.class);
        assertThat(acknowledged()).isZero();
        // A scheduler that is new now must not think that the second is in flight.
        rig.scheduler.die();
        rig.scheduler.rejoin();
        rig.mta.expect(QueueToAgent.InFlightQuery.class);
        rig.mta.send(
                0, new AgentToQueue.InFlightReport(List.of(first.getFirst(), second.getFirst())));
        List<Evpid> inFlight = null;
        while (inFlight == null) {
            if (rig.scheduler.next().message() instanceof QueueToScheduler.InFlightSnapshot s
                    && s.agent() == Agent.MTA) {
                inFlight = s.evpids();
            }
        }
        assertThat(inFlight).containsExactly(first.getFirst());
        rig.backend.isFull = false;
        assertThat(acknowledged()).isEqualTo(2);
        assertThat(rig.state()).contains("mta=0", "held=0");
    }

    @Test
    void aFailureLeavesItsReportInOneCommitAndKeepsTheContent() {
        List<Evpid> ids = handed(mail());
        failed(1, ids);
        assertThat(rig.told(QueueToScheduler.Done.class).rows().getFirst().result())
                .isEqualTo(Result.FAIL);
        QueueToScheduler.MessageReady ready = rig.told(QueueToScheduler.MessageReady.class);
        assertThat(ready.origin()).isEqualTo(QueueToScheduler.Origin.BOUNCE);
        Envelope bounce = bounce(ids.getFirst());
        assertThat(bounce.bounce().type()).isEqualTo(BounceType.FAILED);
        assertThat(bounce.errorline()).isEqualTo("550 5.1.1 no such user");
        assertThat(bounce.retry()).isZero();
        assertThat(bounce.expire()).isEqualTo(Envelope.BOUNCE_EXPIRE);
        assertThat(rig.stored(ids.getFirst())).isNull();
        assertThat(rig.backend.commits.getLast().deletes()).isEqualTo(ids);
    }

    @Test
    void aFullDiskCostsTheSenderNoReport() {
        List<Evpid> ids = handed(mail());
        rig.backend.isFull = true;
        failed(1, ids);
        org.awaitility.Awaitility.await().until(() -> rig.backend.commits.size() == 2);
        assertThat(rig.stored(ids.getFirst())).isNotNull();
        rig.backend.isFull = false;
        rig.told(QueueToScheduler.Done.class);
        assertThat(acknowledged()).isEqualTo(1);
        bounce(ids.getFirst());
    }

    @Test
    void aLoopIsAFailureOfItsOwnName() {
        List<Evpid> ids = handed(mail());
        rig.mta.send(0, new AgentToQueue.Looped(1, ids));
        assertThat(rig.told(QueueToScheduler.Done.class).rows().getFirst().result())
                .isEqualTo(Result.LOOP);
        assertThat(bounce(ids.getFirst()).errorline()).contains("Loop detected");
    }

    @Test
    void noReportForANullSenderAFailingBounceOrWhoWantsNone() {
        Envelope nullSender = mail().toBuilder().sender(MailAddress.NULL).build();
        Envelope never = mail().toBuilder().dsnNotify(DsnFields.NEVER).build();
        Envelope delayOnly = mail().toBuilder().dsnNotify(DsnFields.DELAY).build();
        Envelope bounce =
                mail().toBuilder().type(EnvelopeType.BOUNCE).bounceType(BounceType.FAILED).build();
        long seq = 0;
        for (Envelope e : List.of(nullSender, never, delayOnly)) {
            List<Evpid> ids = handed(e);
            failed(++seq, ids);
            rig.told(QueueToScheduler.Done.class);
            acknowledged();
            assertThat(rig.stored(ids.getFirst().msgid())).isEmpty();
        }
        List<Evpid> ids = rig.accept(MAIL, bounce);
        rig.scheduler.send(0, new SchedulerToQueue.Expire(ids));
        rig.told(QueueToScheduler.Gone.class);
        assertThat(rig.stored(ids.getFirst().msgid())).isEmpty();
    }

    @Test
    void expiryReportsTheLastAnswer() {
        List<Evpid> ids = rig.accept(MAIL, mail().toBuilder().errorline("421 busy").build());
        rig.scheduler.send(0, new SchedulerToQueue.Expire(ids));
        assertThat(rig.told(QueueToScheduler.Gone.class).evpids()).isEqualTo(ids);
        Envelope bounce = bounce(ids.getFirst());
        assertThat(bounce.errorline()).isEqualTo("451 4.4.7 Envelope expired: 421 busy");
        assertThat(bounce.dsn().enhancedStatus()).isEqualTo("4.4.7");
        // Ordered again by a scheduler that did not hear: still one report.
        rig.told(QueueToScheduler.MessageReady.class);
        rig.scheduler.send(0, new SchedulerToQueue.Expire(ids));
        rig.told(QueueToScheduler.Gone.class);
        bounce(ids.getFirst());
    }

    @Test
    void whatTheAdministratorRemovesIsGoneWithoutAReport() {
        List<Evpid> ids = rig.accept(MAIL, mail(), QueueRig.mail("amy@example.org").build());
        rig.scheduler.send(0, new SchedulerToQueue.Discard(ids, 1000));
        List<Evpid> gone = new java.util.ArrayList<>();
        while (gone.size() < 2) {
            gone.addAll(rig.told(QueueToScheduler.Gone.class).evpids());
        }
        assertThat(rig.stored(ids.getFirst().msgid())).isEmpty();
        rig.nothingIsLeft();
    }

    @Test
    void aWarningAndItsMarkAreOneCommit() {
        List<Evpid> ids = rig.accept(MAIL, mail());
        Evpid id = ids.getFirst();
        rig.scheduler.send(0, new SchedulerToQueue.WarnDelayed(id, 1234567, 14_400, 345_600));
        rig.told(QueueToScheduler.MessageReady.class);
        assertThat(rig.stored(id).lastBounce()).isEqualTo(1234567);
        Envelope warning = bounce(id);
        assertThat(warning.bounce().type()).isEqualTo(BounceType.DELAYED);
        assertThat(warning.bounce().delay().toSeconds()).isEqualTo(14_400);
        assertThat(rig.backend.commits.getLast().texts()).hasSize(2);
    }

    @Test
    void suspensionIsStoredAlsoWhileAResultIsBeingStored() {
        List<Evpid> ids = handed(mail());
        rig.mta.send(0, new AgentToQueue.Deferred(1, ids, "4.0.0", "450 later", "", ""));
        rig.scheduler.send(0, new SchedulerToQueue.MarkSuspended(ids, true, 1000));
        rig.told(QueueToScheduler.Retry.class);
        Evpid id = ids.getFirst();
        org.awaitility.Awaitility.await()
                .untilAsserted(
                        () -> {
                            assertThat(rig.stored(id).hold()).isNotNull();
                            assertThat(rig.stored(id).retry()).isEqualTo(1);
                        });
        rig.scheduler.send(0, new SchedulerToQueue.MarkSuspended(ids, false, 1000));
        org.awaitility.Awaitility.await()
                .untilAsserted(() -> assertThat(rig.stored(id).hold()).isNull());
    }

    @Test
    void anOrderedStopStoresTheResultsThatWereRead() {
        List<Evpid> ids = handed(mail());
        CompletableFuture<Void> gate = new CompletableFuture<>();
        rig.backend.commitGate = gate;
        failed(1, ids);
        org.awaitility.Awaitility.await().until(() -> rig.backend.commits.size() == 2);
        rig.harness.parent().send(0, new ParentToChild.Stop(20_000));
        rig.harness.onLoop(() -> null);
        gate.complete(null);
        assertThat(rig.harness.awaitEnd()).isZero();
        assertThat(root.resolve("queue")).isDirectory();
        assertThat(bounceFiles()).isEqualTo(1);
    }

    private long bounceFiles() {
        try (var files = java.nio.file.Files.walk(root.resolve("queue"))) {
            return files.filter(f -> f.getFileName().toString().length() == 16)
                    .filter(
                            f -> {
                                try {
                                    return java.nio.file.Files.readString(f)
                                            .contains("type: bounce");
                                } catch (java.io.IOException e) {
                                    throw new java.io.UncheckedIOException(e);
                                }
                            })
                    .count();
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
