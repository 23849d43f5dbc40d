package smtpd.mta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import smtpd.conf.Config;
import smtpd.conf.ConfigBundle;
import smtpd.conf.ConfigParser;
import smtpd.conf.Instance;
import smtpd.envelope.Envelope;
import smtpd.envelope.EnvelopeText;
import smtpd.envelope.EnvelopeType;
import smtpd.envelope.Evpid;
import smtpd.envelope.Msgid;
import smtpd.envelope.RelayFlag;
import smtpd.imsg.AgentToQueue;
import smtpd.imsg.ChildToControl;
import smtpd.imsg.Content;
import smtpd.imsg.ControlToChild;
import smtpd.imsg.ControlToMta;
import smtpd.imsg.DnsStatus;
import smtpd.imsg.LkaToMta;
import smtpd.imsg.Message;
import smtpd.imsg.MtaToLka;
import smtpd.imsg.Outcome;
import smtpd.imsg.ParentToChild;
import smtpd.imsg.QueueToAgent;
import smtpd.imsg.QueueToAgent.ContentForm;
import smtpd.imsg.Resolve;
import smtpd.imsg.Resolved;
import smtpd.imsg.ReverseLookup;
import smtpd.imsg.ReverseName;
import smtpd.imsg.Role;
import smtpd.imsg.SocketAddr;
import smtpd.imsg.StoredEnvelope;
import smtpd.log.Trace;
import smtpd.log.TraceLines;
import smtpd.mail.MailAddress;
import smtpd.mta.session.Sink;
import smtpd.proc.Harness;
import smtpd.sys.Memfd;

class MtaProcessTest {

    private static final String TEXT = "Subject: hi\n\nhello\n";

    private Sink sink;
    private Harness<MtaProcess> mta;
    private Harness<MtaProcess>.Peer queue;
    private Harness<MtaProcess>.Peer lka;
    private int lastMsgid;

    @BeforeEach
    void open() throws Exception {
        sink = new Sink();
        mta = new Harness<>(Role.MTA, MtaProcess::new);
        mta.configure(config("accept for any relay\n"));
        lka = mta.peer(Role.LKA);
        queue = mta.peer(Role.QUEUE);
        queue.expect(AgentToQueue.InFlightReport.class);
    }

    private static Config config(String text) throws Exception {
        return ConfigParser.parse(
                ConfigBundle.ofText(7, Instance.system(), "mx.example.org", "smtpd.conf", text));
    }

    @AfterEach
    void close() throws Exception {
        mta.close();
        sink.close();
    }

    // -- what the queue hands over

    private smtpd.envelope.EnvelopeBuilder envelope(String recipient) {
        return Envelope.builder()
                .version(2)
                .type(EnvelopeType.MTA)
                .smtpname("mx.example.org")
                .helo("client")
                .hostname("localhost")
                .sockaddr("local")
                .sender(MailAddress.split("alice@example.org"))
                .rcpt(MailAddress.split(recipient))
                .dest(MailAddress.split(recipient))
                .ctime(1_700_000_000L)
                .relay("smtp://host.test:" + sink.port());
    }

    private Msgid transfer(ContentForm form, byte[] content, int fd, Envelope... envelopes) {
        Msgid msgid = new Msgid(++lastMsgid);
        List<StoredEnvelope> stored = new ArrayList<>();
        for (int i = 0; i < envelopes.length; i++) {
            stored.add(new StoredEnvelope(Evpid.of(msgid, i + 1), EnvelopeText.dump(envelopes[i])));
        }
        int lines = 0;
        for (byte b : content) {
            lines += b == '\n' ? 1 : 0;
        }
        queue.send(
                0,
                new QueueToAgent.Transfer(
                        msgid,
                        stored,
                        form,
                        form == ContentForm.INLINE ? Content.of(content) : Content.NONE,
                        content.length,
                        0,
                        lines),
                fd);
        return msgid;
    }

    private Msgid inline(Envelope... envelopes) {
        return transfer(ContentForm.INLINE, TEXT.getBytes(StandardCharsets.UTF_8), -1, envelopes);
    }

    private void resolve() {
        Harness.Received asked = lka.expect(Resolve.class);
        assertThat(((Resolve) asked.message()).kind()).isEqualTo(Resolve.Kind.HOST);
        lka.send(asked.frame().id(), here());
    }

    private static Resolved here() {
        return new Resolved(
                DnsStatus.OK,
                List.of(
                        new Resolved.MxHost(
                                -1,
                                SocketAddr.of(InetAddress.getLoopbackAddress(), 0),
                                "host.test",
                                false)),
                false);
    }

    /** The next message of this type; others that may come in between are left out. */
    private <M extends Message> M hear(Class<M> type) {
        while (true) {
            Message message = queue.next().message();
            if (type.isInstance(message)) {
                return type.cast(message);
            }
        }
    }

    @Test
    void inlineMailIsSentAndItsResultTold() {
        Msgid msgid = inline(envelope("bob@dest.test").build());
        resolve();
        AgentToQueue.Delivered delivered = hear(AgentToQueue.Delivered.class);
        assertThat(delivered.seq()).isEqualTo(1);
        assertThat(delivered.evpids()).containsExactly(Evpid.of(msgid, 1));
        assertThat(delivered.text()).isEqualTo("250 2.0.0 taken");
        assertThat(delivered.esc()).isEqualTo("2.0.0");
        assertThat(delivered.remote()).isEqualTo("host.test [127.0.0.1]");
        assertThat(delivered.dsnCapable()).isFalse();
        assertThat(hear(AgentToQueue.ContentReleased.class).bytes()).isEqualTo(TEXT.length());
        assertThat(sink.mails.getFirst().text()).isEqualTo("Subject: hi\r\n\r\nhello\r\n.\r\n");
        assertThat(sink.commands).contains("EHLO mx.example.org");
    }

    private void trace(int mask) {
        var control = mta.peer(Role.CONTROL);
        control.send(0, new ControlToChild.TraceState(mask, 0, false));
        assertThat(control.get(ChildToControl.TraceApplied.class).mask()).isEqualTo(mask);
    }

    @Test
    void sessionsAreTracedFromTheSwitchOnAndContentIsOnlyCounted() {
        try (TraceLines lines = new TraceLines(Trace.MTA)) {
            inline(envelope("before@dest.test").build());
            resolve();
            hear(AgentToQueue.Delivered.class);
            assertThat(lines.lines()).isEmpty();
            trace(Trace.MTA.bit());
            inline(envelope("bob@dest.test").build());
            hear(AgentToQueue.Delivered.class);
            assertThat(lines.texts())
                    .containsSubsequence(
                            "dir=out text=\"MAIL FROM:<alice@example.org> SIZE=22\"",
                            "dir=out text=\"RCPT TO:<bob@dest.test>\"",
                            "dir=out text=\"DATA\"",
                            "dir=in text=\"250 2.0.0 ok\"",
                            "text=\"MAIL -> RCPT\"",
                            "text=\"RCPT -> DATA\"",
                            "text=\"DATA -> BODY\"",
                            "dir=out text=\"[...25 bytes...]\"",
                            "dir=out text=\"[EOM]\"",
                            "dir=in text=\"250 2.0.0 taken\"")
                    .noneMatch(line -> line.contains("Subject") || line.contains("hello"));
            assertThat(lines.lines())
                    .allMatch(line -> line.matches("trace=mta sid=[0-9a-f]{16} .*"));
            trace(0);
            int before = lines.lines().size();
            inline(envelope("after@dest.test").build());
            hear(AgentToQueue.Delivered.class);
            assertThat(lines.lines()).hasSize(before);
        }
    }

    @Test
    void connectionAndGreetingAreTraced() {
        try (TraceLines lines = new TraceLines(Trace.MTA);
                TraceLines io = new TraceLines(Trace.IO)) {
            trace(Trace.MTA.bit() | Trace.IO.bit());
            inline(envelope("bob@dest.test").build());
            resolve();
            hear(AgentToQueue.Delivered.class);
            assertThat(lines.texts())
                    .containsSubsequence(
                            "text=\"connecting to host.test [127.0.0.1] port " + sink.port() + "\"",
                            "text=\"CONNECT -> BANNER\"",
                            "dir=in text=\"220 sink.test\"",
                            "dir=out text=\"EHLO mx.example.org\"");
            assertThat(io.texts()).contains("text=\"IO_CONNECTED ib=0 ob=0\"");
            assertThat(io.texts()).anyMatch(line -> line.startsWith("text=\"IO_DATAIN ib="));
        }
    }

    @Test
    void severalRecipientsOfOneRelayAreOneTransaction() {
        sink.answers =
                command -> command.startsWith("RCPT TO:<no") ? "550 5.1.1 no such\r\n" : null;
        Msgid msgid =
                inline(
                        envelope("bob@dest.test").build(),
                        envelope("no@dest.test").build(),
                        envelope("carl@other.test").build());
        resolve();
        AgentToQueue.Delivered delivered = null;
        AgentToQueue.Failed failed = null;
        while (delivered == null || failed == null) {
            switch (queue.next().message()) {
                case AgentToQueue.Delivered d -> delivered = d;
                case AgentToQueue.Failed f -> failed = f;
                default -> {}
            }
        }
        assertThat(delivered.evpids()).containsExactly(Evpid.of(msgid, 1), Evpid.of(msgid, 3));
        assertThat(failed.evpids()).containsExactly(Evpid.of(msgid, 2));
        assertThat(failed.esc()).isEqualTo("5.1.1");
        assertThat(failed.text()).isEqualTo("550 5.1.1 no such");
        assertThat(sink.mails).hasSize(1);
    }

    @Test
    void largeContentComesAsADescriptorAndIsGivenBack() throws Exception {
        byte[] content = new byte[300_000];
        Arrays.fill(content, (byte) 'x');
        for (int i = 70; i < content.length; i += 71) {
            content[i] = '\n';
        }
        content[content.length - 1] = '\n';
        transfer(
                ContentForm.DESCRIPTOR,
                content,
                Memfd.sealed("content", content),
                envelope("bob@dest.test").build());
        resolve();
        hear(AgentToQueue.Delivered.class);
        assertThat(hear(AgentToQueue.ContentReleased.class).descriptors()).isEqualTo(1);
        assertThat(sink.mails.getFirst().text().replace("\r\n", "\n"))
                .isEqualTo(new String(content, StandardCharsets.UTF_8) + ".\n");
    }

    @Test
    void contentOutOfCreditIsAskedForAtTheStartOfTheSession() {
        byte[] bytes = TEXT.getBytes(StandardCharsets.UTF_8);
        Msgid msgid = transfer(ContentForm.ASK, bytes, -1, envelope("bob@dest.test").build());
        resolve();
        Harness.Received asked = queue.expect(AgentToQueue.OpenMessage.class);
        assertThat(((AgentToQueue.OpenMessage) asked.message()).msgid()).isEqualTo(msgid);
        queue.send(
                asked.frame().id(),
                new QueueToAgent.MessageFile(
                        msgid, Outcome.ok(), ContentForm.INLINE, Content.of(bytes)));
        hear(AgentToQueue.Delivered.class);
    }

    @Test
    void contentThatIsNotThereDefers() {
        byte[] bytes = TEXT.getBytes(StandardCharsets.UTF_8);
        Msgid msgid = transfer(ContentForm.ASK, bytes, -1, envelope("bob@dest.test").build());
        resolve();
        Harness.Received asked = queue.expect(AgentToQueue.OpenMessage.class);
        queue.send(
                asked.frame().id(),
                new QueueToAgent.MessageFile(
                        msgid,
                        new Outcome.Temporary("451 4.3.0 gone", "4.3.0"),
                        ContentForm.ASK,
                        Content.NONE));
        assertThat(hear(AgentToQueue.Deferred.class).text())
                .isEqualTo("451 4.3.0 Could not get message fd");
    }

    @Test
    void laterHandOverOfAKnownMessageNeedsNoContent() {
        CountDownLatch go = new CountDownLatch(1);
        sink.answers =
                command -> {
                    if (command.equals("BANNER")) {
                        awaitQuietly(go);
                    }
                    return null;
                };
        Msgid msgid = inline(envelope("bob@dest.test").build());
        resolve();
        queue.send(
                0,
                new QueueToAgent.Transfer(
                        msgid,
                        List.of(
                                new StoredEnvelope(
                                        Evpid.of(msgid, 9),
                                        EnvelopeText.dump(envelope("dan@dest.test").build()))),
                        ContentForm.KNOWN,
                        Content.NONE,
                        TEXT.length(),
                        0,
                        3));
        go.countDown();
        assertThat(hear(AgentToQueue.Delivered.class).evpids())
                .containsExactly(Evpid.of(msgid, 1), Evpid.of(msgid, 9));
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void resultsAreToldAgainToAQueueThatCameBackUntilTheyAreStored() {
        Msgid msgid = inline(envelope("bob@dest.test").build());
        resolve();
        hear(AgentToQueue.Delivered.class);
        queue.die();
        queue.rejoin();
        AgentToQueue.InFlightReport report = hear(AgentToQueue.InFlightReport.class);
        assertThat(report.evpids()).containsExactly(Evpid.of(msgid, 1));
        assertThat(hear(AgentToQueue.Delivered.class).seq()).isEqualTo(1);
        queue.send(0, new QueueToAgent.ResultsStored(1));
        queue.send(0, new QueueToAgent.InFlightQuery());
        assertThat(hear(AgentToQueue.InFlightReport.class).evpids()).isEmpty();
    }

    @Test
    void sessionsGoOnWhileTheQueueIsAway() {
        CountDownLatch go = new CountDownLatch(1);
        sink.answers =
                command -> {
                    if (command.equals(".")) {
                        awaitQuietly(go);
                    }
                    return null;
                };
        inline(envelope("bob@dest.test").build());
        resolve();
        await().until(() -> sink.commands.contains("."));
        queue.die();
        go.countDown();
        await().until(() -> !sink.mails.isEmpty());
        queue.rejoin();
        assertThat(hear(AgentToQueue.Delivered.class).seq()).isEqualTo(1);
    }

    @Test
    void questionsAreRepeatedToALookUpServiceThatCameBack() {
        inline(envelope("bob@dest.test").build());
        lka.expect(Resolve.class);
        lka.die();
        lka.rejoin();
        resolve();
        hear(AgentToQueue.Delivered.class);
    }

    @Test
    void lateAnswerIsDropped() {
        lka.send(99, here());
        inline(envelope("bob@dest.test").build());
        resolve();
        hear(AgentToQueue.Delivered.class);
    }

    @Test
    void hundredReceivedFieldsAreALoopAndNothingIsSent() {
        byte[] bytes =
                ("Received: from x\n".repeat(100) + "\nbody\n").getBytes(StandardCharsets.UTF_8);
        Msgid msgid = transfer(ContentForm.INLINE, bytes, -1, envelope("bob@dest.test").build());
        assertThat(hear(AgentToQueue.Looped.class).evpids()).containsExactly(Evpid.of(msgid, 1));
        assertThat(sink.connections.get()).isZero();
    }

    @Test
    void ninetyNineReceivedFieldsAreNone() {
        byte[] bytes =
                ("Received: from x\n".repeat(99) + "\nbody\n").getBytes(StandardCharsets.UTF_8);
        transfer(ContentForm.INLINE, bytes, -1, envelope("bob@dest.test").build());
        resolve();
        hear(AgentToQueue.Delivered.class);
    }

    @Test
    void demandedTlsIsNeverLowered() {
        inline(
                envelope("bob@dest.test")
                        .relay("tls://host.test:" + sink.port())
                        .relayFlags(java.util.Set.of(RelayFlag.TLS))
                        .build());
        assertThat(hear(AgentToQueue.Deferred.class).text()).startsWith("451 4.7.4 TLS required");
        assertThat(sink.connections.get()).isZero();
    }

    @Test
    void demandedTlsWithAnAddressThatForbidsItDefers() {
        inline(envelope("bob@dest.test").relayFlags(java.util.Set.of(RelayFlag.TLS)).build());
        assertThat(hear(AgentToQueue.Deferred.class).text())
                .isEqualTo("451 4.3.5 TLS required for relaying");
        assertThat(sink.connections.get()).isZero();
    }

    @Test
    void hostsOfATableAreAskedOnceForAMessage() {
        Envelope[] many = new Envelope[50];
        for (int i = 0; i < many.length; i++) {
            many[i] = envelope("r" + i + "@dest.test").relay("").relayTable("hosts").build();
        }
        inline(many);
        Harness.Received asked = lka.expect(MtaToLka.SmartHost.class);
        lka.send(
                asked.frame().id(),
                new LkaToMta.SmartHostIs(
                        Outcome.ok(), false, List.of("smtp://host.test:" + sink.port())));
        resolve();
        assertThat(hear(AgentToQueue.Delivered.class).evpids()).hasSize(50);
        assertThat(sink.mails).hasSize(1);
        assertThat(lka.drain())
                .noneMatch(received -> received.message() instanceof MtaToLka.SmartHost);
    }

    private Envelope throughTable(String recipient) {
        return envelope(recipient).relay("").relayTable("hosts").build();
    }

    private void hostsAre(boolean byDomain, String... urls) {
        lka.send(
                lka.expect(MtaToLka.SmartHost.class).frame().id(),
                new LkaToMta.SmartHostIs(Outcome.ok(), byDomain, List.of(urls)));
    }

    private String url(String host) {
        return "smtp://" + host + ":" + sink.port();
    }

    @Test
    void listOfTwoHostsDoesNotCutAMessageOfManyDomainsInPieces() {
        Envelope[] many = new Envelope[100];
        for (int i = 0; i < many.length; i++) {
            many[i] = throughTable("r@d" + i + ".test");
        }
        inline(many);
        hostsAre(false, url("[127.0.0.1]"), url("host.test"));
        assertThat(hear(AgentToQueue.Delivered.class).evpids()).hasSize(100);
        assertThat(sink.mails).hasSize(1);
    }

    @Test
    void hostsOfAListTakeTurnsAndAreNotAskedForAgain() {
        inline(throughTable("a@dest.test"));
        hostsAre(false, url("[127.0.0.1]"), url("[127.0.0.2]"));
        String first = hear(AgentToQueue.Delivered.class).remote();
        inline(throughTable("b@dest.test"));
        // The second host is nobody's: the first one of the list is the next one's fallback.
        assertThat(hear(AgentToQueue.Delivered.class).remote()).isEqualTo(first);
        assertThat(mta.hasEnded()).isFalse();
        assertThat(lka.drain())
                .noneMatch(received -> received.message() instanceof MtaToLka.SmartHost);
    }

    @Test
    void hostThatCannotBeReachedMeansTheNextOfTheListInTheSameAttempt() {
        Msgid msgid = inline(throughTable("a@dest.test"));
        hostsAre(false, url("[127.0.0.3]"), url("[127.0.0.1]"));
        AgentToQueue.Delivered delivered = hear(AgentToQueue.Delivered.class);
        assertThat(delivered.evpids()).containsExactly(Evpid.of(msgid, 1));
        assertThat(sink.mails).hasSize(1);
    }

    @Test
    void eachDomainOfAMappingIsAskedForAndKept() {
        inline(throughTable("a@one.test"), throughTable("b@two.test"), throughTable("c@one.test"));
        hostsAre(true, url("[127.0.0.1]"));
        hostsAre(true, url("[127.0.0.1]"));
        for (int delivered = 0; delivered < 3; ) {
            delivered += hear(AgentToQueue.Delivered.class).evpids().size();
        }
        inline(throughTable("d@two.test"), throughTable("e@one.test"));
        assertThat(hear(AgentToQueue.Delivered.class).evpids()).hasSize(2);
        assertThat(lka.drain())
                .noneMatch(received -> received.message() instanceof MtaToLka.SmartHost);
    }

    @Test
    void secondPartOfAMessageThatWaitsForItsHostsIsNotLost() {
        Msgid msgid = inline(throughTable("a@dest.test"));
        Harness.Received asked = lka.expect(MtaToLka.SmartHost.class);
        queue.send(
                0,
                new QueueToAgent.Transfer(
                        msgid,
                        List.of(
                                new StoredEnvelope(
                                        Evpid.of(msgid, 9),
                                        EnvelopeText.dump(throughTable("b@dest.test")))),
                        ContentForm.KNOWN,
                        Content.NONE,
                        TEXT.length(),
                        0,
                        3));
        queue.send(0, new QueueToAgent.InFlightQuery());
        assertThat(hear(AgentToQueue.InFlightReport.class).evpids())
                .containsExactlyInAnyOrder(Evpid.of(msgid, 1), Evpid.of(msgid, 9));
        lka.send(
                asked.frame().id(),
                new LkaToMta.SmartHostIs(Outcome.ok(), false, List.of(url("[127.0.0.1]"))));
        assertThat(hear(AgentToQueue.Delivered.class).evpids())
                .containsExactlyInAnyOrder(Evpid.of(msgid, 1), Evpid.of(msgid, 9));
    }

    @Test
    void hostThatMakesNoSenseDefers() {
        inline(throughTable("a@dest.test"));
        lka.send(
                lka.expect(MtaToLka.SmartHost.class).frame().id(),
                new LkaToMta.SmartHostIs(
                        new Outcome.Temporary("451 4.3.5 Cannot parse smarthost", "4.3.5"),
                        true,
                        List.of()));
        assertThat(hear(AgentToQueue.Deferred.class).text())
                .isEqualTo("451 4.3.5 Cannot parse smarthost");
    }

    @Test
    void addressOfAHostIsNotAskedFor() {
        inline(envelope("bob@dest.test").relay(url("127.0.0.1")).build());
        assertThat(hear(AgentToQueue.Delivered.class).remote())
                .isEqualTo("[127.0.0.1] [127.0.0.1]");
        assertThat(lka.drain()).noneMatch(received -> received.message() instanceof Resolve);
    }

    @Test
    void hostThatIsNotInTheTableDefers() {
        inline(envelope("bob@dest.test").relay("").relayTable("hosts").build());
        Harness.Received asked = lka.expect(MtaToLka.SmartHost.class);
        lka.send(asked.frame().id(), new LkaToMta.SmartHostIs(Outcome.ok(), true, List.of()));
        assertThat(hear(AgentToQueue.Deferred.class).text())
                .isEqualTo("451 4.3.5 Cannot retrieve smarthost");
    }

    @Test
    void envelopeThatCannotBeReadIsDeferred() {
        Msgid msgid = new Msgid(77);
        queue.send(
                0,
                new QueueToAgent.Transfer(
                        msgid,
                        List.of(
                                new StoredEnvelope(
                                        Evpid.of(msgid, 1),
                                        "nonsense".getBytes(StandardCharsets.UTF_8))),
                        ContentForm.INLINE,
                        Content.of(new byte[] {'x', '\n'}),
                        2,
                        0,
                        1));
        assertThat(hear(AgentToQueue.Deferred.class).evpids()).containsExactly(Evpid.of(msgid, 1));
    }

    private static String route(Harness<MtaProcess>.Peer control) {
        control.sendFor(3, 4, new ControlToMta.ShowMta(ControlToMta.MtaView.ROUTES, 0));
        String text = control.get(ChildToControl.ShowRow.class).fields().get(1);
        control.expect(ChildToControl.ControlDone.class);
        return text;
    }

    @Test
    void operatorSeesRoutesRelaysAndHosts() {
        inline(envelope("bob@dest.test").build());
        resolve();
        Harness.Received name = lka.expect(ReverseLookup.class);
        lka.send(name.frame().id(), new ReverseName(DnsStatus.OK, "localhost", true));
        hear(AgentToQueue.Delivered.class);
        Harness<MtaProcess>.Peer control = mta.peer(Role.CONTROL);
        await().until(() -> route(control).equals("[] <-> 127.0.0.1 (localhost)"));
        control.sendFor(3, 5, new ControlToMta.ShowMta(ControlToMta.MtaView.ROUTES, 0));
        Harness.Received row = control.expect(ChildToControl.ShowRow.class);
        assertThat(row.frame().peer()).isEqualTo(3);
        List<String> fields = ((ChildToControl.ShowRow) row.message()).fields();
        assertThat(fields.get(1)).isEqualTo("[] <-> 127.0.0.1 (localhost)");
        assertThat(fields.get(2)).isEqualTo("---K");
        assertThat(control.get(ChildToControl.ControlDone.class).count()).isEqualTo(1);

        control.sendFor(3, 6, new ControlToMta.ShowMta(ControlToMta.MtaView.HOSTS, 0));
        assertThat(control.get(ChildToControl.ShowRow.class).fields().getFirst())
                .isEqualTo("127.0.0.1");
        control.expect(ChildToControl.ControlDone.class);

        control.sendFor(3, 7, new ControlToMta.ShowMta(ControlToMta.MtaView.RELAYS, 0));
        assertThat(control.get(ChildToControl.ShowRow.class).fields().get(1))
                .startsWith("[relay:host.test,port=" + sink.port());
        assertThat(control.get(ChildToControl.ShowRow.class).fields().getFirst())
                .isEqualTo("connector");
        control.expect(ChildToControl.ControlDone.class);

        control.sendFor(3, 8, new ControlToMta.HoldNames(List.of(1L, 99L)));
        assertThat(control.get(ChildToControl.ShowRow.class).fields().getFirst()).isEqualTo("1");
        control.expect(ChildToControl.ControlDone.class);

        control.sendFor(3, 9, new ControlToMta.EnableRoute(4711));
        assertThat(control.get(ChildToControl.ControlDone.class).ok()).isFalse();
        control.sendFor(3, 10, new ControlToMta.EnableRoute(0));
        assertThat(control.get(ChildToControl.ControlDone.class).count()).isEqualTo(1);
    }

    @Test
    void orderedStopEndsTheOpenTransactionAndWaitsForStorage() {
        CountDownLatch go = new CountDownLatch(1);
        sink.answers =
                command -> {
                    if (command.equals(".")) {
                        awaitQuietly(go);
                    }
                    return null;
                };
        inline(envelope("bob@dest.test").build());
        resolve();
        await().until(() -> sink.commands.contains("."));
        mta.parent().send(0, new ParentToChild.Stop(20_000));
        go.countDown();
        AgentToQueue.Delivered delivered = hear(AgentToQueue.Delivered.class);
        assertThat(mta.hasEnded()).isFalse();
        queue.send(0, new QueueToAgent.ResultsStored(delivered.seq()));
        assertThat(mta.awaitEnd()).isZero();
        assertThat(sink.commands.getLast()).isEqualTo("QUIT");
    }

    @Test
    void stopWhoseTimeIsUpDefersWhatRuns() {
        sink.answers = command -> command.equals(".") ? Sink.HANG : null;
        inline(envelope("bob@dest.test").build());
        resolve();
        await().until(() -> sink.commands.contains("."));
        mta.parent().send(0, new ParentToChild.Stop(200));
        assertThat(hear(AgentToQueue.Deferred.class).text()).isEqualTo("451 4.3.2 Shutting down");
        assertThat(mta.awaitEnd()).isZero();
    }

    @Test
    void descriptorOfAnUnknownMessageIsClosed() throws Exception {
        byte[] bytes = {'x', '\n'};
        int before = openFiles();
        for (int i = 0; i < 20; i++) {
            queue.send(
                    i,
                    new QueueToAgent.MessageFile(
                            new Msgid(4711), Outcome.ok(), ContentForm.DESCRIPTOR, Content.NONE),
                    Memfd.sealed("content", bytes));
        }
        int released = 0;
        while (released < 20) {
            released += hear(AgentToQueue.ContentReleased.class).descriptors();
        }
        assertThat(openFiles()).isLessThanOrEqualTo(before + 2);
    }

    private static int openFiles() {
        return new java.io.File("/proc/self/fd").list().length;
    }
}
