package smtpd.queue;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import smtpd.envelope.BounceType;
import smtpd.envelope.Envelope;
import smtpd.envelope.EnvelopeText;
import smtpd.envelope.EnvelopeType;
import smtpd.envelope.Evpid;
import smtpd.envelope.Msgid;
import smtpd.imsg.Agent;
import smtpd.imsg.AgentToQueue;
import smtpd.imsg.LkaToQueue;
import smtpd.imsg.Outcome;
import smtpd.imsg.QueueToAgent;
import smtpd.imsg.QueueToLka;
import smtpd.imsg.QueueToScheduler;
import smtpd.imsg.QueueToScheduler.Origin;
import smtpd.imsg.QueueToScheduler.Result;
import smtpd.imsg.Role;
import smtpd.mail.MailAddress;
import smtpd.proc.Harness;
import smtpd.queue.backend.QueueBackend;
import smtpd.queue.backend.QueueBackend.ContentLoad;

/** From failed recipients to one notice, exactly once. */
final class BouncesTest {

    private static final byte[] MAIL = QueueRig.bytes("Subject: x\nMessage-ID: <a@b>\n\nhello\n");

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

    /** Bounce envelopes of one message, told to the scheduler. */
    private List<Evpid> failures(int n) {
        Envelope[] all = new Envelope[n];
        for (int i = 0; i < n; i++) {
            all[i] = QueueRig.relayed("r" + i + "@example.com").build();
        }
        List<Evpid> ids = rig.accept(MAIL, all);
        rig.dispatch(Agent.MTA, ids);
        rig.mta.expect(QueueToAgent.Transfer.class);
        rig.mta.send(0, new AgentToQueue.Failed(1, ids, "5.1.1", "550 5.1.1 no such user", "", ""));
        List<Evpid> bounces = new ArrayList<>();
        while (bounces.size() < n) {
            if (rig.scheduler.next().message() instanceof QueueToScheduler.MessageReady m) {
                bounces.addAll(QueueRig.ids(m));
            }
        }
        return bounces;
    }

    private static byte[] noticeEnvelope() {
        return EnvelopeText.dump(
                QueueRig.mail("bob@example.org")
                        .sender(MailAddress.NULL)
                        .expire(Envelope.BOUNCE_EXPIRE)
                        .build());
    }

    private long question() {
        Harness.Received asked = rig.lka.expect(QueueToLka.ExpandBounce.class);
        assertThat(((QueueToLka.ExpandBounce) asked.message()).returnPath().toString())
                .isEqualTo("bob@example.org");
        return asked.frame().id();
    }

    private void answer(long id) {
        rig.lka.send(id, new LkaToQueue.BounceExpanded(Outcome.ok(), List.of(noticeEnvelope())));
    }

    private QueueToScheduler.MessageReady noticeReady(int bounces) {
        int done = 0;
        QueueToScheduler.MessageReady ready = null;
        while (ready == null || done < bounces) {
            switch (rig.scheduler.next().message()) {
                case QueueToScheduler.Done d -> {
                    assertThat(d.rows()).allMatch(r -> r.result() == Result.OK);
                    done += d.rows().size();
                }
                case QueueToScheduler.MessageReady m -> {
                    assertThat(m.origin()).isEqualTo(Origin.BOUNCE);
                    ready = m;
                }
                default -> throw new AssertionError();
            }
        }
        assertThat(done).isEqualTo(bounces);
        return ready;
    }

    private String content(Msgid id) {
        return new String(
                ((ContentLoad.Bytes) rig.backend.content(id).toCompletableFuture().join()).bytes(),
                StandardCharsets.UTF_8);
    }

    @Test
    void allRecipientsOfAMessageAreOneNoticeAndTheMessageIsGone() {
        List<Evpid> bounces = failures(3);
        rig.dispatch(Agent.BOUNCE, bounces.subList(0, 2));
        rig.dispatch(Agent.BOUNCE, bounces); // ordered twice: answered once
        answer(question());
        QueueToScheduler.MessageReady ready = noticeReady(3);
        String notice = content(ready.msgid());
        assertThat(notice)
                .contains("Subject: Mail not delivered: 3 recipients")
                .contains("Final-Recipient: rfc822; r0@example.com")
                .contains("Final-Recipient: rfc822; r2@example.com")
                .contains("Message-ID: <a@b>");
        assertThat(rig.stored(bounces.getFirst().msgid())).isEmpty();
        Envelope stored = rig.stored(QueueRig.ids(ready).getFirst());
        assertThat(stored.isNullSender()).isTrue();
        assertThat(stored.content().size()).isEqualTo(notice.length());
        // Deletion of the reports and the notice are one commit.
        assertThat(rig.backend.commits.getLast().deletes())
                .containsExactlyInAnyOrderElementsOf(bounces);
        assertThat(rig.state()).contains("drawn=0", "held=0");
        assertThat(rig.lka.drain()).isEmpty();
    }

    @Test
    void aDeadLkaIsAskedAgainWhenItReturns() {
        List<Evpid> bounces = failures(1);
        rig.dispatch(Agent.BOUNCE, bounces);
        question();
        rig.lka.die();
        rig.lka.rejoin();
        answer(question());
        noticeReady(1);
    }

    @Test
    void aReportWaitsForAnLkaThatIsAway() {
        List<Evpid> bounces = failures(1);
        rig.lka.die();
        rig.dispatch(Agent.BOUNCE, bounces);
        rig.lka.rejoin();
        answer(question());
        noticeReady(1);
    }

    @Test
    void aTemporaryAnswerDefersTheReport() {
        List<Evpid> bounces = failures(1);
        rig.dispatch(Agent.BOUNCE, bounces);
        rig.lka.send(
                question(),
                new LkaToQueue.BounceExpanded(
                        new Outcome.Temporary("451 4.3.0 later", "4.3.0"), List.of()));
        QueueToScheduler.RetryRow row = rig.told(QueueToScheduler.Retry.class).rows().getFirst();
        assertThat(row.retry()).isEqualTo(1);
        assertThat(rig.stored(bounces.getFirst()).retry()).isEqualTo(1);
        rig.dispatch(Agent.BOUNCE, bounces);
        answer(question());
        noticeReady(1);
    }

    @Test
    void nobodyToTellEndsTheReport() {
        List<Evpid> bounces = failures(1);
        rig.dispatch(Agent.BOUNCE, bounces);
        rig.lka.send(
                question(),
                new LkaToQueue.BounceExpanded(
                        new Outcome.Permanent("550 5.1.1 unknown", "5.1.1"), List.of()));
        assertThat(rig.told(QueueToScheduler.Done.class).rows().getFirst().result())
                .isEqualTo(Result.FAIL);
        assertThat(rig.stored(bounces.getFirst().msgid())).isEmpty();
    }

    @Test
    void aFullDiskDelaysTheNoticeAndLosesNothing() {
        List<Evpid> bounces = failures(1);
        rig.dispatch(Agent.BOUNCE, bounces);
        long id = question();
        rig.backend.isFull = true;
        answer(id);
        assertThat(rig.told(QueueToScheduler.LocalDelay.class).evpid())
                .isEqualTo(bounces.getFirst());
        assertThat(rig.stored(bounces.getFirst())).isNotNull();
        assertThat(rig.state()).contains("drawn=0");
        rig.backend.isFull = false;
        rig.dispatch(Agent.BOUNCE, bounces);
        answer(question());
        noticeReady(1);
    }

    @Test
    void anEnvelopeThatIsNoReportIsLearntAnew() {
        List<Evpid> ids = rig.accept(MAIL, QueueRig.mail("zed@example.org").build());
        rig.dispatch(Agent.BOUNCE, ids);
        rig.told(QueueToScheduler.Vanished.class);
        assertThat(rig.told(QueueToScheduler.MessageReady.class).plans().getFirst().type())
                .isEqualTo(EnvelopeType.MDA);
    }

    /** K38: the id of the notice is stored, the notice is not. */
    @Test
    void diedBeforeTheNoticeItIsMadeOnce() throws Exception {
        List<Evpid> bounces = failures(1);
        rig.dispatch(Agent.BOUNCE, bounces);
        long id = question();
        rig.backend.commitGate = new CompletableFuture<>(); // never
        answer(id);
        org.awaitility.Awaitility.await()
                .until(() -> !rig.stored(bounces.getFirst()).bounce().notice().isNone());
        restart();
        List<QueueToScheduler.MessageReady> loaded = rig.meet();
        assertThat(loaded).hasSize(1);
        assertThat(QueueRig.ids(loaded.getFirst())).isEqualTo(bounces);
        rig.dispatch(Agent.BOUNCE, bounces);
        answer(question());
        noticeReady(1);
    }

    /** K39: the notice is stored, the reports are not deleted. */
    @Test
    void diedAfterTheNoticeItIsNotMadeAgain() throws Exception {
        Msgid notice =
                rig.accept(MAIL, QueueRig.mail("bob@example.org").build()).getFirst().msgid();
        Envelope report =
                QueueRig.mail("zed@example.com")
                        .type(EnvelopeType.BOUNCE)
                        .bounceType(BounceType.FAILED)
                        .notice(notice)
                        .build();
        List<Evpid> bounces = rig.accept(MAIL, report);
        // Ordered in the same life: found to be done.
        rig.dispatch(Agent.BOUNCE, bounces);
        rig.told(QueueToScheduler.Done.class);
        assertThat(rig.stored(bounces.getFirst())).isNull();
        Evpid second = rig.accept(MAIL, report).getFirst();
        restart();
        List<Msgid> loaded = new ArrayList<>();
        rig.meet().forEach(m -> loaded.add(m.msgid()));
        assertThat(loaded).containsExactly(notice);
        org.awaitility.Awaitility.await().until(() -> rig.stored(second) == null);
    }

    private void restart() throws Exception {
        rig.harness.close();
        // The dead process's store: nothing that it waits for goes on.
        QueueBackend store = QueueRig.fs(root);
        rig.backend.close();
        rig = new QueueRig(store, 2);
        rig.smtp.send(0, new smtpd.imsg.SmtpToQueue.CommitStatusEnd());
        assertThat(rig.harness.peer(Role.LKA).isConnected()).isTrue();
    }
}
