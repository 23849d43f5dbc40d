package smtpd.regress;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RelayTest {

    private static final long SEED = 20_261_125;

    private final Parts parts = new Parts();
    private Site site;
    private Sink sink;
    private Daemon daemon;

    @BeforeAll
    void start() throws IOException {
        site = parts.add(Site.create());
        sink = parts.add(Sink.listen());
        site.config(
                Site.toMaildir(),
                "accept from local for domain \"remote.test\" relay via smtp://127.0.0.1:"
                        + sink.port(),
                "accept from local for domain \"deaf.test\" relay via smtp://127.0.0.3:"
                        + Ports.free());
        daemon = parts.add(Daemon.start(site));
    }

    @AfterAll
    void end() throws Exception {
        parts.close();
    }

    /** Sizes around the limit up to which content crosses inside messages, and one far above. */
    @ParameterizedTest
    @ValueSource(ints = {700, 131_071, 131_072, 131_073, 1_048_576})
    void relayedContentIsTheSameByteByByte(int size) throws IOException {
        String subject = "size-" + size;
        byte[] content = Content.ofSize(subject, size, SEED);
        try (SmtpClient client = daemon.connect()) {
            client.say("EHLO client.test", "250");
            assertThat(client.mail("ann@sender.test", List.of("x@remote.test"), content))
                    .startsWith("250");
        }
        Sink.Mail mail = sink.await(subject);
        assertThat(mail.from()).isEqualTo("ann@sender.test");
        assertThat(mail.recipients()).containsExactly("x@remote.test");
        assertThat(mail.text()).startsWith("Received: from client.test ");
        assertThat(Content.withoutTrace(mail.content())).isEqualTo(content);
    }

    @Test
    void dotsLongLinesAndEightBitBytesAreRelayedAsSent() throws IOException {
        String body =
                ".\r\n..\r\n.x\r\n"
                        + "y".repeat(998)
                        + "\r\n\u00e4\u00f6\u00fc \u00ff\u0080\r\n\r\n\tend \r\n.\r\n";
        byte[] content = Content.mail("relay-bytes", body);
        try (SmtpClient client = daemon.connect()) {
            client.say("EHLO client.test", "250");
            assertThat(client.mail("ann@sender.test", List.of("x@remote.test"), content))
                    .startsWith("250");
        }
        assertThat(Content.withoutTrace(sink.await("relay-bytes").content())).isEqualTo(content);
    }

    @Test
    void aRefusedRecipientComesBackAsAReport() throws IOException {
        sink.answer("RCPT TO:<gone@remote.test>", "550 5.1.1 never heard of");
        try (SmtpClient client = daemon.connect()) {
            client.deliver("ann@mail.site.test", "gone@remote.test", "refused");
        }
        Maildir ann = site.maildir("ann");
        Machine.await("a report").until(() -> !reports(ann, "gone@remote.test").isEmpty());
        String report = reports(ann, "gone@remote.test").getFirst();
        assertThat(report)
                .startsWith("Return-Path: <>\n")
                .containsPattern("(?i)content-type: multipart/report;[\\s]+report-type=")
                .containsPattern("(?i)content-type: message/delivery-status")
                .containsPattern("(?i)final-recipient: rfc822; ?gone@remote\\.test")
                .containsPattern("(?i)action: failed")
                .containsPattern("(?i)status: 5\\.1\\.1")
                .contains("never heard of")
                .contains("Subject: refused");
    }

    private static List<String> reports(Maildir maildir, String about) throws IOException {
        return maildir.mails().stream()
                .filter(mail -> mail.contains("multipart/report") && mail.contains(about))
                .toList();
    }

    @Test
    void oneRefusedRecipientDoesNotHoldUpTheOther() throws IOException {
        sink.answer("RCPT TO:<busy@remote.test>", "450 4.2.1 come back");
        try (SmtpClient client = daemon.connect()) {
            client.say("EHLO client.test", "250");
            assertThat(
                            client.mail(
                                    "ann@sender.test",
                                    List.of("busy@remote.test", "free@remote.test"),
                                    Content.mail("half")))
                    .startsWith("250");
        }
        assertThat(sink.await("half").recipients()).containsExactly("free@remote.test");
        Machine.await("the other waits, with the reason")
                .untilAsserted(
                        () ->
                                assertThat(daemon.ctl().queue())
                                        .anySatisfy(
                                                line ->
                                                        assertThat(line)
                                                                .contains("|busy@remote.test|")
                                                                .contains("450 4.2.1 come back")));
    }

    @Test
    void mailForAnUnreachableHostStaysReadableInTheQueue() throws IOException {
        try (SmtpClient client = daemon.connect()) {
            client.deliver("ann@sender.test", "x@deaf.test", "deaf");
        }
        Machine.await("a deferred envelope")
                .untilAsserted(
                        () ->
                                assertThat(site.envelopeFiles())
                                        .anySatisfy(
                                                file ->
                                                        assertThat(file)
                                                                .content()
                                                                .contains("sender: ann@sender.test")
                                                                .contains("dest: x@deaf.test")
                                                                .contains("errorline: ")));
        String pending =
                "[0-9a-f]{16}\\|inet4\\|mta\\|.*\\|ann@sender.test"
                        + "\\|x@deaf.test\\|x@deaf.test\\|.*\\|pending\\|.*";
        Machine.await("show queue lists it")
                .untilAsserted(
                        () ->
                                assertThat(daemon.ctl().queue())
                                        .anySatisfy(line -> assertThat(line).matches(pending)));
    }
}
