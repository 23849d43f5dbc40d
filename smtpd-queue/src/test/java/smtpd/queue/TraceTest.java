package smtpd.queue;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import smtpd.envelope.Envelope;
import smtpd.envelope.EnvelopeText;
import smtpd.envelope.Evpid;
import smtpd.imsg.Agent;
import smtpd.imsg.AgentToQueue;
import smtpd.imsg.ChildToControl;
import smtpd.imsg.ControlToChild;
import smtpd.imsg.LkaToQueue;
import smtpd.imsg.Outcome;
import smtpd.imsg.QueueToAgent;
import smtpd.imsg.QueueToLka;
import smtpd.imsg.QueueToScheduler;
import smtpd.imsg.Role;
import smtpd.log.Trace;
import smtpd.log.TraceLines;
import smtpd.mail.MailAddress;

/** {@code smtpctl trace all} shows what the queue asks of its store. */
class TraceTest {

    private static final byte[] MAIL = QueueRig.bytes("Subject: confidential\n\nhello\n");

    @TempDir private Path root;

    private static void trace(QueueRig rig, int mask) {
        var control = rig.harness.peer(Role.CONTROL);
        control.send(0, new ControlToChild.TraceState(mask, 0, false));
        assertThat(control.get(ChildToControl.TraceApplied.class).mask()).isEqualTo(mask);
    }

    @Test
    void theWayFromAFailureToItsNoticeIsShown() throws Exception {
        try (TraceLines lines = new TraceLines(Trace.BOUNCE);
                QueueRig rig = QueueRig.on(root)) {
            trace(rig, Trace.BOUNCE.bit());
            List<Evpid> ids = rig.accept(MAIL, QueueRig.relayed("r@example.com").build());
            rig.dispatch(Agent.MTA, ids);
            rig.mta.expect(QueueToAgent.Transfer.class);
            rig.mta.send(
                    0, new AgentToQueue.Failed(1, ids, "5.1.1", "550 5.1.1 no such user", "", ""));
            Evpid bounce = null;
            while (bounce == null) {
                if (rig.scheduler.next().message() instanceof QueueToScheduler.MessageReady m) {
                    bounce = QueueRig.ids(m).getFirst();
                }
            }
            rig.dispatch(Agent.BOUNCE, List.of(bounce));
            long question = rig.lka.expect(QueueToLka.ExpandBounce.class).frame().id();
            byte[] notice =
                    EnvelopeText.dump(
                            QueueRig.mail("bob@example.org")
                                    .sender(MailAddress.NULL)
                                    .expire(Envelope.BOUNCE_EXPIRE)
                                    .build());
            rig.lka.send(question, new LkaToQueue.BounceExpanded(Outcome.ok(), List.of(notice)));
            rig.scheduler.next();
            rig.scheduler.next();
            String sid = "trace=bounce sid=" + Evpid.ofMessage(bounce.msgid());
            String id = bounce.toString();
            assertThat(lines.lines()).allMatch(l -> l.startsWith(sid));
            assertThat(lines.texts())
                    .satisfiesExactly(
                            l ->
                                    assertThat(l)
                                            .isEqualTo(
                                                    "text=\"gather "
                                                            + id
                                                            + " kind=failed rcpt=<r@example.com>"
                                                            + " stat=\\\"550 5.1.1 no such"
                                                            + " user\\\" waiting=1\""),
                            l ->
                                    assertThat(l)
                                            .isEqualTo(
                                                    "text=\"lka is asked where <bob@example.org>"
                                                            + " is, reports=1\""),
                            l -> assertThat(l).isEqualTo("text=\"lka answers: envelopes=1\""),
                            l -> assertThat(l).matches("text=\"notice [0-9a-f]{8} is written.*"),
                            l ->
                                    assertThat(l)
                                            .matches("text=\"commit\\(.*\\[" + id + "]\\) -> ok\""),
                            l -> assertThat(l).isEqualTo("text=\"end " + id + " -> ok\""));
        }
    }

    @Test
    void operationsOfTheStoreAreShownWithTheirResult() throws Exception {
        try (TraceLines lines = new TraceLines(Trace.QUEUE);
                QueueRig rig = QueueRig.on(root)) {
            rig.accept(MAIL, QueueRig.mail("before@example.org").build());
            assertThat(lines.lines()).isEmpty();
            trace(rig, Trace.QUEUE.bit());
            List<Evpid> ids = rig.accept(MAIL, QueueRig.mail("a@example.org").build());
            Evpid id = ids.getFirst();
            assertThat(lines.lines())
                    .anyMatch(
                            l ->
                                    l.startsWith(
                                                    "trace=queue sid="
                                                            + Evpid.ofMessage(id.msgid())
                                                            + " text=\"commit("
                                                            + id.msgid()
                                                            + ", content "
                                                            + MAIL.length
                                                            + ", +"
                                                            + id
                                                            + ' ')
                                            && l.endsWith(") -> ok\""))
                    .noneMatch(l -> l.contains("confidential") || l.contains("a@example.org"));
            trace(rig, 0);
            int before = lines.lines().size();
            rig.accept(MAIL, QueueRig.mail("after@example.org").build());
            assertThat(lines.lines()).hasSize(before);
        }
    }
}
