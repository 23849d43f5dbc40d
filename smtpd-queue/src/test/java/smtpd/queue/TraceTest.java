package smtpd.queue;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import smtpd.envelope.Evpid;
import smtpd.imsg.ChildToControl;
import smtpd.imsg.ControlToChild;
import smtpd.imsg.Role;
import smtpd.log.Trace;
import smtpd.log.TraceLines;

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
