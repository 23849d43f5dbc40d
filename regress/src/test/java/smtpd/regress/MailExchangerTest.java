package smtpd.regress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** Mail by MX always goes to port 25, so this needs root. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class MailExchangerTest {

    private static final int SMTP = 25;

    private final Parts parts = new Parts();
    private Site site;
    private Path zone;
    private NameServer names;
    private Sink first;
    private Sink second;
    private Daemon daemon;

    @BeforeAll
    void start() throws IOException {
        assumeTrue(Machine.isRoot(), "port 25 needs root");
        site = parts.add(Site.create());
        zone = Files.createDirectory(site.dir().resolve("dns"));
        names =
                parts.add(
                        NameServer.serve(
                                zone,
                                "one IN MX 10 first",
                                "two IN MX 10 dead",
                                "two IN MX 20 second",
                                "null IN MX 0 .",
                                "plain IN A 127.0.25.1",
                                "first IN A 127.0.25.1",
                                "second IN A 127.0.25.2",
                                "dead IN A 127.0.25.9"));
        first = parts.add(Sink.listen("127.0.25.1", SMTP));
        second = parts.add(Sink.listen("127.0.25.2", SMTP));
        site.config(
                "resolver " + names.address(), Site.toMaildir(), "accept from local for any relay");
        daemon = parts.add(Daemon.start(site));
    }

    @AfterAll
    void end() throws Exception {
        parts.close();
    }

    private void send(String to, String subject) throws IOException {
        try (SmtpClient client = daemon.connect()) {
            client.deliver("ann@mail.site.test", to, subject);
        }
    }

    @Test
    void mailGoesToTheExchangerOfItsDomain() throws IOException {
        send("x@one.net.test", "mx");
        assertThat(first.await("mx").helo()).isEqualTo("mail.site.test");
    }

    @Test
    void theNextExchangerIsTriedWhenTheBestIsDown() throws IOException {
        send("x@two.net.test", "next");
        second.await("next");
    }

    @Test
    void aDomainWithoutExchangerIsItsOwn() throws IOException {
        send("x@plain.net.test", "own");
        first.await("own");
    }

    @Test
    void aDomainThatTakesNoMailGivesAReport() throws IOException {
        send("x@null.net.test", "nullmx");
        awaitReport("x@null.net.test", "5.1.10");
    }

    @Test
    void aDomainThatDoesNotExistGivesAReport() throws IOException {
        send("x@missing.net.test", "nxdomain");
        awaitReport("x@missing.net.test", "5.1.2");
    }

    private void awaitReport(String recipient, String status) {
        Machine.await("a report about " + recipient)
                .untilAsserted(
                        () ->
                                assertThat(site.maildir("ann").mails())
                                        .anySatisfy(
                                                mail ->
                                                        assertThat(mail)
                                                                .contains("multipart/report")
                                                                .containsPattern(
                                                                        "(?i)Final-Recipient:"
                                                                                + " rfc822; ?"
                                                                                + recipient)
                                                                .containsPattern(
                                                                        "(?i)Status: "
                                                                                + status
                                                                                + "\n")));
    }
}
