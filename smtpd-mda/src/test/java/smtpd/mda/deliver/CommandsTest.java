package smtpd.mda.deliver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import smtpd.mail.MailAddress;

final class CommandsTest {

    private static final byte[] LARGE = Jobs.bytes("line of mail\n".repeat(100_000));

    @TempDir Path home;

    private Verdict run(String command) {
        return run(command, Jobs.content("Subject: x\n\nhello\n"), 20, false);
    }

    private Verdict run(String command, Content content, int seconds, boolean classic) {
        return new Commands(Duration.ofMillis(300))
                .run(
                        job(classic),
                        Rights.OfUser.own().of(Jobs.me(home.toString())),
                        command,
                        null,
                        content,
                        copy,
                        System.nanoTime() + Duration.ofSeconds(seconds).toNanos());
    }

    private final CopyBuffer copy = new CopyBuffer();

    private Job job(boolean classic) {
        return new Job(
                1,
                Jobs.SENDER,
                new MailAddress("bob+news", "here.example"),
                new MailAddress("bob", "inner.example"),
                Jobs.me(home.toString()),
                Jobs.me(home.toString()),
                "news",
                1,
                false,
                classic,
                false,
                new Method.Command(Method.Text.NONE, null));
    }

    @Test
    void theMailIsOnStandardInput() throws Exception {
        assertThat(run("cat > out")).isEqualTo(Verdict.OK);
        assertThat(home.resolve("out"))
                .hasContent(
                        "Return-Path: <ann@far.example>\nDelivered-To: bob+news@here.example\n"
                                .concat("Subject: x\n\nhello\n"));
        assertThat(run("cat > out", Jobs.content(LARGE), 20, false)).isEqualTo(Verdict.OK);
        assertThat(Files.size(home.resolve("out"))).isEqualTo(LARGE.length + 31 + 36);
        assertThat(run("cat > out", Jobs.content("no end"), 20, false)).isEqualTo(Verdict.OK);
        assertThat(Files.readString(home.resolve("out"))).endsWith("no end\n");
    }

    @Test
    void nothingIsInheritedButTheDocumentedEnvironment() throws Exception {
        assertThat(run("env > env; ulimit -n > files; ls -l /proc/self/fd > fds; pwd > cwd"))
                .isEqualTo(Verdict.OK);
        List<String> environment = Files.readAllLines(home.resolve("env"));
        assertThat(environment)
                .contains(
                        "HOME=" + home,
                        "SHELL=/bin/sh",
                        "USER=bob",
                        "LOGNAME=bob",
                        "SENDER=ann@far.example",
                        "RECIPIENT=bob@inner.example",
                        "ORIGINAL_RECIPIENT=bob+news@here.example",
                        "LOCAL=bob+news",
                        "DOMAIN=here.example",
                        "EXTENSION=news");
        assertThat(environment.stream().map(l -> l.substring(0, l.indexOf('='))).toList())
                .doesNotContain("JAVA_HOME", "MAVEN_HOME", "LANG", "MDA");
        assertThat(home.resolve("cwd")).hasContent(home + "\n");
        // ls itself holds one for the folder it reads
        assertThat(Files.readAllLines(home.resolve("fds")).stream().filter(l -> l.contains(" -> ")))
                .hasSizeLessThanOrEqualTo(4);
    }

    @Test
    void exitCodesDecideByDialect() {
        Object[][] table = {
            {75, "4.3.0", true},
            {71, "4.3.0", true},
            {67, "5.1.1", false},
            {77, "5.7.0", false},
            {1, "5.3.0", false},
            {127, "4.3.5", true}
        };
        for (Object[] row : table) {
            Verdict modern = run("cat >/dev/null; exit " + row[0]);
            assertThat(modern.esc()).isEqualTo(row[1]);
            assertThat(modern instanceof Verdict.Temporary).isEqualTo(row[2]);
            Verdict classic = run("cat >/dev/null; exit " + row[0], Jobs.content("x\n"), 20, true);
            assertThat(classic).isInstanceOf(Verdict.Temporary.class);
            assertThat(classic.esc()).startsWith("4.");
        }
        assertThat(run("/no/such/program").esc()).isEqualTo("4.3.5");
        assertThat(run("kill -SEGV $$"))
                .isEqualTo(Verdict.temporary("4.3.0", "terminated; signal 11"));
    }

    @Test
    void theLastLineSaidIsTheReason() {
        assertThat(run("echo first; echo 'mailbox \"x\" full' >&2; echo; exit 67"))
                .isEqualTo(new Verdict.Permanent("5.1.1", "\"mailbox \\\"x\\\" full\""));
    }

    @Test
    void anUnreadSmallMailCountsAsTakenAndALargeOneDoesNot() {
        for (int i = 0; i < 20; i++) {
            assertThat(run("exit 0", Jobs.content("x".repeat(1024)), 20, false))
                    .isEqualTo(Verdict.OK);
        }
        assertThat(run("exit 0", Jobs.content(LARGE), 20, false))
                .isEqualTo(Verdict.temporary("4.3.0", "mda exited prematurely"));
        assertThat(run("exec 0<&-; sleep 0.2", Jobs.content(LARGE), 20, false))
                .isEqualTo(Verdict.temporary("4.3.0", "mda exited prematurely"));
    }

    @Test
    void endlessOutputStopsNothing() {
        assertThat(run("head -c 100000000 /dev/zero; cat >/dev/null; echo; echo done"))
                .isEqualTo(Verdict.OK);
    }

    @Test
    void aHangingCommandEndsWithItsWholeGroup() throws Exception {
        Verdict verdict =
                run(
                        "trap '' TERM; echo $$ > leader; sh -c 'echo $$ > child; "
                                .concat("while :; do sleep 1; done' & ")
                                .concat("while :; do sleep 1; done"),
                        Jobs.content("x\n"),
                        1,
                        false);
        assertThat(verdict).isEqualTo(Verdict.temporary("4.3.0", "terminated; timeout"));
        for (String name : List.of("leader", "child")) {
            long pid = Long.parseLong(Files.readString(home.resolve(name)).strip());
            await().until(() -> !isRunning(pid));
        }
    }

    @Test
    void aHangingCommandThatObeysTermIsNotWaitedFor() {
        long start = System.nanoTime();
        Verdict verdict =
                new Commands(Duration.ofSeconds(60))
                        .run(
                                job(false),
                                Rights.OfUser.own().of(Jobs.me(home.toString())),
                                "sleep 1000",
                                null,
                                Jobs.content("x\n"),
                                copy,
                                start + 200_000_000L);
        assertThat(verdict.text()).isEqualTo("terminated; timeout");
        assertThat(System.nanoTime() - start).isLessThan(30_000_000_000L);
    }

    @Test
    void aDaemonLeftBehindIsNotWaitedForNorKilled() throws Exception {
        assertThat(run("cat >/dev/null; sleep 30 & echo $! > bg")).isEqualTo(Verdict.OK);
        long pid = Long.parseLong(Files.readString(home.resolve("bg")).strip());
        assertThat(isRunning(pid)).isTrue();
        assertThat(ProcessHandle.of(pid).map(ProcessHandle::destroyForcibly)).contains(true);
    }

    @Test
    void damagedContentNeverReachesTheCommand() {
        byte[] body = Jobs.bytes("x\n");
        Verdict verdict =
                run("cat > out", Content.of(body, 0, body.length, Jobs.sum(body) + 1), 20, false);
        assertThat(verdict.esc()).isEqualTo("4.3.0");
        assertThat(home.resolve("out")).doesNotExist();
    }

    @Test
    void stoppingEndsWhatRuns() {
        Commands commands = new Commands(Duration.ofMillis(200));
        commands.stop();
        Verdict verdict =
                commands.run(
                        job(false),
                        Rights.OfUser.own().of(Jobs.me(home.toString())),
                        "sleep 1000",
                        null,
                        Jobs.content("x\n"),
                        copy,
                        Long.MAX_VALUE / 2);
        assertThat(verdict.text()).isEqualTo("daemon stops");
    }

    private static boolean isRunning(long pid) {
        try {
            String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
            return !stat.substring(stat.lastIndexOf(')')).startsWith(") Z");
        } catch (java.io.IOException e) {
            return false;
        }
    }
}
