package smtpd.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import smtpd.conf.Config;
import smtpd.conf.ConfigBundle;
import smtpd.conf.ConfigParser;
import smtpd.conf.Instance;
import smtpd.ctl.Typed;
import smtpd.envelope.Evpid;
import smtpd.imsg.ChildToControl.ControlDone;
import smtpd.imsg.ControlToMta;
import smtpd.imsg.ControlToQueue;
import smtpd.imsg.ControlToScheduler;
import smtpd.imsg.CtlToControl;
import smtpd.imsg.FrameHeader;
import smtpd.imsg.Message;
import smtpd.imsg.ParentToControl;
import smtpd.imsg.QueueToControl;
import smtpd.imsg.Role;
import smtpd.imsg.Selection;
import smtpd.imsg.Vocabulary;
import smtpd.proc.Harness;
import smtpd.sys.Sockets;

/** Hostile, hasty and slow clients. */
class ClientsTest {

    @TempDir private Path dir;

    private Harness<ControlProcess> harness;
    private final List<SocketChannel> open = new ArrayList<>();

    @BeforeEach
    void start() throws Exception {
        harness = new Harness<>(Role.CONTROL, ControlProcess::new);
        Config config =
                ConfigParser.parse(
                        ConfigBundle.ofText(
                                1,
                                Instance.at(dir),
                                "mail.example.org",
                                "smtpd.conf",
                                "accept for any relay\n"));
        harness.configure(config);
        String path = dir.resolve("smtpd.sock").toString();
        harness.parent()
                .send(
                        0,
                        new ParentToControl.ControlListener(path),
                        Sockets.listenUnix(path, 0666, 128));
    }

    @AfterEach
    void close() throws IOException {
        for (SocketChannel each : open) {
            each.close();
        }
        harness.close();
    }

    private SocketChannel connect() throws IOException {
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        channel.connect(UnixDomainSocketAddress.of(dir.resolve("smtpd.sock")));
        open.add(channel);
        return channel;
    }

    private static ByteBuffer frame(CtlToControl message, int protocol) {
        ByteBuf out = Unpooled.buffer();
        Vocabulary.of(CtlToControl.class)
                .encode(out, message, 0, protocol, 77, -1, FrameHeader.CAP);
        return out.nioBuffer();
    }

    private static ByteBuffer frame(CtlToControl message) {
        return frame(message, CtlToControl.PROTOCOL);
    }

    private static void send(SocketChannel to, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            to.write(bytes);
        }
    }

    /** Whole frames until the end of the connection or {@code count} of them. */
    private static List<ByteBuffer> read(SocketChannel from, int count) throws IOException {
        List<ByteBuffer> frames = new ArrayList<>();
        while (frames.size() < count) {
            ByteBuffer header = ByteBuffer.allocate(4);
            if (!fill(from, header)) {
                return frames;
            }
            ByteBuffer rest = ByteBuffer.allocate(header.getInt(0));
            rest.putInt(header.getInt(0));
            fill(from, rest);
            frames.add(rest.flip());
        }
        return frames;
    }

    private static boolean fill(SocketChannel from, ByteBuffer to) throws IOException {
        while (to.hasRemaining()) {
            if (from.read(to) < 0) {
                return false;
            }
        }
        return true;
    }

    private void assertServes() {
        assertThat(Typed.start(dir, "show", "status").text()).contains("SMTP running");
    }

    @Test
    void garbageClosesThatClientAlone() throws Exception {
        long seed = Long.getLong("seed", 1);
        Random random = new Random(seed);
        SocketChannel other = connect();
        for (int i = 0; i < 200; i++) {
            SocketChannel bad = connect();
            byte[] bytes = new byte[FrameHeader.SIZE + random.nextInt(200)];
            random.nextBytes(bytes);
            if (i % 2 == 0) {
                ByteBuffer.wrap(bytes)
                        .putInt(bytes.length)
                        .putShort((short) random.nextInt(30))
                        .putShort((short) 0)
                        .putInt(CtlToControl.PROTOCOL);
            }
            try {
                send(bad, ByteBuffer.wrap(bytes));
                bad.shutdownOutput();
                read(bad, 100);
            } catch (IOException e) {
                assertThat(e.getMessage()).as("seed %d", seed).isNotNull(); // closed on us
            }
            bad.close();
            open.remove(bad);
        }
        send(other, frame(new CtlToControl.ShowStatus()));
        assertThat(read(other, 4)).hasSize(4);
        assertThat(harness.hasEnded()).isFalse();
    }

    @Test
    void aLengthOutOfBoundsIsNotWaitedFor() throws Exception {
        for (int length : new int[] {0, 19, FrameHeader.CAP + 1, -1, Integer.MAX_VALUE}) {
            SocketChannel bad = connect();
            ByteBuffer header = ByteBuffer.allocate(FrameHeader.SIZE);
            header.putInt(length).putShort((short) 1).putShort((short) 0);
            header.putInt(CtlToControl.PROTOCOL).putLong(1).flip();
            send(bad, header);
            assertThat(read(bad, 1)).isEmpty();
        }
        assertServes();
    }

    @Test
    void anUnknownRequestIsAnsweredByAFailure() throws Exception {
        SocketChannel client = connect();
        ByteBuffer header = ByteBuffer.allocate(FrameHeader.SIZE);
        header.putInt(FrameHeader.SIZE).putShort((short) 999).putShort((short) 0);
        header.putInt(CtlToControl.PROTOCOL).putLong(1).flip();
        send(client, header);
        assertThat(done(read(client, 1).get(0)).text()).isEqualTo("unknown request");
        send(client, frame(new CtlToControl.ShowStatus()));
        assertThat(read(client, 4)).hasSize(4);
    }

    private static ControlDone done(ByteBuffer frame) throws Exception {
        ByteBuf in = Unpooled.wrappedBuffer(frame);
        in.skipBytes(FrameHeader.SIZE);
        return (ControlDone)
                Vocabulary.of(smtpd.imsg.ControlToCtl.class)
                        .decode(frame.getShort(4), in, frame.limit());
    }

    @Test
    void anotherProtocolIsToldOurNumber() throws Exception {
        SocketChannel client = connect();
        send(client, frame(new CtlToControl.ShowStatus(), 16));
        List<ByteBuffer> frames = read(client, 2);
        assertThat(frames).hasSize(1);
        assertThat(frames.get(0).getInt(8)).isEqualTo(CtlToControl.PROTOCOL);
        ControlDone done = done(frames.get(0));
        assertThat(done.ok()).isFalse();
        assertThat(done.count()).isEqualTo(CtlToControl.OTHER_PROTOCOL);
    }

    @Test
    void requestsSentTogetherAreAnsweredOneAfterTheOther() throws Exception {
        var scheduler = harness.peer(Role.SCHEDULER);
        SocketChannel client = connect();
        ByteBuf both = Unpooled.buffer();
        both.writeBytes(frame(new ControlToScheduler.Schedule(new Selection.All(), 4711)));
        both.writeBytes(frame(new CtlToControl.ShowStatus()));
        send(client, both.nioBuffer());
        Harness.Received asked = scheduler.expect(ControlToScheduler.Schedule.class);
        // The uid is the connection's, whatever the frame says.
        assertThat(((ControlToScheduler.Schedule) asked.message()).uid())
                .isEqualTo(smtpd.sys.Identity.euid());
        scheduler.sendFor(
                asked.frame().peer(), asked.frame().id(), new ControlDone(true, 5, 0, ""));
        List<ByteBuffer> frames = read(client, 5);
        assertThat(done(frames.get(0)).count()).isEqualTo(5);
        assertThat(done(frames.get(4)).count()).isEqualTo(3);
        assertThat(frames.get(0).getLong(12)).isEqualTo(77);
    }

    @Test
    void answersToAClientThatIsGoneAreDropped() throws Exception {
        var mta = harness.peer(Role.MTA);
        SocketChannel client = connect();
        send(client, frame(new ControlToMta.ShowMta(ControlToMta.MtaView.HOSTS, 0)));
        Harness.Received asked = mta.expect(ControlToMta.ShowMta.class);
        client.close();
        await().until(
                        () ->
                                Typed.start(dir, "show", "stats")
                                        .text()
                                        .contains("control.session=1\n"));
        mta.sendFor(asked.frame().peer(), asked.frame().id(), new ControlDone(true, 0, 0, ""));
        // Nor does the answer reach whoever comes next.
        Typed next = Typed.start(dir, "show", "hosts");
        Harness.Received again = next(mta, ControlToMta.ShowMta.class);
        mta.sendFor(asked.frame().peer(), asked.frame().id(), new ControlDone(true, 0, 0, "old"));
        mta.sendFor(again.frame().peer(), asked.frame().id(), new ControlDone(true, 0, 0, "old"));
        mta.sendFor(again.frame().peer(), again.frame().id(), new ControlDone(false, 0, 0, "mine"));
        assertThat(next.text()).isEqualTo("command failed: mine\n");
    }

    /** The next one of this type; requests for figures are not answered. */
    private static Harness.Received next(
            Harness<ControlProcess>.Peer peer, Class<? extends Message> type) {
        while (true) {
            Harness.Received received = peer.next();
            if (type.isInstance(received.message())) {
                return received;
            }
        }
    }

    @Test
    void oneUserHasAtMost32Connections() throws Exception {
        for (int i = 0; i < Clients.MAX_OF_ONE_USER; i++) {
            SocketChannel client = connect();
            send(client, frame(new CtlToControl.ShowStatus()));
            assertThat(read(client, 4)).hasSize(4);
        }
        SocketChannel one = connect();
        assertThat(read(one, 1)).isEmpty();
        open.get(0).close();
        await().until(
                        () -> {
                            SocketChannel client = connect();
                            try {
                                send(client, frame(new CtlToControl.ShowStatus()));
                                return read(client, 4).size() == 4;
                            } catch (IOException e) {
                                return false;
                            }
                        });
    }

    @Test
    void aSlowReaderMakesTheQueueWaitAndLosesNothing() throws Exception {
        var queue = harness.peer(Role.QUEUE);
        SocketChannel client = connect();
        send(
                client,
                frame(new ControlToQueue.ShowMessage(new Evpid(1), ControlToQueue.What.MESSAGE)));
        Harness.Received asked = queue.expect(ControlToQueue.ShowMessage.class);
        byte[] piece = new byte[32 << 10];
        int pieces = 300;
        for (int i = 0; i < pieces; i++) {
            queue.sendFor(
                    asked.frame().peer(),
                    asked.frame().id(),
                    new QueueToControl.MessageContent(piece));
        }
        queue.sendFor(asked.frame().peer(), asked.frame().id(), new ControlDone(true, 1, 0, ""));
        // Others are served meanwhile.
        assertServes();
        List<ByteBuffer> frames = read(client, pieces + 1);
        assertThat(frames).hasSize(pieces + 1);
        assertThat(done(frames.get(pieces)).ok()).isTrue();
    }

    @Test
    void onlyRootAndTheOwnerOfAPrivateInstanceGiveOrders() {
        Rights rights = new Rights(1000, OptionalInt.of(50));
        CtlToControl order = new CtlToControl.SetVerbose(true);
        CtlToControl look = new CtlToControl.ShowStats();
        CtlToControl mail = new ControlToScheduler.ListEnvelopes(new Evpid(0), 1);
        assertThat(rights.allows(new Sockets.Peer(1, 0, 0), order)).isTrue();
        assertThat(rights.allows(new Sockets.Peer(1, 1000, 1000), order)).isTrue();
        assertThat(rights.allows(new Sockets.Peer(1, 1001, 1000), order)).isFalse();
        assertThat(rights.allows(new Sockets.Peer(1, 1001, 50), order)).isFalse();
        assertThat(rights.allows(new Sockets.Peer(1, 1001, 50), look)).isTrue();
        assertThat(rights.allows(new Sockets.Peer(1, 1001, 50), mail)).isFalse();
        assertThat(Rights.ROOT_ONLY.allows(new Sockets.Peer(1, -1, 0), look)).isFalse();
    }
}
