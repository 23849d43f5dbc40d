package smtpd.proc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import smtpd.conf.Config;
import smtpd.envelope.Evpid;
import smtpd.envelope.Msgid;
import smtpd.imsg.AgentToQueue;
import smtpd.imsg.ChildToControl;
import smtpd.imsg.ChildToParent;
import smtpd.imsg.Content;
import smtpd.imsg.ControlToChild;
import smtpd.imsg.Message;
import smtpd.imsg.MtaToQueue;
import smtpd.imsg.Outcome;
import smtpd.imsg.ParentToChild;
import smtpd.imsg.QueueToAgent;
import smtpd.imsg.Role;
import smtpd.imsg.ToMta;
import smtpd.log.Trace;
import smtpd.log.TraceLines;
import smtpd.stat.Stat;
import smtpd.sys.Fd;
import smtpd.sys.Memfd;
import smtpd.sys.Sockets;

class ChildProcessTest {

    private final Harness<Probe> harness = new Harness<>(Role.MTA, Probe::new);

    @AfterEach
    void close() {
        harness.close();
    }

    /** A process that answers what it is asked and keeps a diary. */
    private static final class Probe extends ChildProcess<ToMta> {
        private final Edge<MtaToQueue> queue = edge(Role.QUEUE, MtaToQueue.class);
        private final List<String> diary = new ArrayList<>();
        private byte[] file = new byte[0];

        Probe(ChildContext context) {
            super(Role.MTA, ToMta.class, context);
        }

        @Override
        protected void configure(Config config) {}

        @Override
        protected void activate(Config config, Runnable ready) {
            ready.run();
        }

        @Override
        protected void dispatch(Frame frame, ToMta message) {
            switch (message) {
                case QueueToAgent.ResultsStored m -> {
                    stats().increment(Stat.MTA_TASK);
                    for (int i = 0; i < m.seq(); i++) {
                        queue.send(frame.id(), new AgentToQueue.Looped(i, List.of(new Evpid(i))));
                    }
                }
                case QueueToAgent.MessageFile _ -> {
                    try {
                        file = Fd.readAll(frame.fd(), 1 << 20);
                    } catch (smtpd.sys.SysException e) {
                        throw new IllegalStateException(e);
                    } finally {
                        Fd.closeQuietly(frame.fd());
                    }
                    queue.send(1, new AgentToQueue.ContentReleased(1, file.length));
                }
                case QueueToAgent.InFlightQuery _ -> throw new IllegalStateException("on purpose");
                default -> diary.add(message.toString());
            }
        }

        @Override
        protected void lost(Role peer) {
            diary.add("lost " + peer);
        }

        @Override
        protected void joined(Role peer) {
            diary.add("joined " + peer);
        }

        @Override
        protected void stop(long deadlineMillis) {
            finished();
        }
    }

    @Test
    void traceImsgShowsWhatIsHeardAndTraceMprocWhatIsSent() {
        Harness<Probe>.Peer queue = harness.peer(Role.QUEUE);
        Harness<Probe>.Peer control = harness.peer(Role.CONTROL);
        queue.send(1, new QueueToAgent.ResultsStored(1));
        queue.expect(AgentToQueue.Looped.class);
        try (TraceLines imsg = new TraceLines(Trace.IMSG);
                TraceLines mproc = new TraceLines(Trace.MPROC)) {
            int mask = Trace.IMSG.bit() | Trace.MPROC.bit();
            control.send(0, new ControlToChild.TraceState(mask, 0, false));
            control.expect(ChildToControl.TraceApplied.class);
            queue.send(0x77, new QueueToAgent.ResultsStored(1));
            queue.expect(AgentToQueue.Looped.class);
            assertThat(imsg.lines())
                    .contains(
                            "trace=imsg sid=0000000000000077 dir=in text=\"mta <- queue:"
                                    + " ResultsStored (len=29)\"")
                    .noneMatch(l -> l.contains("StatDelta"));
            assertThat(mproc.lines())
                    .anyMatch(
                            l ->
                                    l.startsWith(
                                                    "trace=mproc sid=0000000000000077 dir=out"
                                                            + " text=\"mta -> queue : ")
                                            && l.endsWith(" Looped\""))
                    .anyMatch(
                            l -> l.contains("text=\"mta -> queue : ") && l.endsWith(" (flush)\""));
            queue.die();
            await().until(() -> mproc.texts().contains("text=\"mta -> queue : disabled\""));
            queue.rejoin();
            await().until(() -> mproc.texts().contains("text=\"mta -> queue : enabled\""));
        }
    }

    @Test
    void theSwitchesOfTheRunAreInForceFromBirth() {
        try (TraceLines imsg = new TraceLines(Trace.IMSG)) {
            harness.parent()
                    .send(
                            0,
                            new ParentToChild.RunState(
                                    false, false, false, Trace.IMSG.bit(), 0, false));
            Harness<Probe>.Peer queue = harness.peer(Role.QUEUE);
            queue.send(1, new QueueToAgent.ResultsStored(1));
            queue.expect(AgentToQueue.Looped.class);
            assertThat(imsg.lines()).anyMatch(l -> l.contains("mta <- queue: ResultsStored"));
        }
    }

    @Test
    void framesOfOneTurnArriveInOrder() {
        Harness<Probe>.Peer queue = harness.peer(Role.QUEUE);
        queue.send(77, new QueueToAgent.ResultsStored(5000));
        for (int i = 0; i < 5000; i++) {
            Harness.Received r = queue.expect(AgentToQueue.Looped.class);
            assertThat(r.frame().id()).isEqualTo(77);
            assertThat(((AgentToQueue.Looped) r.message()).seq()).isEqualTo(i);
        }
    }

    @Test
    void aDescriptorArrivesWithItsFrame() throws Exception {
        Harness<Probe>.Peer queue = harness.peer(Role.QUEUE);
        byte[] content = "Subject: x\n\nhello\n".getBytes(java.nio.charset.StandardCharsets.UTF_8);
        for (int i = 0; i < 50; i++) {
            queue.send(
                    1,
                    new QueueToAgent.MessageFile(
                            new Msgid(1),
                            Outcome.ok(),
                            QueueToAgent.ContentForm.DESCRIPTOR,
                            Content.NONE),
                    Memfd.sealed("mail", content));
            assertThat(queue.get(AgentToQueue.ContentReleased.class).bytes())
                    .isEqualTo(content.length);
        }
        assertThat(harness.onLoop(() -> harness.process().file)).isEqualTo(content);
    }

    @Test
    void aLostPeerIsReplacedByItsNextIncarnation() {
        Harness<Probe>.Peer queue = harness.peer(Role.QUEUE);
        queue.send(1, new QueueToAgent.ResultsStored(1));
        queue.expect(AgentToQueue.Looped.class);
        queue.die();
        await().until(() -> harness.onLoop(() -> harness.process().diary.contains("lost QUEUE")));
        assertThat(
                        harness.onLoop(
                                () ->
                                        harness.process()
                                                .queue
                                                .send(1, new MtaToQueue.ScheduleNow(List.of()))))
                .isFalse();
        queue.rejoin();
        queue.send(2, new QueueToAgent.ResultsStored(1));
        assertThat(queue.expect(AgentToQueue.Looped.class).frame().id()).isEqualTo(2);
        assertThat(harness.onLoop(() -> List.copyOf(harness.process().diary)))
                .containsExactly("joined QUEUE", "lost QUEUE", "joined QUEUE");
    }

    @Test
    void anImpossibleStateEndsTheProcess() {
        harness.peer(Role.QUEUE).send(1, new QueueToAgent.InFlightQuery());
        assertThat(harness.awaitEnd()).isEqualTo(70);
    }

    @Test
    void endOfFileFromTheParentEndsTheProcess() {
        harness.parent().die();
        assertThat(harness.awaitEnd()).isZero();
    }

    @Test
    void countersReachControlOnRequest() {
        Harness<Probe>.Peer control = harness.peer(Role.CONTROL);
        harness.peer(Role.QUEUE).send(1, new QueueToAgent.ResultsStored(0));
        await().until(
                        () ->
                                harness.onLoop(
                                        () -> harness.process().stats().get(Stat.MTA_TASK) == 1));
        control.send(9, new ControlToChild.StatsRequest());
        control.expect(ChildToControl.StatsDone.class);
    }

    @Test
    void aPingIsAnswered() {
        harness.parent().send(3, new ParentToChild.Ping(44));
        assertThat(harness.parent().get(ChildToParent.Pong.class).n()).isEqualTo(44);
    }

    @Test
    void anOrderedStopEndsWithZero() {
        harness.parent().send(0, new ParentToChild.Stop(1000));
        assertThat(harness.awaitEnd()).isZero();
    }

    @Test
    void aRecordOverItsBoundIsNotSentAndNothingBreaks() {
        Harness<Probe>.Peer queue = harness.peer(Role.QUEUE);
        List<Evpid> many = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            many.add(new Evpid(i));
        }
        Message tooMuch = new MtaToQueue.ScheduleNow(many);
        assertThat(harness.onLoop(() -> harness.process().queue.send(1, (MtaToQueue) tooMuch)))
                .isFalse();
        queue.send(5, new QueueToAgent.ResultsStored(1));
        queue.expect(AgentToQueue.Looped.class);
    }

    /** Connects a queue that the test speaks for byte by byte; returns its end. */
    private int rawQueue() throws Exception {
        int[] frames = Sockets.pair();
        int[] descriptors = Sockets.pair();
        harness.parent()
                .send(
                        0,
                        new ParentToChild.PeerReplaced(
                                Role.QUEUE, 1, 2, ParentToChild.EdgePart.FRAMES),
                        frames[1]);
        harness.parent()
                .send(
                        0,
                        new ParentToChild.PeerReplaced(
                                Role.QUEUE, 1, 2, ParentToChild.EdgePart.DESCRIPTORS),
                        descriptors[1]);
        await().until(() -> harness.onLoop(() -> harness.process().diary.contains("joined QUEUE")));
        return frames[0];
    }

    private void assertEdgeClosedAndAccused(int fd, byte[] bytes) throws Exception {
        Fd.write(fd, bytes, 0, bytes.length);
        assertThat(harness.parent().get(ChildToParent.DropPeer.class).role()).isEqualTo(Role.QUEUE);
        await().until(() -> harness.onLoop(() -> harness.process().diary.contains("lost QUEUE")));
        assertThat(harness.hasEnded()).isFalse();
        Fd.closeQuietly(fd);
    }

    private static byte[] header(int length, int type, int flags) {
        return java.nio.ByteBuffer.allocate(20)
                .putInt(length)
                .putShort((short) type)
                .putShort((short) flags)
                .putInt(0)
                .putLong(7)
                .array();
    }

    @Test
    void aFrameOfAnImpossibleLengthCostsTheEdgeAndNotTheProcess() throws Exception {
        assertEdgeClosedAndAccused(rawQueue(), header(1 << 30, 1, 0));
    }

    @Test
    void aTypeOfAnotherEdgeCostsTheEdge() throws Exception {
        int ofLka =
                smtpd.imsg.Vocabulary.of(ToMta.class).number(smtpd.imsg.LkaToMta.HeloNameIs.class);
        assertEdgeClosedAndAccused(rawQueue(), header(20, ofLka, 0));
    }

    @Test
    void unknownFlagsCostTheEdge() throws Exception {
        int stored = smtpd.imsg.Vocabulary.of(ToMta.class).number(QueueToAgent.ResultsStored.class);
        assertEdgeClosedAndAccused(rawQueue(), header(29, stored, 64));
    }

    @Test
    void aBodyThatIsCutCostsTheEdge() throws Exception {
        int stored = smtpd.imsg.Vocabulary.of(ToMta.class).number(QueueToAgent.ResultsStored.class);
        assertEdgeClosedAndAccused(rawQueue(), header(20, stored, 0));
    }
}
