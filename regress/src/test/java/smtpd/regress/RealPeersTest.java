package smtpd.regress;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Clients and servers that others wrote: swaks, and smtp-source and smtp-sink of Postfix. */
class RealPeersTest {

    private static final int MAILS = 500;

    private final Parts parts = new Parts();
    private Site site;

    @BeforeEach
    void prepare() throws IOException {
        site = parts.add(Site.create());
    }

    @AfterEach
    void end() throws Exception {
        parts.close();
    }

    private void source(String to) throws Exception {
        Machine.Ended ended =
                Machine.run(
                        List.of(
                                "/usr/sbin/smtp-source",
                                "-s",
                                "10",
                                "-m",
                                Integer.toString(MAILS),
                                "-l",
                                "2000",
                                "-f",
                                "ann@sender.test",
                                "-t",
                                to,
                                "127.0.0.1:" + site.port()));
        assertThat(ended.status()).as(ended.output()).isZero();
    }

    @Test
    void swaksDeliversAMail() throws Exception {
        site.config(Site.toMaildir());
        parts.add(Daemon.start(site));
        Machine.Ended ended =
                Machine.run(
                        List.of(
                                "swaks",
                                "--server",
                                "127.0.0.1:" + site.port(),
                                "--helo",
                                "swaks.test",
                                "--from",
                                "ann@sender.test",
                                "--to",
                                "bob@mail.site.test",
                                "--header",
                                "Subject: swaks"));
        assertThat(ended.status()).as(ended.output()).isZero();
        site.maildir("bob").await("swaks");
    }

    @Test
    void everyMailOfSmtpSourceIsInTheMaildirOnce() throws Exception {
        site.config(Site.toMaildir());
        Daemon daemon = parts.add(Daemon.start(site));
        source("bob@mail.site.test");
        Machine.await("all are delivered").until(() -> site.maildir("bob").files().size() >= MAILS);
        Machine.await("an empty queue").until(() -> site.envelopeFiles().isEmpty());
        assertThat(site.maildir("bob").files()).hasSize(MAILS);
        assertThat(daemon.stop()).isZero();
    }

    @Test
    void everyMailOfSmtpSourceReachesSmtpSinkOnce() throws Exception {
        int port = Ports.free();
        Path dump = Files.createDirectory(site.dir().resolve("dump"));
        List<String> command = new ArrayList<>(List.of("/usr/sbin/smtp-sink"));
        if (Machine.isRoot()) {
            command.addAll(List.of("-u", "nobody")); // it refuses to run as root
            Files.setAttribute(dump, "unix:uid", Machine.nobody());
        }
        command.addAll(List.of("-c", "-d", dump.resolve("%M.").toString()));
        command.addAll(List.of("127.0.0.1:" + port, "128"));
        Path log = site.dir().resolve("sink.log");
        Process sink =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(log.toFile())
                        .start();
        parts.add(
                () -> {
                    sink.destroy();
                    if (!sink.waitFor(10, TimeUnit.SECONDS)) {
                        sink.destroyForcibly();
                    }
                });
        Machine.await("smtp-sink listens")
                .until(
                        () -> {
                            assertThat(sink.isAlive()).as(Files.readString(log)).isTrue();
                            try (SmtpClient probe = SmtpClient.connect(port)) {
                                return probe.say("QUIT").startsWith("221");
                            } catch (IOException e) {
                                return false;
                            }
                        });
        site.config(
                Site.toMaildir(),
                "accept from local for domain \"remote.test\" relay via smtp://127.0.0.1:" + port);
        Daemon daemon = parts.add(Daemon.start(site));
        source("x@remote.test");
        Machine.await("all are relayed").until(() -> files(dump) >= MAILS);
        Machine.await("an empty queue").until(() -> site.envelopeFiles().isEmpty());
        assertThat(files(dump)).isEqualTo(MAILS);
        assertThat(daemon.stop()).isZero();
    }

    private static long files(Path dir) throws IOException {
        try (var all = Files.list(dir)) {
            return all.count();
        }
    }
}
