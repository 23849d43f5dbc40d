package smtpd.regress;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** What an admin does to the files of the queue while the daemon runs. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SpoolByHandTest {

    private static final long SEED = 17;

    private final Parts parts = new Parts();
    private Site site;
    private Sink sink;
    private Daemon daemon;

    @BeforeAll
    void start() throws IOException {
        site = parts.add(Site.create());
        sink = parts.add(Sink.listen());
        site.config(
                "queue cache 0",
                Site.toMaildir(),
                "accept from local for domain \"remote.test\" relay via smtp://127.0.0.1:"
                        + sink.port());
        daemon = parts.add(Daemon.start(site));
    }

    @AfterAll
    void end() throws Exception {
        parts.close();
    }

    /** Sends a mail that the other side defers; its envelope, once the reason stands in it. */
    private Path deferred(String name) throws IOException {
        return deferred(name, Content.mail(name));
    }

    private Path deferred(String name, byte[] content) throws IOException {
        String recipient = name + "@remote.test";
        sink.answer("RCPT TO:<" + recipient + ">", "450 4.2.1 later");
        try (SmtpClient client = daemon.connect()) {
            client.say("EHLO client.test", "250");
            assertThat(client.mail("ann@sender.test", List.of(recipient), content))
                    .startsWith("250");
        }
        Path[] found = new Path[1];
        Machine.await("a deferred envelope for " + recipient)
                .until(
                        () -> {
                            for (Path file : site.envelopeFiles()) {
                                String text = Files.readString(file);
                                if (text.contains("dest: " + recipient + "\n")
                                        && text.contains("450 4.2.1 later")) {
                                    found[0] = file;
                                }
                            }
                            return found[0] != null;
                        });
        sink.forget("RCPT TO:<" + recipient + ">");
        return found[0];
    }

    private static String name(Path file) {
        return file.getFileName().toString();
    }

    private static void mode(Path path, String mode) throws IOException {
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(mode));
    }

    private boolean isListed(String evpid) throws IOException, InterruptedException {
        return daemon.ctl().queue().stream().anyMatch(line -> line.startsWith(evpid));
    }

    @Test
    void anUnreadableEnvelopeWaitsAndGoesWhenPutRight() throws Exception {
        Path envelope = deferred("chmod");
        mode(envelope, "---------");
        daemon.ctl().ok("schedule", name(envelope));
        daemon.awaitLog("problem=unreadable", 1);
        assertThat(sink.has("chmod")).isFalse();
        assertThat(envelope).exists();
        mode(envelope, "rw-------");
        Machine.await("it goes, asked again")
                .until(
                        () -> {
                            daemon.ctl().run("schedule", name(envelope));
                            return sink.has("chmod");
                        });
    }

    @Test
    void unreadableContentDefersItsMailAsATryAndGoesWhenPutRight() throws Exception {
        // What is small may still be in memory, and goes whatever the file is like.
        Path envelope = deferred("content", Content.ofSize("content", 200_000, SEED));
        Path content = envelope.resolveSibling("message");
        mode(content, "---------");
        int tries = retries(envelope);
        daemon.ctl().ok("schedule", name(envelope));
        Machine.await("the reason stands in the envelope")
                .until(() -> Files.readString(envelope).contains("Could not get message fd"));
        assertThat(retries(envelope)).isEqualTo(tries + 1);
        assertThat(sink.has("content")).isFalse();
        assertThat(content).exists();
        mode(content, "rw-------");
        daemon.ctl().ok("schedule", name(envelope));
        sink.await("content");
    }

    /** Tries so far, as the envelope says. */
    private static int retries(Path envelope) throws IOException {
        return Files.readAllLines(envelope).stream()
                .filter(line -> line.startsWith("retry: "))
                .mapToInt(line -> Integer.parseInt(line.substring("retry: ".length())))
                .findFirst()
                .orElse(0);
    }

    @Test
    void anEnvelopeRemovedByHandIsForgotten() throws Exception {
        Path envelope = deferred("rm");
        Files.delete(envelope);
        daemon.ctl().run("schedule", name(envelope));
        daemon.awaitLog("evpid=" + name(envelope) + " action=removed-by-hand", 1);
        Machine.await("it is not listed").until(() -> !isListed(name(envelope)));
        assertThat(sink.has("rm")).isFalse();
    }

    @Test
    void aMessageMovedOutIsForgottenAndComesBackWhenDiscovered() throws Exception {
        Path envelope = deferred("mv");
        Path folder = envelope.getParent();
        Path away = site.dir().resolve("away");
        Files.move(folder, away);
        daemon.ctl().run("schedule", name(envelope));
        daemon.awaitLog("evpid=" + name(envelope) + " action=removed-by-hand", 1);
        Machine.await("it is not listed").until(() -> !isListed(name(envelope)));
        Files.createDirectories(folder.getParent());
        Files.move(away, folder);
        daemon.ctl().ok("discover", name(folder));
        assertThat(isListed(name(envelope))).isTrue();
        daemon.ctl().ok("schedule", name(envelope));
        sink.await("mv");
    }

    @Test
    void aCopiedEnvelopeIsOneMoreRecipient() throws Exception {
        Path envelope = deferred("cp");
        String twin = name(envelope).substring(0, 8) + "0badcafe";
        Path copy = envelope.resolveSibling(twin);
        Files.copy(envelope, copy, StandardCopyOption.COPY_ATTRIBUTES);
        if (Machine.isRoot()) {
            Files.setAttribute(copy, "unix:uid", Files.getAttribute(envelope, "unix:uid"));
            Files.setAttribute(copy, "unix:gid", Files.getAttribute(envelope, "unix:gid"));
        }
        daemon.ctl().ok("discover", twin);
        daemon.ctl().ok("schedule", name(envelope), twin);
        Machine.await("both are sent")
                .until(
                        () ->
                                copies("cp") == 2
                                        && site.envelopeFiles().stream().noneMatch(this::isCp));
    }

    private long copies(String subject) {
        return sink.mails().stream()
                .mapToLong(
                        mail ->
                                mail.text().contains("\r\nSubject: " + subject + "\r\n")
                                        ? mail.recipients().size()
                                        : 0)
                .sum();
    }

    private boolean isCp(Path file) {
        try {
            return Files.readString(file).contains("dest: cp@remote.test\n");
        } catch (IOException e) {
            return false;
        }
    }

    @Test
    void theWholeQueueRemovedByHandLeavesAWorkingDaemon() throws Exception {
        List<Path> envelopes = List.of(deferred("all-1"), deferred("all-2"));
        for (Path envelope : envelopes) {
            for (Path file : site.files(envelope.getParent(), "[0-9a-f]{16}|message")) {
                Files.delete(file);
            }
            Files.delete(envelope.getParent());
            daemon.ctl().run("schedule", name(envelope));
        }
        for (Path envelope : envelopes) {
            daemon.awaitLog("evpid=" + name(envelope) + " action=removed-by-hand", 1);
        }
        try (SmtpClient client = daemon.connect()) {
            client.deliver("ann@sender.test", "bob@mail.site.test", "after-rm");
        }
        site.maildir("bob").await("after-rm");
        assertThat(daemon.log("event=lost-child")).isEmpty();
    }
}
