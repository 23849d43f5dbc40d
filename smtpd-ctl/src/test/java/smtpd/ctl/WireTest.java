package smtpd.ctl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import smtpd.envelope.Evpid;
import smtpd.envelope.Msgid;
import smtpd.imsg.ChildToControl;
import smtpd.imsg.ControlToChild;
import smtpd.imsg.ControlToCtl;
import smtpd.imsg.ControlToLka;
import smtpd.imsg.ControlToMta;
import smtpd.imsg.ControlToParent;
import smtpd.imsg.ControlToQueue;
import smtpd.imsg.ControlToScheduler;
import smtpd.imsg.CtlToControl;
import smtpd.imsg.FrameHeader;
import smtpd.imsg.Message;
import smtpd.imsg.QueueToControl;
import smtpd.imsg.QueueToControl.EnvelopeRow;
import smtpd.imsg.Role;
import smtpd.imsg.Selection;
import smtpd.log.Trace;

/** The hand-written frames of smtpctl against the codec of the daemon. */
class WireTest {

    private static byte[] encoded(Class<? extends Message> receiver, Message message) {
        ByteBuf out = Unpooled.buffer();
        Vocabulary.encode(receiver, out, message);
        return ByteBufUtil.getBytes(out);
    }

    private static final class Vocabulary {
        static void encode(Class<? extends Message> receiver, ByteBuf out, Message message) {
            smtpd.imsg.Vocabulary.of(receiver)
                    .encode(out, message, 0, CtlToControl.PROTOCOL, 1, -1, FrameHeader.CAP);
        }
    }

    @Test
    void everyRequestIsTheDaemonsOwnFrame() {
        Evpid evpid = new Evpid(0x2fd2c1f2a1b3c4d5L);
        Msgid msgid = new Msgid(0xfeedbeef);
        Map<Message, Request> pairs = new LinkedHashMap<>();
        pairs.put(new CtlToControl.ShowStats(), Request.of(Request.SHOW_STATS));
        pairs.put(new CtlToControl.ShowStatus(), Request.of(Request.SHOW_STATUS));
        pairs.put(
                new CtlToControl.SetTrace(0x7ffe, true),
                Request.switching(Request.SET_TRACE, 0x7ffe, true));
        pairs.put(
                new CtlToControl.SetProfile(3, false),
                Request.switching(Request.SET_PROFILE, 3, false));
        pairs.put(new CtlToControl.SetVerbose(true), Request.verbose(true));
        pairs.put(
                new CtlToControl.PauseService(Role.MTA),
                Request.service(Request.PAUSE_SERVICE, Role.MTA));
        pairs.put(
                new CtlToControl.ResumeService(Role.SMTP),
                Request.service(Request.RESUME_SERVICE, Role.SMTP));
        pairs.put(new ControlToChild.ShowProfile("imsg"), Request.profile("imsg"));
        pairs.put(new ControlToParent.Shutdown(), Request.of(Request.SHUTDOWN));
        pairs.put(new ControlToParent.Reload(), Request.of(Request.RELOAD));
        pairs.put(new ControlToParent.ShowProcesses(), Request.of(Request.SHOW_PROCESSES));
        pairs.put(
                new ControlToScheduler.Suspend(new Selection.All(), 0),
                Request.selecting(Request.SUSPEND, new Selection.All()));
        pairs.put(
                new ControlToScheduler.Unsuspend(new Selection.OneMessage(msgid), 0),
                Request.selecting(Request.UNSUSPEND, new Selection.OneMessage(msgid)));
        pairs.put(
                new ControlToScheduler.Remove(new Selection.OneEnvelope(evpid), 0),
                Request.selecting(Request.REMOVE, new Selection.OneEnvelope(evpid)));
        pairs.put(
                new ControlToScheduler.Schedule(new Selection.All(), 0),
                Request.selecting(Request.SCHEDULE, new Selection.All()));
        pairs.put(new ControlToScheduler.ListEnvelopes(evpid, 256), Request.envelopes(evpid, 256));
        pairs.put(new ControlToScheduler.ShowHolds(), Request.of(Request.SHOW_HOLDS));
        pairs.put(
                new ControlToQueue.ShowMessage(evpid, ControlToQueue.What.MESSAGE),
                Request.content(evpid, ControlToQueue.What.MESSAGE));
        pairs.put(new ControlToQueue.Discover(evpid), Request.discover(evpid));
        pairs.put(new ControlToQueue.Flush(), Request.of(Request.FLUSH));
        pairs.put(new ControlToQueue.Restore(msgid), Request.restore(msgid));
        pairs.put(new ControlToQueue.ShowProblems(), Request.of(Request.SHOW_PROBLEMS));
        pairs.put(
                new ControlToMta.ShowMta(ControlToMta.MtaView.ROUTES, 7),
                Request.mta(ControlToMta.MtaView.ROUTES, 7));
        pairs.put(new ControlToMta.EnableRoute(12), Request.route(12));
        pairs.put(new ControlToLka.UpdateTable("aliases"), Request.table("aliases"));
        pairs.forEach(
                (message, request) -> {
                    ByteBuffer bytes = request.bytes();
                    byte[] ours = new byte[bytes.remaining()];
                    bytes.get(ours);
                    assertThat(ours)
                            .as(message.toString())
                            .isEqualTo(encoded(CtlToControl.class, message));
                });
        // All but the listing of ids alone, which no command uses.
        assertThat(pairs).hasSize(smtpd.imsg.Vocabulary.of(CtlToControl.class).size() - 1);
    }

    private static Answer decoded(ControlToCtl message) {
        return decoded(encoded(ControlToCtl.class, message));
    }

    private static Answer decoded(byte[] frame) {
        ByteBuffer in = ByteBuffer.wrap(frame);
        return Answer.read(
                in.getShort(4), in.slice(FrameHeader.SIZE, frame.length - FrameHeader.SIZE));
    }

    @Test
    void everyAnswerIsUnderstood() {
        assertThat(decoded(new ChildToControl.ShowRow("stat", List.of("a", "", "ü"))))
                .isEqualTo(new Answer.Row("stat", List.of("a", "", "ü")));
        assertThat(decoded(new ChildToControl.ControlDone(true, 3, -1, "text")))
                .isEqualTo(new Answer.Done(true, 3, -1, "text"));
        Answer piece = decoded(new QueueToControl.MessageContent(new byte[] {0, 1, -1}));
        assertThat(((Answer.Piece) piece).bytes()).containsExactly(0, 1, -1);
        EnvelopeRow row = new EnvelopeRow(new Evpid(5), 3, 17, 4, 99, new byte[] {'a'});
        Answer.Envelopes envelopes =
                (Answer.Envelopes) decoded(new QueueToControl.EnvelopeLine(List.of(row)));
        assertThat(envelopes.rows()).hasSize(1);
        assertThat(envelopes.rows().get(0).time()).isEqualTo(17);
        assertThat(envelopes.rows().get(0).text()).containsExactly('a');
    }

    @Test
    void garbledAnswersAreRefusedWithAMessage() {
        byte[] good =
                encoded(
                        ControlToCtl.class,
                        new QueueToControl.EnvelopeLine(
                                List.of(new EnvelopeRow(new Evpid(5), 3, 17, 4, 99, new byte[9]))));
        long seed = Long.getLong("seed", 1);
        Random random = new Random(seed);
        for (int i = 0; i < 20_000; i++) {
            byte[] bad = good.clone();
            int at = FrameHeader.SIZE + random.nextInt(bad.length - FrameHeader.SIZE);
            bad[at] = (byte) random.nextInt();
            bad[5] = (byte) (1 + random.nextInt(6));
            try {
                assertThat(decoded(bad)).isNotNull();
            } catch (Failure e) {
                assertThat(e.status()).as("seed %d", seed).isEqualTo(Exit.PROTOCOL);
            }
        }
        assertThatThrownBy(() -> decoded(java.util.Arrays.copyOf(good, good.length - 1)))
                .isInstanceOf(Failure.class);
    }

    @Test
    void traceWordsAreThoseOfTheDaemon() {
        for (Trace trace : Trace.values()) {
            assertThat(TraceWords.trace(trace.word())).hasValue(trace.bit());
        }
        for (String word :
                List.of(
                        "all",
                        "incoming",
                        "filter",
                        "mfa",
                        "transfer",
                        "bounces",
                        "stats",
                        "msg-size",
                        "table")) {
            assertThat(TraceWords.trace(word)).hasValue(Trace.mask(word).getAsInt());
        }
        assertThat(TraceWords.trace("nonsense")).isEmpty();
        assertThat(TraceWords.profile("imsg")).hasValue(1);
        assertThat(TraceWords.profile("queue")).hasValue(2);
    }
}
