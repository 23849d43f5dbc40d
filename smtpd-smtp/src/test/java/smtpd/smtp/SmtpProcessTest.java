package smtpd.smtp;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import smtpd.imsg.Need;

/** The dialogue, over real sockets, with lka and queue scripted. */
class SmtpProcessTest {

    private static final String MAIL = "MAIL FROM:<a@b>\r\n";
    private static final String RCPT = "RCPT TO:<bob@c>\r\n";

    @TempDir private Path dir;
    private Daemon daemon;

    @BeforeEach
    void start() {
        daemon = new Daemon(dir);
    }

    @AfterEach
    void stop() {
        daemon.close();
    }

    /** A client after 354. */
    private Talk inData() {
        Talk talk = daemon.greeted();
        talk.send(MAIL + RCPT + "DATA\r\n").expectAll("250 2.1.0", "250 2.1.5", "354 ");
        return talk;
    }

    private static void ready(Talk talk) {
        assertThat(talk.ask("MAIL FROM:<x@y>")).isEqualTo("250 2.1.0 Ok");
    }

    @Test
    void mailGoesToTheQueueWithItsReceivedField() throws Exception {
        try (Talk talk = daemon.talk()) {
            assertThat(talk.readReply()).isEqualTo("220 mx.example ESMTP smtpd");
            assertThat(talk.ask("EHLO client.example"))
                    .isEqualTo(
                            "250-mx.example Hello client.example [127.0.0.1], pleased to meet you"
                                    + "|250-8BITMIME|250-ENHANCEDSTATUSCODES|250-SIZE 36700160"
                                    + "|250-DSN|250-PIPELINING|250-CHUNKING|250-SMTPUTF8"
                                    + "|250-LIMITS MAILMAX=100 RCPTMAX=1000|250 HELP");
            assertThat(talk.ask("MAIL FROM:<ann@example.org> SIZE=20 RET=HDRS ENVID=e1"))
                    .isEqualTo("250 2.1.0 Ok");
            assertThat(talk.ask("RCPT TO:<bob@example.net> NOTIFY=DELAY ORCPT=rfc822;b"))
                    .isEqualTo("250 2.1.5 Destination address valid: Recipient ok");
            assertThat(talk.ask("DATA"))
                    .isEqualTo("354 Enter mail, end with \".\" on a line by itself");
            talk.send("Subject: x\r\n\r\n..dot\r\nend\r\n.\r\n");
            assertThat(talk.readReply())
                    .isEqualTo("250 2.0.0 10000001 Message accepted for delivery");
            Daemon.Mail mail = daemon.mail();
            assertThat(mail.body()).isEqualTo("Subject: x\n\n.dot\nend\n");
            assertThat(mail.text())
                    .startsWith(
                            """
                            Received: from client.example (client.example [127.0.0.1])
                            \tby mx.example (smtpd) with ESMTP id 10000001
                            \tfor <bob@example.net>;
                            \t""");
            assertThat(mail.commit().size()).isEqualTo(mail.content().length);
            assertThat(mail.commit().lines())
                    .isEqualTo(mail.text().chars().filter(c -> c == '\n').count());
            java.util.zip.CRC32C crc = new java.util.zip.CRC32C();
            crc.update(mail.content());
            assertThat(mail.commit().crc32c()).isEqualTo((int) crc.getValue());
            assertThat(mail.commit().accepted()).containsExactly(2);
            assertThat(mail.commit().inFile()).isFalse();
            var question = daemon.questions.take();
            assertThat(question.sender()).hasToString("ann@example.org");
            assertThat(question.rcpt()).hasToString("bob@example.net");
            assertThat(question.helo()).isEqualTo("client.example");
            assertThat(question.hostname()).isEqualTo("client.example");
            assertThat(question.forwardConfirmed()).isTrue();
            assertThat(question.dsnRet()).isEqualTo("HDRS");
            assertThat(question.dsnEnvid()).isEqualTo("e1");
            assertThat(question.dsnNotify()).isEqualTo(4);
            assertThat(question.dsnOrcpt()).isEqualTo("rfc822;b");
            assertThat(talk.ask("QUIT")).isEqualTo("221 2.0.0 Bye");
            talk.expectEnd();
        }
        assertThat(daemon.aborts).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiterString = " -> ",
            value = {
                "NOOP -> 250 2.0.0 Ok",
                "noop x -> 250 2.0.0 Ok",
                "'' -> 500 5.5.2 Empty command",
                "' NOOP' -> 500 5.5.2 Command unrecognized",
                "'NO\tOP' -> 500 5.5.2 Invalid character in command",
                "NO\u0007OP -> 500 5.5.2 Invalid character in command",
                "HELO -> 501 Syntax: HELO domain",
                "EHLO -> 501 Syntax: EHLO domain",
                "EHLO gr\u00c3\u00bcn -> 501 Invalid domain name",
                "EHLO a b -> 501 Invalid domain name",
                "RSET -> 250 2.0.0 Reset state",
                "RSET x -> 501 5.5.4 Syntax: RSET",
                "VRFY bob -> 252 2.0.0 Cannot verify, try RCPT",
                "VRFY -> 501 5.5.4 Syntax: VRFY string",
                "EXPN list -> 502 5.5.1 EXPN not available",
                "HELP -> 214-2.0.0 This is smtpd|214 2.0.0 Commands: HELO EHLO MAIL RCPT DATA BDAT"
                        + " RSET NOOP QUIT VRFY HELP STARTTLS AUTH",
                "ETRN x -> 502 5.5.1 Command not implemented",
                "LHLO x -> 500 5.5.2 Command unrecognized",
                "WIZ -> 500 5.5.2 Command unrecognized",
                "QUIT x -> 501 5.5.4 Syntax: QUIT",
                "MAIL FROM:<a@b> -> 503 5.5.1 Say EHLO first",
                "RCPT TO:<a@b> -> 503 5.5.1 Say EHLO first",
                "DATA -> 503 5.5.1 Say EHLO first",
                "STARTTLS -> 503 5.5.1 Say EHLO first",
                "AUTH PLAIN -> 503 5.5.1 Say EHLO first"
            })
    void beforeEhlo(String command, String reply) {
        try (Talk talk = daemon.talk()) {
            talk.expect("220 ");
            talk.send(command.getBytes(ISO_8859_1)).send("\r\n");
            assertThat(talk.readReply()).isEqualTo(reply);
            assertThat(talk.ask("NOOP")).isEqualTo("250 2.0.0 Ok");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiterString = " -> ",
            value = {
                "RCPT TO:<a@b> -> 503 5.5.1 Need MAIL first",
                "DATA -> 503 5.5.1 Need MAIL first",
                "DATA x -> 501 5.5.4 Syntax: DATA",
                "STARTTLS -> 502 5.5.1 STARTTLS not available",
                "STARTTLS x -> 501 5.5.4 Syntax: STARTTLS",
                "AUTH PLAIN x -> 502 5.5.1 AUTH not available",
                "MAIL FROM: -> 501 5.5.4 Syntax: MAIL FROM:<address>",
                "MAIL FROM :<a@b> -> 501 5.5.4 Syntax: MAIL FROM:<address>",
                "MAIL TO:<a@b> -> 501 5.5.4 Syntax: MAIL FROM:<address>",
                "MAIL -> 501 5.5.4 Syntax: MAIL FROM:<address>",
                "MAIL FROM:<a b> -> 501 5.1.7 Sender address syntax error",
                "MAIL FROM:<a@gr\u00c3\u00bcn> -> 553 5.6.7 Non-ASCII address needs SMTPUTF8",
                "MAIL FROM:<a@gr\u00c3\u00bcn> SMTPUTF8 -> 250 2.1.0 Ok",
                "mail  from: <A@B> -> 250 2.1.0 Ok",
                "MAIL FROM:<> -> 250 2.1.0 Ok",
                "MAIL FROM:<a@b> SIZE=36700160 -> 250 2.1.0 Ok",
                "MAIL FROM:<a@b> SIZE=36700161 -> 552 5.3.4 Message too big",
                "MAIL FROM:<a@b> BODY=BINARYMIME -> 555 5.5.4 Unsupported parameter: BODY",
                "MAIL FROM:<a@b> REQUIRETLS -> 555 5.5.4 Unsupported parameter: REQUIRETLS",
                "MAIL FROM:<a@b> AUTH=<> -> 555 5.5.4 Unsupported parameter: AUTH",
                "'NOOP \u00ff' -> 500 5.5.2 Invalid character in command"
            })
    void afterEhlo(String command, String reply) {
        try (Talk talk = daemon.greeted()) {
            talk.send(command.getBytes(ISO_8859_1)).send("\r\n");
            assertThat(talk.readReply()).isEqualTo(reply);
            assertThat(talk.ask("NOOP")).isEqualTo("250 2.0.0 Ok");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiterString = " -> ",
            value = {
                "MAIL FROM:<a@b> -> 503 5.5.1 MAIL already given",
                "DATA -> 503 5.5.1 Need RCPT first",
                "STARTTLS -> 503 5.5.1 Not during a mail transaction",
                "AUTH PLAIN -> 503 5.5.1 Not during a mail transaction",
                "RCPT TO:<> -> 501 5.1.3 Recipient address syntax error",
                "RCPT TO: -> 501 5.5.4 Syntax: RCPT TO:<address>",
                "RCPT FROM:<a@b> -> 501 5.5.4 Syntax: RCPT TO:<address>",
                "RCPT TO:<a@b> SIZE=9 -> 555 5.5.4 Unsupported parameter: SIZE",
                "RCPT TO:<a@b> NOTIFY=NEVER,DELAY -> 501 5.5.4 Bad NOTIFY parameter",
                "RCPT TO:<bad@b> -> 550 5.1.1 Invalid recipient: <bad@b>",
                "RCPT TO:<relay@b> -> 550 5.7.1 Invalid recipient: <relay@b> (relaying denied)",
                "RCPT TO:<temp@b> -> 451 4.3.0 Temporary failure: <temp@b>",
                "RCPT TO:<postmaster> -> 250 2.1.5 Destination address valid: Recipient ok"
            })
    void afterMail(String command, String reply) {
        try (Talk talk = daemon.greeted()) {
            talk.ask("MAIL FROM:<a@b>");
            assertThat(talk.ask(command)).isEqualTo(reply);
            // A refusal leaves the transaction as it was, parameters of one RCPT do not stay.
            assertThat(talk.ask("RCPT TO:<fine@b>")).startsWith("250 ");
            var last = daemon.questions.stream().reduce((_, b) -> b).orElseThrow();
            assertThat(last.dsnNotify()).isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"NOOP\n", "EHLO x\nMAIL FROM:<a@b>\r\n", "\n"})
    void bareLineFeedInCommandsEndsTheSession(String input) {
        try (Talk talk = daemon.talk()) {
            talk.expect("220 ");
            talk.send(input);
            assertThat(talk.rest()).containsExactly("500 5.5.2 Lines must end in CR LF");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"NO\0OP\r\nNOOP\r\n", "NO\rOP\r\nNOOP\r\n"})
    void nulOrBareCrInCommandsEndsTheSession(String input) {
        try (Talk talk = daemon.talk()) {
            talk.expect("220 ");
            talk.send(input);
            assertThat(talk.rest()).containsExactly("500 5.5.2 Invalid character in command");
        }
    }

    @Test
    void lineLengthIsLimited() {
        try (Talk talk = daemon.talk()) {
            talk.expect("220 ");
            assertThat(talk.ask("NOOP" + " ".repeat(2042))).startsWith("250 ");
            assertThat(talk.ask("NOOP" + " ".repeat(2043))).isEqualTo("500 5.5.2 Line too long");
            assertThat(talk.ask("NOOP")).startsWith("250 ");
            talk.send("x".repeat(70_000));
            assertThat(talk.rest()).containsExactly("500 5.5.2 Line too long");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "POST /x HTTP/1.1\r\n"})
    void browserIsToldThatThisIsAMailServer(String request) {
        try (Talk talk = daemon.talk()) {
            talk.send(request);
            assertThat(talk.rest())
                    .containsExactly(
                            "220 mx.example ESMTP smtpd", "500 5.5.1 This is a mail server");
        }
    }

    @Test
    void tlsOnPlainPortIsClosedWithoutAWord() {
        try (Talk talk = daemon.talk()) {
            talk.expect("220 ");
            talk.send(new byte[] {0x16, 0x03, 0x01, 0x02, 0x00});
            talk.expectEnd();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\n.\n",
                "\n.\r\n",
                "\r\n.\n",
                "\r.\r",
                "\r\n.\r",
                "\r.\r\n",
                "\n.\r",
                "\r\n.\r\r\n",
                "\r\n.\0\r\n"
            })
    void smugglingFormIsContentAndRefusedOnce(String form) {
        String input = "a" + form + "MAIL FROM:<x@y>\r\nRCPT TO:<v@w>\r\nDATA\r\n\r\n.\r\n";
        try (Talk talk = inData()) {
            talk.send(input);
            assertThat(talk.readReply()).startsWith("550 5.6.0 Message contains a ");
            ready(talk);
        }
        try (Talk talk = inData()) {
            for (byte b : input.getBytes(ISO_8859_1)) {
                talk.send(new byte[] {b});
            }
            assertThat(talk.readReply()).startsWith("550 5.6.0 Message contains a ");
            ready(talk);
        }
        try (Talk talk = daemon.greeted()) {
            talk.send(MAIL + RCPT + "BDAT " + input.length() + " LAST\r\n" + input);
            talk.expectAll("250 2.1.0", "250 2.1.5", "550 5.6.0");
            ready(talk);
        }
        assertThat(daemon.mails).isEmpty();
        await().until(() -> daemon.aborts.size() == 3);
    }

    @Test
    void dotAtOnceIsAnEmptyMail() throws Exception {
        try (Talk talk = inData()) {
            talk.send(".\r\n").expect("250 2.0.0");
            assertThat(daemon.mail().body()).isEmpty();
        }
    }

    @Test
    void eightBitContentIsKeptAndTold() throws Exception {
        byte[] high = new byte[128];
        for (int i = 0; i < 128; i++) {
            high[i] = (byte) (i + 128);
        }
        try (Talk talk = inData()) {
            talk.send("A: b\r\n\r\n").send(high).send("\r\n.\r\n").expect("250 2.0.0");
            Daemon.Mail mail = daemon.mail();
            assertThat(mail.body()).isEqualTo("A: b\n\n" + new String(high, ISO_8859_1) + "\n");
            assertThat(mail.commit().needFlags()).isEqualTo(Need.EIGHT_BIT_MIME);
            talk.send(MAIL.replace(">", "> BODY=7BIT SMTPUTF8") + RCPT + "DATA\r\n.\r\n")
                    .expectAll("250", "250", "354", "250");
            assertThat(daemon.mail().commit().needFlags()).isZero();
            talk.send("MAIL FROM:<a@b> SMTPUTF8\r\nRCPT TO:<gr\u00c3\u00bcn@c>\r\nDATA\r\n.\r\n")
                    .expectAll("250", "250", "354", "250");
            Daemon.Mail wide = daemon.mail();
            assertThat(wide.commit().needFlags()).isEqualTo(Need.SMTPUTF8_BY_ADDRESS);
            assertThat(wide.text()).contains("with UTF8SMTP id");
        }
    }

    @Test
    void wholeSessionInOneWriteIsAnsweredInOrder() throws Exception {
        try (Talk talk = daemon.talk()) {
            talk.send(
                    "EHLO x\r\n"
                            + MAIL
                            + "RCPT TO:<bad@c>\r\n"
                            + RCPT
                            + "DATA\r\nA: b\r\n\r\nx\r\n.\r\n"
                            + MAIL
                            + RCPT
                            + "DATA\r\nA: c\r\n.\r\n"
                            + "QUIT\r\n\r\n");
            assertThat(talk.rest())
                    .extracting(r -> r.substring(0, 3))
                    .containsExactly(
                            "220", "250", "250", "550", "250", "354", "250", "250", "250", "354",
                            "250", "221");
            assertThat(daemon.mail().body()).isEqualTo("A: b\n\nx\n");
            assertThat(daemon.mail().body()).isEqualTo("A: c\n");
        }
    }

    @Test
    void allRecipientsBadMeansNoContent() {
        try (Talk talk = daemon.greeted()) {
            talk.send(MAIL + "RCPT TO:<bad@c>\r\nRCPT TO:<bad2@c>\r\nDATA\r\n.\r\nNOOP\r\n");
            talk.expectAll("250", "550", "550", "554 5.5.1 No valid recipients", "500", "250");
        }
    }

    @Test
    void emptyLineBehindTheEndDoesNotLoseTheMail() throws Exception {
        try (Talk talk = inData()) {
            talk.send("A: b\r\n.\r\n\r\nQUIT\r\n");
            talk.expectAll("250 2.0.0", "500 5.5.2", "221");
            daemon.mail();
        }
    }

    @Test
    void manyRecipientsAnsweredOutOfOrderAreRepliedInOrder() throws Exception {
        try (Talk talk = daemon.greeted()) {
            StringBuilder group = new StringBuilder(MAIL);
            for (int i = 1; i <= 100; i++) {
                group.append("RCPT TO:<mute").append(i).append("@c>\r\n");
            }
            talk.send(group.toString());
            talk.expect("250 2.1.0");
            int answered = 0;
            while (answered < 100) {
                List<smtpd.imsg.SmtpToLka.ExpandRecipient> batch = new ArrayList<>();
                int most = Math.min(16, 100 - answered);
                while (batch.size() < most) {
                    batch.add(daemon.questions.take());
                }
                assertThat(daemon.questions).isEmpty();
                for (var question : batch.reversed()) {
                    long sid = sessionId();
                    if (question.rcptNo() % 10 == 3) {
                        daemon.harness
                                .peer(smtpd.imsg.Role.LKA)
                                .send(
                                        sid,
                                        new smtpd.imsg.LkaToSmtp.RecipientRefused(
                                                1,
                                                question.rcptNo(),
                                                smtpd.imsg.LkaToSmtp.Refusal.ERROR,
                                                new smtpd.imsg.Outcome.Temporary(
                                                        "450 4.2.1 no " + question.rcpt().local(),
                                                        "")));
                    } else {
                        daemon.stored(sid, question, question.rcptNo());
                    }
                }
                answered += batch.size();
            }
            for (int i = 1; i <= 100; i++) {
                talk.expect(i % 10 == 3 ? "450 4.2.1 no mute" + i : "250 2.1.5");
            }
        }
    }

    private long sessionId() {
        return daemon.harness.onLoop(() -> daemon.harness.process().anySession().sid());
    }

    @Test
    void dialogueCutAtEveryByteGivesTheSameReplies() {
        String dialogue =
                "EHLO x\r\n" + MAIL + RCPT + "DATA\r\nA: b\r\n\r\n..\r\n.\r\nBDAT 3\r\nabcQUIT\r\n";
        List<String> whole;
        try (Talk talk = daemon.talk()) {
            whole = codes(talk.send(dialogue).rest());
            assertThat(whole)
                    .containsExactly("220", "250", "250", "250", "354", "250", "503", "221");
        }
        for (int cut = 1; cut < dialogue.length(); cut++) {
            try (Talk talk = daemon.talk()) {
                talk.send(dialogue.substring(0, cut));
                talk.send(dialogue.substring(cut));
                assertThat(codes(talk.rest())).as("cut at %d", cut).isEqualTo(whole);
            }
        }
        assertThat(daemon.mails)
                .hasSize(dialogue.length())
                .allSatisfy(mail -> assertThat(mail.body()).isEqualTo("A: b\n\n.\n"));
    }

    private static List<String> codes(List<String> replies) {
        return replies.stream().map(r -> r.substring(0, 3)).toList();
    }

    @Test
    void clientThatShutsItsSideGetsAllReplies() throws Exception {
        try (Talk talk = daemon.talk()) {
            talk.send("EHLO x\r\n" + MAIL + RCPT + "DATA\r\nA: b\r\n.\r\n").half();
            assertThat(codes(talk.rest()))
                    .containsExactly("220", "250", "250", "250", "354", "250");
            daemon.mail();
        }
        try (Talk talk = daemon.talk()) {
            talk.send("EHLO x\r\n" + MAIL + RCPT + "DATA\r\nA: b\r\n").half();
            assertThat(codes(talk.rest())).containsExactly("220", "250", "250", "250", "354");
        }
        await().until(() -> daemon.aborts.size() == 1);
        assertThat(daemon.mails).isEmpty();
    }

    @Test
    void chunksAreJoinedAndLinesMaySpanThem() throws Exception {
        try (Talk talk = daemon.greeted()) {
            talk.send(MAIL + RCPT + "BDAT 7\r\nA: b\r\n\rBDAT 4\r\n\nx.yBDAT 0 LAST\r\n");
            talk.expectAll(
                    "250 2.1.0",
                    "250 2.1.5",
                    "250 2.0.0 7 octets received",
                    "250 2.0.0 4 octets received",
                    "250 2.0.0 10000001 Message");
            assertThat(daemon.mail().body()).isEqualTo("A: b\n\nx.y\n");
            talk.send(MAIL + RCPT + "BDAT 1\r\nxDATA\r\n" + RCPT + "BDAT 1 LAST\r\ny");
            talk.expectAll("250", "250", "250", "503 5.5.1 Not after BDAT", "503 5.5.1", "250");
            assertThat(daemon.mail().body()).isEqualTo("\nxy\n");
        }
    }

    @Test
    void chunkOutOfPlaceIsSwallowed() {
        try (Talk talk = daemon.talk()) {
            talk.send("BDAT 3\r\nabcEHLO x\r\nBDAT 5\r\nRSET\nNOOP\r\n");
            talk.expectAll("220", "503 5.5.1 Say EHLO first", "250", "503 5.5.1 Need MAIL", "250");
            talk.send("BDAT x\r\nNOOP\r\n");
            assertThat(talk.rest()).containsExactly("501 5.5.4 Syntax: BDAT size [LAST]");
        }
        try (Talk talk = daemon.greeted()) {
            talk.send("BDAT 100000000000000000000\r\n");
            assertThat(talk.rest()).hasSize(1);
        }
    }

    @Test
    void helosessionGetsNoExtensions() {
        try (Talk talk = daemon.talk()) {
            talk.expect("220 ");
            assertThat(talk.ask("HELO x"))
                    .isEqualTo("250 mx.example Hello x [127.0.0.1], pleased to meet you");
            assertThat(talk.ask("MAIL FROM:<a@b> SIZE=1"))
                    .isEqualTo("555 Unsupported parameter: SIZE");
            assertThat(talk.ask("AUTH PLAIN")).isEqualTo("503 Say EHLO first");
            assertThat(talk.ask("MAIL FROM:<a@b>")).isEqualTo("250 Ok");
            assertThat(talk.ask("QUIT")).isEqualTo("221 Bye");
        }
    }

    @Test
    void secondEhloAndRsetDropTheTransaction() {
        try (Talk talk = daemon.greeted()) {
            talk.send(MAIL + RCPT + "EHLO y\r\n" + RCPT + MAIL + RCPT + "RSET\r\n" + RCPT);
            talk.expectAll("250", "250", "250", "503 5.5.1 Need MAIL", "250", "250", "250", "503");
            await().until(() -> daemon.aborts.size() == 2);
            assertThat(daemon.aborts).allSatisfy(a -> assertThat(a.msgid().isNone()).isFalse());
        }
    }

    @Test
    void uselessClientIsThrownOut() {
        try (Talk talk = daemon.greeted()) {
            talk.send("A\r\nB\r\nC\r\nD\r\nNOOP\r\nA\r\nB\r\nC\r\nD\r\nE\r\nNOOP\r\n");
            assertThat(talk.rest())
                    .hasSize(10)
                    .last()
                    .isEqualTo("421 4.7.0 mx.example Too many errors");
        }
        try (Talk talk = daemon.greeted()) {
            talk.send("NOOP\r\n".repeat(60));
            assertThat(talk.rest())
                    .hasSize(51)
                    .last()
                    .isEqualTo("421 4.7.0 mx.example Too many commands without a mail");
        }
    }

    @Test
    void guessedRecipientsAreDelayed() {
        try (Talk talk = daemon.greeted()) {
            long before = System.nanoTime();
            talk.send(MAIL + "RCPT TO:<bad@c>\r\n".repeat(11) + "NOOP\r\n").expect("250");
            for (int i = 0; i < 11; i++) {
                talk.expect("550 5.1.1");
            }
            talk.expect("250");
            assertThat(System.nanoTime() - before).isGreaterThan(1_900_000_000L);
        }
    }

    @Test
    void hundredthReceivedFieldIsALoop() throws Exception {
        try (Talk talk = inData()) {
            talk.send("Received: x\r\n".repeat(99) + "\r\n.\r\n").expect("250");
            talk.send(MAIL + RCPT + "DATA\r\n" + "Received: x\r\n".repeat(100) + "\r\n.\r\n");
            talk.expectAll("250", "250", "354", "554 5.4.6 Routing loop detected");
            talk.send(MAIL + RCPT + "DATA\r\n" + "A: x\r\n".repeat(1001) + "\r\n.\r\n");
            talk.expectAll("250", "250", "354", "552 5.3.4 Message header too big");
            ready(talk);
        }
        assertThat(daemon.mails).hasSize(1);
    }

    @Test
    void twoRecipientsAreNotNamedInReceived() throws Exception {
        try (Talk talk = daemon.greeted()) {
            talk.send(MAIL + RCPT + "RCPT TO:<bad@c>\r\nRCPT TO:<eve@c>\r\nDATA\r\n.\r\n");
            talk.expectAll("250", "250", "550", "250", "354", "250");
            Daemon.Mail mail = daemon.mail();
            assertThat(mail.text()).doesNotContain("for <");
            assertThat(mail.commit().accepted()).containsExactly(0b1010);
        }
    }
}
