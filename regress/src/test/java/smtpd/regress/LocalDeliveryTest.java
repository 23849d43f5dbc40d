package smtpd.regress;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class LocalDeliveryTest {

    private final Parts parts = new Parts();
    private Site site;
    private Daemon daemon;

    @BeforeAll
    void start() throws IOException {
        site = parts.add(Site.create());
        site.alias("team: bob, cid");
        site.user("eve").forward("eve", "bob\n");
        site.user("dan").forward("dan", "\\dan, cid\n");
        site.config(Site.toMaildir());
        daemon = parts.add(Daemon.start(site));
    }

    @AfterAll
    void end() throws Exception {
        parts.close();
    }

    @Test
    void aMailReachesTheMaildirWithItsTrace() throws IOException {
        try (SmtpClient client = daemon.connect()) {
            client.deliver("ann@sender.test", "bob@mail.site.test", "trace");
        }
        String mail = site.maildir("bob").await("trace");
        assertThat(mail).startsWith("Return-Path: <ann@sender.test>\n");
        assertThat(mail).contains("\nDelivered-To: bob@mail.site.test\n");
        assertThat(mail)
                .containsPattern(
                        "(?s)\nReceived: from client\\.test \\(.*\\[127\\.0\\.0\\.1\\]\\)\n"
                                + "\tby mail\\.site\\.test .* with ESMTP id [0-9a-f]+");
        assertThat(mail).endsWith("\nSubject: trace\n\nHello.\n");
    }

    @Test
    void anUnknownUserIsRefusedForGood() throws IOException {
        try (SmtpClient client = daemon.connect()) {
            client.say("EHLO client.test", "250").say("MAIL FROM:<ann@sender.test>", "250");
            client.say("RCPT TO:<nobody-here@mail.site.test>", "550 5.1.1 ");
            client.say("RCPT TO:<bob@mail.site.test>", "250 ");
        }
    }

    @Test
    void relayingToAForeignDomainIsDenied() throws IOException {
        try (SmtpClient client = daemon.connect()) {
            client.say("EHLO client.test", "250").say("MAIL FROM:<ann@sender.test>", "250");
            client.say("RCPT TO:<ann@elsewhere.test>", "550 5.7.1 ");
        }
    }

    @Test
    void anAliasReachesBothOfItsUsers() throws IOException {
        try (SmtpClient client = daemon.connect()) {
            client.deliver("ann@sender.test", "team@mail.site.test", "alias");
        }
        site.maildir("bob").await("alias");
        site.maildir("cid").await("alias");
    }

    @Test
    void aForwardFileSendsOn() throws IOException {
        try (SmtpClient client = daemon.connect()) {
            client.deliver("ann@sender.test", "eve@mail.site.test", "forward");
        }
        site.maildir("bob").await("forward");
        assertThat(site.maildir("eve").files()).isEmpty();
    }

    @Test
    void aForwardFileMayKeepACopy() throws IOException {
        try (SmtpClient client = daemon.connect()) {
            client.deliver("ann@sender.test", "dan@mail.site.test", "copy");
        }
        site.maildir("dan").await("copy");
        site.maildir("cid").await("copy");
    }

    @Test
    void mailboxFilesBelongToTheRecipient() throws IOException {
        try (SmtpClient client = daemon.connect()) {
            client.deliver("ann@sender.test", "cid@mail.site.test", "owner");
        }
        site.maildir("cid").await("owner");
        assertThat(site.maildir("cid").files())
                .allSatisfy(
                        file ->
                                assertThat(Files.getAttribute(file, "unix:uid"))
                                        .isEqualTo(site.uid("cid")));
    }

    @Test
    void dotsLongLinesAndEightBitBytesArriveAsSent() throws IOException {
        String body =
                ".\r\n..\r\n.x\r\n"
                        + "y".repeat(990)
                        + "\r\n\u00e4\u00f6\u00fc \u00ff\u0080\r\n\r\n\tend \r\n";
        try (SmtpClient client = daemon.connect()) {
            client.say("EHLO client.test", "250");
            byte[] content = Content.mail("bytes", body);
            assertThat(client.mail("ann@sender.test", List.of("ann@mail.site.test"), content))
                    .startsWith("250");
        }
        String mail = site.maildir("ann").await("bytes");
        assertThat(Content.withoutTrace(mail.getBytes(StandardCharsets.ISO_8859_1)))
                .isEqualTo(
                        new String(Content.mail("bytes", body), StandardCharsets.ISO_8859_1)
                                .replace("\r\n", "\n")
                                .getBytes(StandardCharsets.ISO_8859_1));
    }
}
