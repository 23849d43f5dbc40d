package smtpd.mta.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OutboundSessionTest {

    private Sink sink;
    private Conversation talk;

    @BeforeEach
    void open() throws Exception {
        sink = new Sink();
        talk = new Conversation();
    }

    @AfterEach
    void close() throws Exception {
        talk.close();
        sink.close();
    }

    private void onRcpt(String recipient, String reply) {
        sink.answers = command -> command.startsWith("RCPT TO:<" + recipient) ? reply : null;
    }

    private void on(String prefix, String reply) {
        sink.answers = command -> command.startsWith(prefix) ? reply : null;
    }

    @Test
    void oneMailArrivesAsItIs() {
        talk.mail("a@src.test", "Subject: x\n\nhello\n.dot\n..two\n", "b@dest.test", "c@dest.test");
        SessionEnd end = talk.start(sink.address()).await();

        assertThat(end.cause()).isEqualTo(SessionEnd.Cause.QUIT);
        assertThat(end.mails()).isEqualTo(1);
        assertThat(sink.mails).hasSize(1);
        assertThat(sink.mails.getFirst().text())
                .isEqualTo("Subject: x\r\n\r\nhello\r\n..dot\r\n...two\r\n.\r\n");
        assertThat(sink.mails.getFirst().to()).containsExactly("b@dest.test", "c@dest.test");
        assertThat(talk.texts())
                .containsExactly(List.of("DELIVERED 250 2.0.0 taken", "DELIVERED 250 2.0.0 taken"));
        assertThat(sink.commands)
                .containsExactly(
                        "EHLO client.test",
                        "MAIL FROM:<a@src.test> SIZE=29",
                        "RCPT TO:<b@dest.test>",
                        "RCPT TO:<c@dest.test>",
                        "DATA",
                        ".",
                        "QUIT");
    }

    @Test
    void manyMailsShareOneConnection() {
        for (int i = 0; i < 50; i++) {
            talk.mail("a@src.test", "mail " + i + "\n", "b@dest.test");
        }
        talk.start(sink.address()).await();
        assertThat(sink.connections.get()).isEqualTo(1);
        assertThat(sink.mails).hasSize(50);
        for (int i = 0; i < 50; i++) {
            assertThat(sink.mails.get(i).text()).isEqualTo("mail " + i + "\r\n.\r\n");
        }
    }

    @Test
    void sessionEndsAtItsMailMaximum() {
        talk.mailMax = 3;
        for (int i = 0; i < 5; i++) {
            talk.mail("a@src.test", "x\n", "b@dest.test");
        }
        SessionEnd end = talk.start(sink.address()).await();
        assertThat(end.mails()).isEqualTo(3);
        assertThat(sink.mails).hasSize(3);
    }

    @Test
    void peerWithoutPipeliningGetsOneCommandAtATime() {
        sink.ehlo = "250-sink.test\r\n250 8BITMIME\r\n";
        sink.answers = command -> command.startsWith("RCPT TO:<no") ? "550 5.1.1 no\r\n" : null;
        talk.mail("a@src.test", "x\n", "b@dest.test", "no@dest.test", "c@dest.test");
        talk.mail("a@src.test", "y\n", "no@dest.test");
        talk.mail("a@src.test", "z\n", "b@dest.test");
        talk.start(sink.address()).await();
        assertThat(talk.texts())
                .containsExactly(
                        List.of(
                                "DELIVERED 250 2.0.0 taken",
                                "FAILED 550 5.1.1 no",
                                "DELIVERED 250 2.0.0 taken"),
                        List.of("FAILED 550 5.1.1 no"),
                        List.of("DELIVERED 250 2.0.0 taken"));
        assertThat(sink.commands)
                .containsSubsequence("RCPT TO:<no@dest.test>", "RSET", "MAIL FROM:<a@src.test>");
        assertThat(sink.commands.stream().filter("DATA"::equals)).hasSize(2);
    }

    @Test
    void oldServerGetsHelo() {
        on("EHLO", "502 5.5.2 what\r\n");
        talk.mail("a@src.test", "x\n", "b@dest.test");
        talk.start(sink.address()).await();
        assertThat(sink.commands).contains("HELO client.test", "MAIL FROM:<a@src.test>");
        assertThat(sink.mails).hasSize(1);
    }

    @Test
    void serverThatHangsUpOnEhloIsCalledAgainWithHelo() {
        on("EHLO", Sink.FIN);
        talk.mail("a@src.test", "x\n", "b@dest.test");
        talk.start(sink.address()).await();
        assertThat(sink.connections.get()).isEqualTo(2);
        assertThat(sink.mails).hasSize(1);
    }

    @Test
    void keywordsAreReadWithoutCase() {
        sink.ehlo = "250-sink.test\r\n250-pipelining\r\n250-Size 1000\r\n250 dsn\r\n";
        Transaction transaction =
                new Transaction(
                        new Mail(
                                "a@src.test",
                                3,
                                false,
                                false,
                                "HDRS",
                                "QQ31",
                                new Content.InMemory("x\n".getBytes(StandardCharsets.UTF_8), 0, 2)),
                        List.of(new Recipient(1, "b@dest.test", "FAILURE", "rfc822;b@dest.test")),
                        null,
                        true);
        talk.mail(transaction).start(sink.address()).await();
        assertThat(sink.commands)
                .contains(
                        "MAIL FROM:<a@src.test> SIZE=3 RET=HDRS ENVID=QQ31",
                        "RCPT TO:<b@dest.test> NOTIFY=FAILURE ORCPT=rfc822;b@dest.test");
    }

    @Test
    void mailRefusedFailsAllAndSendsNoContent() {
        on("MAIL", "550 5.7.1 not you\r\n");
        talk.mail("a@src.test", "x\n", "b@dest.test", "c@dest.test");
        SessionEnd end = talk.start(sink.address()).await();
        assertThat(talk.texts())
                .containsExactly(List.of("FAILED 550 5.7.1 not you", "FAILED 550 5.7.1 not you"));
        assertThat(sink.mails).isEmpty();
        assertThat(end.cause()).isEqualTo(SessionEnd.Cause.QUIT);
    }

    @Test
    void allRecipientsRefusedButDataAcceptedSendsLoneDotAndGoesOn() {
        sink.answers =
                command ->
                        command.startsWith("RCPT TO:<no")
                                ? "550 5.1.1 no\r\n"
                                : command.startsWith("DATA") ? "354 go\r\n" : null;
        talk.mail("a@src.test", "x\n", "no@dest.test", "no2@dest.test");
        talk.mail("a@src.test", "y\n", "b@dest.test");
        talk.start(sink.address()).await();
        assertThat(sink.mails).hasSize(1);
        assertThat(sink.mails.getFirst().text()).isEqualTo("y\r\n.\r\n");
        assertThat(sink.connections.get()).isEqualTo(1);
        assertThat(talk.texts())
                .containsExactly(
                        List.of("FAILED 550 5.1.1 no", "FAILED 550 5.1.1 no"),
                        List.of("DELIVERED 250 2.0.0 taken"));
    }

    @Test
    void threeOfFiveRecipientsAccepted() {
        onRcpt("no", "550 5.1.1 no\r\n");
        talk.mail(
                "a@src.test",
                "x\n",
                "1@d.test",
                "no1@d.test",
                "2@d.test",
                "no2@d.test",
                "3@d.test");
        talk.start(sink.address()).await();
        assertThat(talk.ended.getFirst().texts())
                .containsExactly(
                        "DELIVERED 250 2.0.0 taken",
                        "FAILED 550 5.1.1 no",
                        "DELIVERED 250 2.0.0 taken",
                        "FAILED 550 5.1.1 no",
                        "DELIVERED 250 2.0.0 taken");
        assertThat(sink.mails.getFirst().to()).containsExactly("1@d.test", "2@d.test", "3@d.test");
    }

    @Test
    void positiveAnswerToDataIsGarbage() {
        on("DATA", "250 2.0.0 ok\r\n");
        talk.mail("a@src.test", "x\n", "b@dest.test");
        SessionEnd end = talk.start(sink.address()).await();
        assertThat(end.cause()).isEqualTo(SessionEnd.Cause.GARBAGE);
        assertThat(talk.texts())
                .containsExactly(List.of("DEFERRED 451 4.5.0 Bad response: code out of range"));
        assertThat(sink.mails).isEmpty();
    }

    @Test
    void surplusRepliesEndTheSessionAndTouchNoOtherMail() {
        on(".", "250 2.0.0 taken\r\n250 2.0.0 again\r\n");
        talk.joined = false;
        talk.mail("a@src.test", "x\n", "b@dest.test");
        talk.mail("a@src.test", "y\n", "b@dest.test");
        SessionEnd end = talk.start(sink.address()).await();
        assertThat(talk.texts()).containsExactly(List.of("DELIVERED 250 2.0.0 taken"));
        assertThat(end.mails()).isEqualTo(1);
    }

    @Test
    void surplusReplyBeforeJoinedMailGivesThatMailBack() {
        on(".", "250 2.0.0 taken\r\n250 2.0.0 again\r\n");
        talk.mail("a@src.test", "x\n", "b@dest.test");
        talk.mail("a@src.test", "y\n", "b@dest.test");
        talk.start(sink.address()).await();
        assertThat(talk.ended.get(0).kind(0)).isEqualTo(Result.Kind.DELIVERED);
        assertThat(talk.ended.get(1).how()).isEqualTo(SessionEvents.Finish.RETURNED);
        assertThat(talk.ended.get(1).transaction().result(0)).isNull();
    }

    @Test
    void enoughRecipientsMeansTheNextTransactionAndIsRemembered() {
        AtomicInteger since = new AtomicInteger();
        sink.answers =
                command -> {
                    if (command.startsWith("MAIL")) {
                        since.set(0);
                    }
                    return command.startsWith("RCPT") && since.incrementAndGet() > 40
                            ? "452 4.5.3 enough\r\n"
                            : null;
                };
        talk.mail("a@src.test", "x\n", Conversation.recipients(100));
        talk.start(sink.address()).await();
        assertThat(sink.mails.stream().map(mail -> mail.to().size())).containsExactly(40, 40, 20);
        assertThat(talk.ended.stream().flatMap(ended -> ended.texts().stream()))
                .noneMatch(text -> text.startsWith("DEFERRED") || text.startsWith("FAILED"));
    }

    @Test
    void firstRecipientAnsweredEnoughIsDeferred() {
        on("RCPT", "452 4.5.3 enough\r\n");
        talk.mail("a@src.test", "x\n", "b@dest.test");
        talk.start(sink.address()).await();
        assertThat(talk.texts()).containsExactly(List.of("DEFERRED 452 4.5.3 enough"));
    }

    @Test
    void fiveHundredFiftyTwoWithoutStatusCountsAsEnough() {
        onRcpt("last", "552 too many recipients\r\n");
        talk.mail("a@src.test", "x\n", "b@dest.test", "last@dest.test");
        talk.start(sink.address()).await();
        assertThat(talk.texts().getFirst()).containsExactly("DELIVERED 250 2.0.0 taken", "-");
    }

    @Test
    void limitsOfThePeerAreObeyed() {
        sink.ehlo = "250-sink.test\r\n250-PIPELINING\r\n250 LIMITS RCPTMAX=10 MAILMAX=2\r\n";
        talk.mail("a@src.test", "x\n", Conversation.recipients(25));
        talk.start(sink.address()).await();
        assertThat(sink.mails.stream().map(mail -> mail.to().size())).containsExactly(10, 10);
    }

    @Test
    void mailTooBigForThePeerIsNotSent() {
        sink.ehlo = "250-sink.test\r\n250 SIZE 10\r\n";
        talk.mail("a@src.test", "much longer than ten\n", "b@dest.test");
        talk.start(sink.address()).await();
        assertThat(talk.ended.getFirst().how()).isEqualTo(SessionEvents.Finish.TOO_BIG);
        assertThat(sink.commands).containsExactly("EHLO client.test", "QUIT");
    }

    @Test
    void parameterThatIsNotUnderstoodIsLeftOutOnce() {
        sink.answers = command -> command.contains("SIZE=") ? "555 5.5.4 what\r\n" : null;
        talk.mail("a@src.test", "x\n", "b@dest.test");
        talk.start(sink.address()).await();
        assertThat(sink.commands).contains("MAIL FROM:<a@src.test>");
        assertThat(sink.mails).hasSize(1);
        assertThat(talk.texts()).containsExactly(List.of("DELIVERED 250 2.0.0 taken"));
    }

    @Test
    void nothingFollowsAfter421() {
        on("RCPT", "421 4.3.2 going down\r\n");
        talk.mail("a@src.test", "x\n", "b@dest.test");
        SessionEnd end = talk.start(sink.address()).await();
        assertThat(end.cause()).isEqualTo(SessionEnd.Cause.REFUSED);
        assertThat(talk.texts()).containsExactly(List.of("DEFERRED 421 4.3.2 going down"));
        assertThat(sink.commands).doesNotContain("RSET", "QUIT", ".");
    }

    @Test
    void twentyFiveRefusedRecipientsInARowEndTheSession() {
        sink.ehlo = "250-sink.test\r\n250 8BITMIME\r\n";
        on("RCPT", "550 5.1.1 no\r\n");
        talk.mail("a@src.test", "x\n", Conversation.recipients(40));
        SessionEnd end = talk.start(sink.address()).await();
        assertThat(end.cause()).isEqualTo(SessionEnd.Cause.TOO_MANY_FAILURES);
        List<String> texts = talk.texts().getFirst();
        assertThat(texts.subList(0, 25)).allMatch(text -> text.startsWith("FAILED 550"));
        assertThat(texts.subList(25, 40))
                .allMatch(
                        text ->
                                text.equals(
                                        "DEFERRED 451 4.5.3 Too many consecutive errors,"
                                                + " closing connection"));
        await().untilAsserted(() -> assertThat(sink.commands).contains("QUIT"));
    }

    @Test
    void tenMailsInARowRefusedEndTheSession() {
        on("MAIL", "450 4.7.1 not now\r\n");
        for (int i = 0; i < 12; i++) {
            talk.mail("a@src.test", "x\n", "b@dest.test");
        }
        SessionEnd end = talk.start(sink.address()).await();
        assertThat(end.cause()).isEqualTo(SessionEnd.Cause.REJECTS_ALL);
        assertThat(end.reply().isTemporary()).isTrue();
        assertThat(end.mails()).isEqualTo(10);
    }

    @Test
    void hostThatGreetsWithOurNameIsOurselves() {
        talk.helo = "SINK.test";
        talk.mail("a@src.test", "x\n", "b@dest.test");
        SessionEnd end = talk.start(sink.address()).await();
        assertThat(end.cause()).isEqualTo(SessionEnd.Cause.OURSELVES);
        assertThat(end.text()).isEqualTo("451 4.4.6 Host greeted us with our own name");
    }

    @Test
    void refusedBannerNamesTheReply() {
        on("BANNER", "554 5.7.1 go away\r\n");
        SessionEnd end = talk.start(sink.address()).await();
        assertThat(end.cause()).isEqualTo(SessionEnd.Cause.REFUSED);
        assertThat(end.text()).isEqualTo("454 4.7.1 go away");
        assertThat(end.wasReady()).isFalse();
    }

    @Test
    void closedPortIsConnectionRefused() {
        SessionEnd end =
                talk.start(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 1)).await();
        assertThat(end.cause()).isEqualTo(SessionEnd.Cause.NETWORK);
        assertThat(end.text()).isEqualTo("451 4.4.1 connection refused");
    }

    @Test
    void sourceThatIsNotOursIsTheSourcesFault() throws Exception {
        talk.source = InetAddress.ofLiteral("192.0.2.1");
        SessionEnd end = talk.start(sink.address()).await();
        assertThat(end.cause()).isEqualTo(SessionEnd.Cause.SOURCE);
    }

    @Test
    void sourceIsBound() throws Exception {
        talk.source = InetAddress.ofLiteral("127.0.0.9");
        talk.mail("a@src.test", "x\n", "b@dest.test");
        assertThat(talk.start(sink.address()).await().cause()).isEqualTo(SessionEnd.Cause.QUIT);
    }

    @Test
    void slowReplyDoesNotRenewItsTimeout() {
        talk.timeouts = Conversation.QUICK;
        on("MAIL", Sink.DRIP);
        talk.mail("a@src.test", "x\n", "b@dest.test");
        SessionEnd end = talk.start(sink.address()).await();
        assertThat(end.cause()).isEqualTo(SessionEnd.Cause.TIMEOUT);
        assertThat(talk.texts())
                .containsExactly(List.of("DEFERRED 451 4.4.1 Connection timeout (mail)"));
    }

    @Test
    void lostReplyToTheDotIsAPossibleDuplicate() {
        on(".", Sink.RST);
        talk.mail("a@src.test", "x\n", "b@dest.test");
        talk.start(sink.address()).await();
        assertThat(talk.ended.getFirst().transaction().result(0).sent()).isTrue();
        assertThat(talk.ended.getFirst().kind(0)).isEqualTo(Result.Kind.DEFERRED);
    }

    @Test
    void idleConnectionLostAtReuseGivesTheMailBack() {
        AtomicInteger count = new AtomicInteger();
        sink.answers =
                command ->
                        command.startsWith("MAIL") && count.incrementAndGet() == 2
                                ? Sink.FIN
                                : null;
        talk.joined = false;
        talk.mail("a@src.test", "x\n", "b@dest.test");
        talk.mail("a@src.test", "y\n", "b@dest.test");
        talk.start(sink.address()).await();
        assertThat(talk.ended.get(1).how()).isEqualTo(SessionEvents.Finish.RETURNED);
    }

    @Test
    void idleSessionStaysAndTakesTheNextMail() {
        talk.keepAlive = 20_000;
        talk.start(sink.address());
        await().until(() -> sink.commands.contains("EHLO client.test"));
        talk.loop()
                .execute(
                        () -> {
                            talk.mail("a@src.test", "x\n", "b@dest.test");
                            talk.session().wake();
                        });
        await().until(() -> talk.ended.size() == 1);
        talk.loop().execute(() -> talk.session().stop());
        assertThat(talk.await().cause()).isEqualTo(SessionEnd.Cause.QUIT);
        assertThat(sink.connections.get()).isEqualTo(1);
    }

    @Test
    void unsolicitedLineWhileIdleClosesSilently() {
        talk.keepAlive = 20_000;
        on("EHLO", "250 sink.test\r\n");
        talk.mail("a@src.test", "x\n", "b@dest.test");
        sink.answers = command -> command.equals(".") ? "250 ok\r\n" : null;
        talk.start(sink.address());
        await().until(() -> talk.ended.size() == 1);
        sink.answers = null;
        talk.loop().execute(() -> talk.session().abort());
        assertThat(talk.await().text()).isEmpty();
    }

    @Test
    void replyDuringContentStopsTheContent() throws Exception {
        byte[] big = new byte[8 << 20];
        Arrays.fill(big, (byte) 'x');
        on("DATA", "354 go\r\n552 5.3.4 too big for me\r\n");
        talk.mail(
                Conversation.transaction(
                        "a@src.test",
                        new Content.InMemory(big, 0, big.length),
                        big.length,
                        "b@dest.test"));
        talk.start(sink.address()).await();
        assertThat(talk.texts()).containsExactly(List.of("FAILED 552 5.3.4 too big for me"));
        assertThat(sink.mails).isEmpty();
    }

    @Test
    void largeContentFromAFileArrivesWhole(@TempDir Path folder) throws Exception {
        long seed = Long.getLong("seed", 1);
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        byte[] content = new byte[5_000_000];
        for (int i = 0; i < content.length; i++) {
            content[i] = (byte) (random.nextInt(40) == 0 ? '\n' : 'a' + random.nextInt(26));
            if (random.nextInt(50) == 0) {
                content[i] = '.';
            }
        }
        content[content.length - 1] = '\n';
        Path file = Files.write(folder.resolve("content"), content);
        try (FileChannel open = FileChannel.open(file)) {
            Content onDisk =
                    new Content.OnDisk(
                            (position, into) -> open.read(ByteBuffer.wrap(into), position),
                            content.length);
            for (int i = 0; i < 3; i++) {
                talk.mail(
                        Conversation.transaction(
                                "a@src.test", onDisk, content.length, "b@dest.test"));
            }
            talk.start(sink.address()).await();
        }
        assertThat(sink.mails).hasSize(3);
        for (Sink.Received mail : sink.mails) {
            assertThat(unstuff(mail.raw())).isEqualTo(content);
        }
    }

    @Test
    void fileThatCannotBeReadDefersAndTheSessionGoesOn() {
        Content broken =
                new Content.OnDisk(
                        (position, into) -> {
                            throw new java.io.IOException("gone");
                        },
                        1000);
        talk.mail(Conversation.transaction("a@src.test", broken, 1000, "b@dest.test"));
        talk.mail("a@src.test", "y\n", "b@dest.test");
        talk.start(sink.address()).await();
        assertThat(talk.texts())
                .containsExactly(
                        List.of("DEFERRED 451 4.3.0 Could not get message fd"),
                        List.of("DELIVERED 250 2.0.0 taken"));
    }

    @Test
    void lmtpAnswersForEachRecipient() {
        sink.lmtp = true;
        talk.lmtp = true;
        sink.answers =
                command ->
                        command.equals(".1")
                                ? "452 4.2.2 full\r\n"
                                : command.equals(".2") ? "550 5.1.1 gone\r\n" : null;
        talk.mail("a@src.test", "x\n", "1@d.test", "2@d.test", "3@d.test");
        talk.start(sink.address()).await();
        assertThat(sink.commands).contains("LHLO client.test");
        assertThat(talk.texts().getFirst())
                .containsExactly(
                        "DELIVERED 250 2.0.0 taken",
                        "DEFERRED 452 4.2.2 full",
                        "FAILED 550 5.1.1 gone");
    }

    @Test
    void lmtpLossAfterTheFirstAnswerDefersTheOthers() {
        sink.lmtp = true;
        talk.lmtp = true;
        on(".1", Sink.FIN);
        talk.mail("a@src.test", "x\n", "1@d.test", "2@d.test", "3@d.test");
        talk.start(sink.address()).await();
        assertThat(talk.ended.getFirst().kind(0)).isEqualTo(Result.Kind.DELIVERED);
        assertThat(talk.ended.getFirst().kind(1)).isEqualTo(Result.Kind.DEFERRED);
        assertThat(talk.ended.getFirst().kind(2)).isEqualTo(Result.Kind.DEFERRED);
    }

    @Test
    void commandCannotBeSmuggledInAnAddress() {
        talk.mail("a@src.test", "x\n", "b@dest.test>\r\nRCPT TO:<evil@dest.test", "c@dest.test");
        talk.start(sink.address()).await();
        assertThat(sink.mails.getFirst().to()).containsExactly("c@dest.test");
        assertThat(talk.ended.getFirst().kind(0)).isEqualTo(Result.Kind.FAILED);
    }

    @Test
    void mixedRefusalsOf200RecipientsGoInGroupsOf100() {
        onRcpt("r1", "550 5.1.1 no\r\n");
        talk.maxFailures = 0;
        Transaction all =
                Conversation.transaction("a@src.test", "x\n", Conversation.recipients(100));
        talk.mail(all).start(sink.address()).await();
        assertThat(sink.mails.getFirst().to()).hasSize(89);
    }

    private static final List<String> FAULTS =
            List.of(
                    "451 4.3.0 later\r\n",
                    "554 5.3.0 no\r\n",
                    "421 4.3.2 bye\r\n",
                    "354 go\r\n",
                    "199 odd\r\n",
                    "what?\r\n",
                    "250-a\r\n251 b\r\n",
                    Sink.HANG,
                    Sink.DRIP,
                    Sink.RST,
                    Sink.FIN,
                    Sink.HALF);

    @Test
    void nothingThatHappensToAResetHurtsAMail() throws Exception {
        for (String fault : FAULTS) {
            try (Sink peer = new Sink();
                    Conversation with = new Conversation()) {
                with.timeouts =
                        new Timeouts(5000, 9000, 9000, 9000, 9000, 9000, 9000, 9000, 300, 300);
                peer.ehlo = "250 sink.test\r\n";
                peer.answers =
                        command ->
                                command.startsWith("RSET")
                                        ? fault
                                        : command.startsWith("RCPT TO:<no")
                                                ? "550 5.1.1 no\r\n"
                                                : null;
                with.mail("a@src.test", "x\n", "no@dest.test");
                with.mail("a@src.test", "y\n", "b@dest.test");
                with.start(peer.address()).await();
                assertThat(with.texts().getFirst())
                        .as(fault)
                        .containsExactly("FAILED 550 5.1.1 no");
                assertThat(with.ended.get(1).how())
                        .as(fault)
                        .isEqualTo(SessionEvents.Finish.RETURNED);
                assertThat(peer.mails).as(fault).isEmpty();
            }
        }
    }

    @Test
    void whateverAnswersQuitResultsStand() throws Exception {
        for (String fault : FAULTS) {
            try (Sink peer = new Sink();
                    Conversation with = new Conversation()) {
                with.timeouts =
                        new Timeouts(5000, 9000, 9000, 9000, 9000, 9000, 9000, 9000, 9000, 200);
                peer.answers = command -> command.startsWith("QUIT") ? fault : null;
                with.mail("a@src.test", "x\n", "b@dest.test");
                SessionEnd end = with.start(peer.address()).await();
                assertThat(with.texts())
                        .as(fault)
                        .containsExactly(List.of("DELIVERED 250 2.0.0 taken"));
                assertThat(end.cause()).as(fault).isEqualTo(SessionEnd.Cause.QUIT);
                assertThat(end.text()).as(fault).isEmpty();
            }
        }
    }

    @Test
    void sixRepliesToFiveCommandsEndTheSessionAndResultsStand() {
        sink.answers =
                command ->
                        command.startsWith("RCPT")
                                ? "550 5.1.1 no\r\n"
                                : command.equals("DATA")
                                        ? "554 5.5.1 nobody\r\n250 2.0.0 surplus\r\n"
                                        : null;
        talk.mail("a@src.test", "x\n", "1@d.test", "2@d.test", "3@d.test");
        talk.mail("a@src.test", "y\n", "4@d.test");
        SessionEnd end = talk.start(sink.address()).await();
        assertThat(talk.texts())
                .containsExactly(
                        List.of(
                                "FAILED 550 5.1.1 no",
                                "FAILED 550 5.1.1 no",
                                "FAILED 550 5.1.1 no"));
        assertThat(end.cause()).isEqualTo(SessionEnd.Cause.GARBAGE);
    }

    @Test
    void halfAnAnswerToEhloIsNoPartOfTheNextGreeting() {
        on("EHLO", Sink.HALF);
        talk.mail("a@src.test", "x\n", "b@dest.test");
        talk.start(sink.address()).await();
        assertThat(sink.connections.get()).isEqualTo(2);
        assertThat(sink.mails).hasSize(1);
    }

    @Test
    void commandsOfTheNextMailLeaveWithTheContentBefore() throws Exception {
        try (Packets peer = new Packets()) {
            for (int i = 0; i < 3; i++) {
                talk.mail("a@src.test", "mail " + i + "\n", "b@dest.test");
            }
            talk.start(peer.address()).await();
            String commands = "MAIL FROM:<a@src.test>\r\nRCPT TO:<b@dest.test>\r\nDATA\r\n";
            assertThat(peer.packets)
                    .containsExactly(
                            "EHLO client.test\r\n",
                            commands,
                            "mail 0\r\n.\r\n" + commands,
                            "mail 1\r\n.\r\n" + commands,
                            "mail 2\r\n.\r\n",
                            "QUIT\r\n");
        }
    }

    static byte[] unstuff(byte[] wire) {
        byte[] out = new byte[wire.length];
        int length = 0;
        boolean start = true;
        for (int i = 0; i < wire.length - 3; i++) {
            if (start && wire[i] == '.') {
                start = false;
                continue;
            }
            if (wire[i] == '\r' && wire[i + 1] == '\n') {
                continue;
            }
            start = wire[i] == '\n';
            out[length++] = wire[i];
        }
        return Arrays.copyOf(out, length);
    }
}
