package smtpd.ctl;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command without a daemon. */
class SmtpctlTest {

    @TempDir private Path dir;

    private static final String ENVELOPE =
            """
            version: 2
            tag: local
            type: mda
            smtpname: mail.example.org
            helo: client
            hostname: localhost
            sockaddr: local
            sender: @
            rcpt: bob@example.net
            dest: bob@example.net
            ctime: 1700000000
            expire: 345600
            flags: bounce
            mda-method: maildir
            mda-buffer: ~/Maildir
            mda-user: bob
            mda-usertable: <getpwnam>
            """;

    private Path message(String msgid) throws IOException {
        Path folder = dir.resolve("spool/queue").resolve(msgid.substring(0, 2)).resolve(msgid);
        Files.createDirectories(folder);
        return folder;
    }

    private Typed type(String... words) {
        return Typed.start(dir, words);
    }

    @Test
    void everyCommandThatNeedsTheDaemonSaysThatItIsDown() {
        for (Verb verb : Verb.values()) {
            switch (verb) {
                case SHOW_QUEUE, SHOW_QUEUE_OF, SHOW_ENVELOPE, SHOW_MESSAGE -> {}
                default -> {
                    String line =
                            verb.pattern()
                                    .replace("<ids>", "2fd2c1f2")
                                    .replace("<id>", "2fd2c1f2")
                                    .replace("<msgid>", "2fd2c1f2")
                                    .replace("<number>", "12")
                                    .replace("<words>", "imsg")
                                    .replace("<word>", "imsg");
                    Typed run = type(line.split(" "));
                    assertThat(run.status()).as(line).isEqualTo(4);
                    assertThat(run.errors()).isEqualTo("smtpd doesn't seem to be running\n");
                    assertThat(run.text()).isEmpty();
                }
            }
        }
    }

    @Test
    void theQueueIsReadFromTheSpoolInTheOrderOfIds() throws Exception {
        Files.writeString(message("2fd2c1f2").resolve("2fd2c1f2a1b3c4d5"), ENVELOPE);
        Files.writeString(message("01d2c1f2").resolve("01d2c1f2a1b3c4d5"), ENVELOPE);
        Files.writeString(message("01d2c1f2").resolve("message"), "Subject: x\n\n");
        Files.writeString(message("01d2c1f2").resolve("01d2c1f2a1b3c4d6"), "no envelope");
        Files.write(message("01d2c1f2").resolve("01d2c1f2a1b3c4d7"), new byte[] {1, 2, 3});
        Files.createDirectories(dir.resolve("spool/queue/lost+found"));
        Typed run = type("show", "queue");
        assertThat(run.text())
                .isEqualTo(
                        "01d2c1f2a1b3c4d5|local|mda|bounce|@|bob@example.net|bob@example.net"
                                + "|1700000000|1700345600|0|0|offline||\n"
                                + "2fd2c1f2a1b3c4d5|local|mda|bounce|@|bob@example.net"
                                + "|bob@example.net|1700000000|1700345600|0|0|offline||\n");
        assertThat(run.status()).isZero();
        assertThat(run.errors()).contains("01d2c1f2a1b3c4d6", "01d2c1f2a1b3c4d7", "encrypted");
        assertThat(type("show", "queue", "2fd2c1f2").text().lines()).hasSize(1);
        assertThat(type("show", "queue", "-j").text()).endsWith("{\"end\":true,\"count\":2}\n");
    }

    @Test
    void envelopesAndMessagesAreReadFromTheSpoolToo() throws Exception {
        Path folder = message("2fd2c1f2");
        Files.writeString(folder.resolve("2fd2c1f2a1b3c4d5"), ENVELOPE);
        try (OutputStream out =
                new GZIPOutputStream(Files.newOutputStream(folder.resolve("message")))) {
            out.write("Subject: x\n\nhello\n".getBytes(java.nio.charset.StandardCharsets.UTF_8));
        }
        assertThat(type("show", "envelope", "2fd2c1f2a1b3c4d5").text()).isEqualTo(ENVELOPE);
        assertThat(type("show", "message", "2fd2c1f2").text()).isEqualTo("Subject: x\n\nhello\n");
        assertThat(type("show", "message", "2fd2c1f2a1b3c4d5").text()).contains("hello");
        Typed absent = type("show", "message", "2fd2c1f3");
        assertThat(absent.status()).isEqualTo(1);
        assertThat(absent.errors()).isEqualTo("no such message\n");
    }

    /** The launcher gives it no more: every further jar would cost start-up time. */
    @Test
    void threeJarsAreEnough() throws Exception {
        Files.writeString(message("2fd2c1f2").resolve("2fd2c1f2a1b3c4d5"), ENVELOPE);
        List<String> jars = new ArrayList<>();
        for (Class<?> one :
                List.of(Smtpctl.class, smtpd.conf.Instance.class, picocli.CommandLine.class)) {
            jars.add(
                    Path.of(one.getProtectionDomain().getCodeSource().getLocation().toURI())
                            .toString());
        }
        Process process =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin/java").toString(),
                                "-cp",
                                String.join(":", jars),
                                "smtpd.ctl.Smtpctl",
                                "--socket",
                                dir.resolve("none").toString(),
                                "-r",
                                dir.toString(),
                                "show",
                                "queue")
                        .redirectErrorStream(true)
                        .start();
        String text =
                new String(
                        process.getInputStream().readAllBytes(),
                        java.nio.charset.StandardCharsets.UTF_8);
        assertThat(text).startsWith("2fd2c1f2a1b3c4d5|local|").hasLineCount(1);
        assertThat(process.waitFor()).isZero();
    }

    @Test
    void aLinkInTheSpoolIsNotFollowed() throws Exception {
        Path secret = Files.writeString(dir.resolve("secret"), "secret");
        Files.createSymbolicLink(message("2fd2c1f2").resolve("message"), secret);
        Typed run = type("show", "message", "2fd2c1f2");
        assertThat(run.text()).isEmpty();
        assertThat(run.status()).isEqualTo(1);
    }

    @Test
    void anEmptySpoolIsAnEmptyQueue() {
        Typed run = type("show", "queue");
        assertThat(run.text()).isEmpty();
        assertThat(run.status()).isZero();
    }

    @Test
    void badCommandLinesAreStatus2() {
        assertThat(type("sh", "s").errors())
                .isEqualTo("possibilities are:\nshow stats\nshow status\n");
        assertThat(type("sh", "s").status()).isEqualTo(2);
        assertThat(type().status()).isEqualTo(2);
        assertThat(type("--nonsense", "show", "queue").status()).isEqualTo(2);
        assertThat(type("--timeout", "x", "show", "queue").status()).isEqualTo(2);
        assertThat(type("-r").status()).isEqualTo(2);
        assertThat(type("stop", "-j").errors()).isEqualTo("-j is no option of stop\n");
        assertThat(type("monitor", "-i", "0").status()).isEqualTo(2);
    }

    @Test
    void helpListsEveryCommand() {
        Typed run = type("--help");
        assertThat(run.status()).isZero();
        for (Verb verb : Verb.values()) {
            assertThat(run.text()).contains(verb.pattern());
        }
        assertThat(run.text()).contains("--socket");
    }

    @Test
    void aReaderThatGoesAwayEndsTheCommandQuietly() throws Exception {
        Files.writeString(message("2fd2c1f2").resolve("2fd2c1f2a1b3c4d5"), ENVELOPE);
        ByteArrayOutputStream errors = new ByteArrayOutputStream();
        OutputStream broken =
                new OutputStream() {
                    @Override
                    public void write(int b) throws IOException {
                        throw new IOException("Broken pipe");
                    }
                };
        Smtpctl program = new Smtpctl(broken, new PrintStream(errors));
        assertThat(program.run(new String[] {"show", "queue"}, dir.toString())).isZero();
        assertThat(errors.size()).isZero();
    }

    @Test
    void textFromOutsideIsMadeHarmless() {
        assertThat(Printable.of("plain ünïcode 漢")).isEqualTo("plain ünïcode 漢");
        assertThat(Printable.of("\u001b]0;x\u0007")).isEqualTo("\\x1b]0;x\\x07");
        assertThat(Printable.of("a\nb\\c")).isEqualTo("a\\x0ab\\\\c");
        assertThat(Printable.of("\u202eevil\u009b")).isEqualTo("\\xe2\\x80\\xaeevil\\xc2\\x9b");
        assertThat(Printable.of("\ud800")).isEqualTo("\\x3f");
    }

    @Test
    void lengthsOfTime() {
        assertThat(Span.text(0)).isEqualTo("0s");
        assertThat(Span.text(183_605)).isEqualTo("2d3h5s");
        assertThat(Span.text(-60)).isEqualTo("-1m");
        assertThat(Span.field("-")).isEqualTo("-");
        assertThat(Span.field("3601")).isEqualTo("1h1s");
    }

    @Test
    void monitorBeginsWithTotalsAndGoesOnWithRates() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        Output out = new Output(bytes);
        Monitor monitor = new Monitor();
        Map<String, Long> stats = new HashMap<>();
        stats.put("smtp.session", 3L);
        stats.put("smtp.session.inet4", 5L);
        stats.put("scheduler.envelope", 41L);
        stats.put("scheduler.delivery.ok", 4L);
        monitor.line(stats, 1, out);
        stats.put("smtp.session.inet6", 4L);
        stats.put("scheduler.delivery.ok", 24L);
        monitor.line(stats, 2, out);
        for (int i = 2; i < 26; i++) {
            monitor.line(stats, 1, out);
        }
        String[] lines = bytes.toString(java.nio.charset.StandardCharsets.UTF_8).split("\n");
        assertThat(lines[0]).startsWith("--- client ---");
        assertThat(lines[1]).startsWith("curr conn disc");
        assertThat(lines[2].trim().split(" +"))
                .containsExactly("3", "5", "2", "41", "45", "4", "4", "0", "0", "0", "0", "0", "0");
        assertThat(lines[3].trim().split(" +"))
                .containsExactly(
                        "3", "2", "2", "41", "10", "10", "10", "0", "0", "0", "0", "0", "0");
        assertThat(lines[2]).hasSameSizeAs(lines[1]);
        assertThat(lines[27]).isEmpty();
        assertThat(lines[28]).startsWith("--- client ---");
    }
}
