package smtpd.smtp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import smtpd.envelope.Msgid;
import smtpd.imsg.ChildToControl;
import smtpd.imsg.ControlToSmtp;
import smtpd.imsg.Outcome;
import smtpd.imsg.ParentToChild;
import smtpd.imsg.QueueToSmtp;
import smtpd.imsg.Role;
import smtpd.imsg.SmtpToQueue;

/** Large mails, limits, peers that die, clients that go, a hostile crowd. */
class SmtpProcessFailureTest {

    private static final String MAIL = "MAIL FROM:<a@b>\r\n";
    private static final String RCPT = "RCPT TO:<bob@c>\r\n";

    @TempDir private Path dir;
    private Daemon daemon;

    @AfterEach
    void stop() {
        daemon.close();
    }

    private void start(String... configuration) {
        daemon = new Daemon(dir, configuration);
    }

    private Talk inData() {
        Talk talk = daemon.greeted();
        talk.send(MAIL + RCPT + "DATA\r\n").expectAll("250 2.1.0", "250 2.1.5", "354 ");
        return talk;
    }

    private long sid() {
        return daemon.harness.onLoop(() -> daemon.harness.process().anySession().sid());
    }

    private long contentBytes() {
        return daemon.harness.onLoop(() -> daemon.harness.process().shared().contentBytes());
    }

    /** One second passes for deadlines, as often as asked. */
    private void seconds(int count) {
        daemon.harness.onLoop(
                () -> {
                    for (int i = 0; i < count; i++) {
                        daemon.harness.process().shared().wheel.tick();
                    }
                    return null;
                });
    }

    // ---- content

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 1000, 130_000, 131_072, 140_000, 700_000, 3_000_000})
    void contentOfEverySizeArrivesWhole(int size) throws Exception {
        start();
        StringBuilder body = new StringBuilder("A: b\r\n\r\n");
        Random random = new Random(size);
        while (body.length() < size) {
            body.append("x".repeat(random.nextInt(200))).append("\r\n.\r\n".substring(0, 2));
            body.append("..").append(random.nextInt(10)).append("\r\n");
        }
        String expected = body.toString().replace("\r\n..", "\r\n.").replace("\r\n", "\n");
        try (Talk talk = inData()) {
            talk.send(body + ".\r\n").expect("250 2.0.0");
            Daemon.Mail mail = daemon.mail();
            assertThat(mail.body()).isEqualTo(expected);
            assertThat(mail.commit().inFile()).isEqualTo(mail.content().length > 128 << 10);
            assertThat(mail.commit().size()).isEqualTo(mail.content().length);
            java.util.zip.CRC32C crc = new java.util.zip.CRC32C();
            crc.update(mail.content());
            assertThat(mail.commit().crc32c()).isEqualTo((int) crc.getValue());
            talk.send(MAIL + RCPT + "BDAT " + body.length() + " LAST\r\n" + body);
            talk.expectAll("250", "250", "250 2.0.0");
            assertThat(daemon.mail().body()).isEqualTo(body.toString().replace("\r\n", "\n"));
        }
        assertThat(contentBytes()).isZero();
    }

    @Test
    void mailOverTheLimitIsReadToItsEndAndRefused() throws Exception {
        start("max-message-size 100K", "listen on localhost", "accept for any relay");
        String line = "x".repeat(1022) + "\r\n";
        try (Talk talk = inData()) {
            talk.send("\r\n" + line.repeat(99) + "y".repeat(1020) + "\r\n.\r\n")
                    .expect("250 2.0.0");
            talk.send(MAIL + RCPT + "DATA\r\n\r\n" + line.repeat(101) + ".\r\n");
            talk.expectAll("250", "250", "354", "552 5.3.4 Message too big");
            talk.send(MAIL + RCPT + "BDAT 110000\r\n" + "z".repeat(110_000) + "BDAT 3 LAST\r\nabc");
            talk.expectAll("250", "250", "552 5.3.4", "503 5.5.1 Transaction failed, send RSET");
            talk.send("RSET\r\n" + MAIL).expectAll("250", "250");
        }
        assertThat(daemon.mails).hasSize(1);
        assertThat(contentBytes()).isZero();
    }

    @Test
    void refusedFileIsToldAtTheEndAndTheSessionLives() throws Exception {
        start();
        daemon.fileOutcome = new Outcome.Temporary("452 4.3.1 Mail system full", "4.3.1");
        String big = "A: b\r\n\r\n" + ("x".repeat(998) + "\r\n").repeat(300) + ".\r\n";
        try (Talk talk = inData()) {
            talk.send(big).expect("452 4.3.1 Mail system full");
            daemon.fileOutcome = new Outcome.Temporary("", "");
            talk.send(MAIL + RCPT + "DATA\r\n" + big).expectAll("250", "250", "354", "451 4.3.0");
            daemon.fileOutcome = Outcome.ok();
            talk.send(MAIL + RCPT + "DATA\r\n" + big).expectAll("250", "250", "354", "250");
            daemon.mail();
        }
        await().until(() -> daemon.aborts.size() == 2);
        assertThat(contentBytes()).isZero();
    }

    @Test
    void fullDiskIsToldAtMail() {
        start();
        try (Talk talk = daemon.greeted()) {
            daemon.say(false, QueueToSmtp.StorageReason.SPACE);
            await().until(() -> talk.ask("MAIL FROM:<a@b>").startsWith("452 4.3.1"));
            daemon.say(false, QueueToSmtp.StorageReason.LOADING);
            await().until(() -> talk.ask("MAIL FROM:<a@b>").startsWith("451 4.3.0"));
            daemon.say(true, QueueToSmtp.StorageReason.NONE);
            await().until(() -> talk.ask("MAIL FROM:<a@b>").startsWith("250 "));
        }
    }

    // ---- peers

    @Test
    void queueLostInATransactionMeansStartAgain() throws Exception {
        start();
        try (Talk talk = daemon.greeted()) {
            talk.send(MAIL + RCPT).expectAll("250", "250");
            daemon.harness.peer(Role.QUEUE).die();
            await().until(
                            () ->
                                    talk.ask("RCPT TO:<c@d>")
                                            .equals("451 4.3.0 Transaction lost, start again"));
            assertThat(talk.ask("DATA")).startsWith("451 4.3.0 Transaction lost");
            talk.send("BDAT 3\r\nabc").expect("451 4.3.0 Transaction lost");
            assertThat(talk.ask("MAIL FROM:<a@b>")).startsWith("451 4.3.0");
            daemon.harness.peer(Role.QUEUE).rejoin();
            daemon.say(true, QueueToSmtp.StorageReason.NONE);
            await().until(() -> talk.ask("MAIL FROM:<a@b>").startsWith("250 "));
            talk.send(RCPT + "DATA\r\n.\r\n").expectAll("250", "354", "250");
        }
    }

    @Test
    void queueLostInDataIsToldAtTheEnd() throws Exception {
        start();
        for (String body : List.of("A: b\r\n", "A: b\r\n\r\n" + "x\r\n".repeat(70_000))) {
            try (Talk talk = inData()) {
                talk.send(body);
                await().until(() -> contentBytes() > 0 || daemon.filesOpened.get() > 0);
                daemon.harness.peer(Role.QUEUE).die();
                talk.send(".\r\n").expect("451 4.3.0");
                assertThat(contentBytes()).isZero();
                daemon.harness.peer(Role.QUEUE).rejoin();
                daemon.say(true, QueueToSmtp.StorageReason.NONE);
                await().until(() -> talk.ask("MAIL FROM:<a@b>").startsWith("250 "));
            }
        }
        assertThat(daemon.mails).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void commitIsHeldOverARestartOfTheQueue(boolean durable) throws Exception {
        start();
        daemon.queueMute = true;
        try (Talk talk = inData()) {
            talk.send("A: b\r\n.\r\nNOOP\r\n");
            Daemon.Mail mail = daemon.mail();
            long sid = sid();
            daemon.harness.peer(Role.QUEUE).die();
            seconds(20);
            daemon.harness.peer(Role.QUEUE).rejoin();
            SmtpToQueue.CommitStatus asked = (SmtpToQueue.CommitStatus) daemon.statuses.take();
            assertThat(asked.no()).isEqualTo(mail.commit().no());
            assertThat(daemon.statuses.take()).isInstanceOf(SmtpToQueue.CommitStatusEnd.class);
            Outcome outcome = durable ? Outcome.ok() : new Outcome.Temporary("", "");
            daemon.harness
                    .peer(Role.QUEUE)
                    .send(
                            sid,
                            new QueueToSmtp.MessageCommitted(asked.no(), asked.msgid(), outcome));
            talk.expect(durable ? "250 2.0.0 10000001 Message" : "451 4.3.0");
            talk.expect("250 2.0.0 Ok");
        }
        assertThat(daemon.aborts).isEmpty();
    }

    @Test
    void commitUnknownFor30SecondsIs421AndWithdrawn() throws Exception {
        start();
        daemon.queueMute = true;
        try (Talk talk = inData()) {
            talk.send("A: b\r\n.\r\n");
            daemon.mail();
            daemon.harness.peer(Role.QUEUE).die();
            await().until(
                            () ->
                                    daemon.harness.onLoop(
                                            () ->
                                                    daemon.harness
                                                                    .process()
                                                                    .anySession()
                                                                    .exchange()
                                                                    .heldCommit()
                                                            != null));
            seconds(31);
            assertThat(talk.rest())
                    .containsExactly("421 4.3.0 mx.example Result unknown, try again");
            daemon.harness.peer(Role.QUEUE).rejoin();
            assertThat(daemon.statuses.take()).isInstanceOf(SmtpToQueue.CommitStatusEnd.class);
            assertThat(daemon.aborts.take().msgid()).isEqualTo(new Msgid(0x10000001));
        }
    }

    @Test
    void lkaLostIsTemporaryForThatRecipientAlone() throws Exception {
        start();
        try (Talk talk = daemon.greeted()) {
            talk.send(MAIL + RCPT + "RCPT TO:<mute@c>\r\n").expectAll("250", "250");
            daemon.questions.take();
            daemon.questions.take();
            daemon.harness.peer(Role.LKA).die();
            talk.expect("451 4.3.0 Temporary failure: <mute@c>");
            assertThat(talk.ask("RCPT TO:<d@c>")).isEqualTo("451 4.3.0 Temporary failure: <d@c>");
            talk.send("DATA\r\nA: b\r\n.\r\n").expectAll("354", "250");
            assertThat(daemon.mail().commit().accepted()).containsExactly(2);
            daemon.harness.peer(Role.LKA).rejoin();
            talk.send(MAIL + RCPT).expectAll("250", "250");
        }
    }

    @Test
    void lateAnswersAreDroppedAndWhatTheyStagedIsAborted() throws Exception {
        start();
        try (Talk talk = daemon.greeted()) {
            talk.send(MAIL + "RCPT TO:<mute@c>\r\n").expect("250");
            var question = daemon.questions.take();
            seconds(121);
            talk.expect("451 4.3.0 Temporary failure: <mute@c>");
            talk.send("RSET\r\n").expect("250");
            assertThat(daemon.aborts.take().expansionsOut()).isEqualTo(1);
            daemon.stored(sid(), question, 1);
            assertThat(daemon.aborts.take().no()).isEqualTo(1);
            talk.send(MAIL + RCPT + "DATA\r\n.\r\n").expectAll("250", "250", "354", "250");
            daemon.stored(0x1234, question, 1);
            assertThat(talk.ask("NOOP")).startsWith("250 ");
        }
    }

    // ---- clients

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "EHLO x\r\n",
                "EHLO x\r\nMAIL FROM:<a@b>\r\n",
                "EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<bob@c>\r\n",
                "EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<mute@c>\r\n",
                "EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<bob@c>\r\nDATA\r\n",
                "EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<bob@c>\r\nDATA\r\nA: b\r\n",
                "EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<bob@c>\r\nBDAT 10 LAST\r\nA: b"
            })
    void clientGoneLeavesNothingBehind(String before) throws Exception {
        start();
        Talk talk = daemon.talk();
        talk.send(before).expect("220 ");
        if (before.contains("RCPT")) {
            daemon.questions.take();
        }
        talk.reset();
        await().until(
                        () ->
                                daemon.harness.onLoop(() -> daemon.harness.process().sessionCount())
                                        == 0);
        if (before.contains("RCPT")) {
            assertThat(daemon.aborts.take().no()).isEqualTo(1);
        }
        assertThat(daemon.mails).isEmpty();
        assertThat(contentBytes()).isZero();
    }

    @Test
    void clientGoneAfterTheEndKeepsItsMail() throws Exception {
        start();
        daemon.queueMute = true;
        Talk talk = inData();
        talk.send("A: b\r\n.\r\n");
        Daemon.Mail mail = daemon.mail();
        long sid = sid();
        talk.reset();
        daemon.harness
                .peer(Role.QUEUE)
                .send(
                        sid,
                        new QueueToSmtp.MessageCommitted(
                                mail.commit().no(), new Msgid(0x10000001), Outcome.ok()));
        await().until(
                        () ->
                                daemon.harness.onLoop(() -> daemon.harness.process().sessionCount())
                                        == 0);
        assertThat(daemon.aborts).isEmpty();
    }

    @Test
    void silentClientHears421() {
        start();
        try (Talk talk = inData()) {
            talk.send("a\n.\n");
            await().until(() -> contentBytes() == 0);
            seconds(299);
            seconds(2);
            assertThat(talk.rest()).containsExactly("421 4.4.2 mx.example Timeout");
        }
        await().until(() -> daemon.aborts.size() == 1);
    }

    @Test
    void byteAMinuteDoesNotKeepACommandLineAlive() {
        start();
        try (Talk talk = daemon.greeted()) {
            long sid = sid();
            for (int i = 0; i < 5; i++) {
                talk.send("x");
                int length = i + 1;
                await().until(
                                () ->
                                        daemon.harness.onLoop(
                                                () ->
                                                        daemon.harness
                                                                        .process()
                                                                        .anySession()
                                                                        .bufferedInput()
                                                                == length));
                seconds(60);
            }
            seconds(2);
            assertThat(sid).isNotZero();
            assertThat(talk.rest()).containsExactly("421 4.4.2 mx.example Timeout");
        }
    }

    @Test
    void clientThatDoesNotReadIsNotReadFrom() {
        start();
        try (Talk talk = Talk.to(daemon.submission())) {
            talk.expect("220 ");
            byte[] flood =
                    "HELP\r\n".repeat(400_000).getBytes(java.nio.charset.StandardCharsets.US_ASCII);
            int sent = talk.trySend(flood, 1500);
            assertThat(sent).isLessThan(flood.length);
            await().until(
                            () ->
                                    !daemon.harness.onLoop(
                                            () ->
                                                    daemon.harness
                                                            .process()
                                                            .anySession()
                                                            .isClientReading()));
        }
    }

    // ---- limits, local, pause, stop

    @Test
    void mailsAndRecipientsOfASessionAreLimited() throws Exception {
        start(
                "limit session max-mails 2 max-rcpt 3",
                "listen on localhost",
                "accept for any relay");
        try (Talk talk = daemon.greeted()) {
            talk.send(MAIL + RCPT.repeat(4) + "DATA\r\n.\r\n");
            talk.expectAll(
                    "250", "250", "250", "250", "452 4.5.3 Too many recipients", "354", "250");
            talk.send(MAIL + RCPT + "DATA\r\n.\r\n").expectAll("250", "250", "354", "250");
            assertThat(talk.ask("MAIL FROM:<a@b>"))
                    .isEqualTo("452 4.7.0 Too many messages in this session");
            assertThat(daemon.mail().commit().accepted()).containsExactly(0b1110);
        }
    }

    @Test
    void localSubmissionIsTrustedByItsUid() throws Exception {
        start();
        Path socket = daemon.submission();
        try (Talk talk = Talk.to(socket)) {
            talk.expect("220 mx.example ESMTP smtpd");
            assertThat(talk.ask("EHLO any.word!"))
                    .startsWith("250-mx.example Hello any.word! [local], pleased to meet you");
            talk.send("NOOP\r\n".repeat(60));
            for (int i = 0; i < 60; i++) {
                talk.expect("250");
            }
            talk.send("MAIL FROM:<anyone@anywhere> AUTH=<>\r\n" + RCPT + "DATA\r\nA: b\r\n.\r\n");
            talk.expectAll("250", "250", "354", "250");
            long uid = new com.sun.security.auth.module.UnixSystem().getUid();
            assertThat(daemon.mail().text())
                    .startsWith("Received: from localhost (" + uid + "@localhost [local])\n");
            var question = daemon.questions.take();
            assertThat(question.authenticated()).isTrue();
            assertThat(question.tag()).isEqualTo("local");
            assertThat(question.hostname()).isEqualTo(uid + "@localhost");
            assertThat(question.sockaddr().isLocal()).isTrue();
        }
    }

    @Test
    void pausedListenerLeavesNewcomersWaitingAndTellsSendmail() throws Exception {
        start();
        Path socket = daemon.submission();
        try (Talk old = daemon.greeted()) {
            daemon.harness.peer(Role.CONTROL).sendFor(3, 9, new ControlToSmtp.PauseSmtp());
            assertThat(daemon.harness.peer(Role.CONTROL).get(ChildToControl.ControlDone.class).ok())
                    .isTrue();
            try (Talk local = Talk.to(socket)) {
                assertThat(local.rest())
                        .containsExactly("421 4.3.2 mx.example Submission is paused");
            }
            try (Talk waiting = daemon.talk()) {
                assertThat(old.ask("NOOP")).startsWith("250 ");
                daemon.harness.peer(Role.CONTROL).sendFor(3, 9, new ControlToSmtp.ResumeSmtp());
                waiting.expect("220 ");
            }
        }
    }

    @Test
    void orderedStopLetsContentEnd() throws Exception {
        start();
        try (Talk idle = daemon.greeted();
                Talk busy = inData()) {
            daemon.harness.parent().send(0, new ParentToChild.Stop(20_000));
            assertThat(idle.rest()).containsExactly("421 4.3.2 mx.example Shutting down");
            busy.send("A: b\r\n.\r\n");
            assertThat(busy.rest())
                    .extracting(r -> r.substring(0, 9))
                    .containsExactly("250 2.0.0", "421 4.3.2");
            daemon.mail();
        }
        assertThat(daemon.harness.awaitEnd()).isZero();
    }

    @Test
    void crowdOfRandomBytesHarmsNobody() throws Exception {
        start();
        long seed = Long.getLong("seed", 1);
        Random random = new Random(seed);
        List<Talk> crowd = new ArrayList<>();
        String[] parts = {
            "EHLO x\r\n",
            "MAIL FROM:<a@b>\r\n",
            "RCPT TO:<bob@c>\r\n",
            "DATA\r\n",
            ".\r\n",
            "\r\n",
            "BDAT 5\r\n",
            "BDAT 9 LAST\r\n",
            "RSET\r\n",
            "\n",
            "\0",
            "\r",
            "QUIT\r\n",
            "NOOP"
        };
        for (int i = 0; i < 500; i++) {
            Talk talk = daemon.talk();
            crowd.add(talk);
            StringBuilder input = new StringBuilder();
            for (int n = random.nextInt(12); n >= 0; n--) {
                if (random.nextInt(4) == 0) {
                    byte[] bytes = new byte[random.nextInt(200)];
                    random.nextBytes(bytes);
                    input.append(new String(bytes, java.nio.charset.StandardCharsets.ISO_8859_1));
                } else {
                    input.append(parts[random.nextInt(parts.length)]);
                }
            }
            talk.trySend(
                    input.toString().getBytes(java.nio.charset.StandardCharsets.ISO_8859_1), 100);
        }
        try (Talk good = daemon.greeted()) {
            good.send(MAIL + RCPT + "DATA\r\nA: good\r\n.\r\n")
                    .expectAll("250", "250", "354", "250");
        }
        crowd.forEach(Talk::reset);
        await().until(
                        () ->
                                daemon.harness.onLoop(() -> daemon.harness.process().sessionCount())
                                        == 0);
        assertThat(contentBytes()).as("seed %d", seed).isZero();
        assertThat(daemon.harness.hasEnded()).isFalse();
    }
}
