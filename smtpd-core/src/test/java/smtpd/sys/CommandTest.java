package smtpd.sys;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class CommandTest {
    private static final List<String> ENVIRONMENT = List.of("PATH=/usr/bin:/bin", "LC_ALL=C");

    private static Command shell(ThreadIdentity who, String text) throws SysException {
        return Command.start(who, "/bin/sh", List.of("sh", "-c", text), ENVIRONMENT, "/usr", -1);
    }

    /** What is there and what still comes, to the end. */
    static String readAll(Command command) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        byte[] block = new byte[4096];
        while (true) {
            int count = Fd.tryRead(command.output(), block, 0, block.length);
            if (count == -Errno.EAGAIN) {
                Poll.one(command.output(), Poll.IN, 5_000);
            } else if (count > 0) {
                all.write(block, 0, count);
            } else {
                return all.toString(UTF_8);
            }
        }
    }

    @Test
    void nothingIsInheritedButWhatWasGiven() throws Exception {
        int leak = Fd.dup(At.open(At.CWD, "/dev/null", Open.RDONLY), 77);
        Fd.closeOnExec(leak, false);
        try (Command command = shell(null, "pwd; env | sort; cat; ls /proc/$$/fd | tr '\\n' ' '")) {
            Fd.write(command.input(), "mail\n".getBytes(UTF_8), 0, 5);
            command.closeInput();
            // The shell's own script descriptors vary; what counts is that ours did not get in.
            assertThat(readAll(command))
                    .startsWith("/usr\nLC_ALL=C\nPATH=/usr/bin:/bin\nPWD=/usr\nmail\n")
                    .contains("0 1 2")
                    .doesNotContain(Integer.toString(leak));
            assertThat(command.await()).hasToString("exit 0");
        }
        Fd.close(leak);
    }

    @Test
    void exitCodeSignalAndFailedStartAreTold() throws Exception {
        try (Command command = shell(null, "exit 75")) {
            assertThat(Poll.one(command.pidFd(), Poll.IN, 10_000)).isTrue();
            assertThat(command.reap()).contains(new ExitStatus(75 << 8));
            assertThat(command.killGroup(9)).as("its number may be another's by now").isFalse();
        }
        try (Command command = shell(null, "kill -SEGV $$")) {
            assertThat(command.await().signal()).isEqualTo(11);
            assertThat(command.await().isExit()).isFalse();
        }
        assertThatThrownBy(
                        () ->
                                Command.start(
                                        null,
                                        "/no/such/program",
                                        List.of("x"),
                                        List.of(),
                                        null,
                                        -1))
                .isInstanceOf(SysException.class)
                .hasMessageContaining("ENOENT");
    }

    @Test
    void killingTheGroupReachesWhatTheCommandStarted() throws Exception {
        try (Command command = shell(null, "sleep 600 & echo $!; wait")) {
            byte[] line = new byte[32];
            assertThat(Poll.one(command.output(), Poll.IN, 10_000)).isTrue();
            int count = Fd.read(command.output(), line, 0, line.length);
            String child = new String(line, 0, count, UTF_8).strip();
            assertThat(Path.of("/proc/" + child)).exists();
            assertThat(command.reap()).isEmpty();
            assertThat(command.killGroup(Identity.SIGKILL)).isTrue();
            assertThat(command.await().signal()).isEqualTo(9);
            await().until(() -> isGone(Path.of("/proc/" + child + "/stat")));
        }
    }

    private static boolean isGone(Path stat) throws IOException {
        try {
            return Files.readString(stat).contains(") Z ");
        } catch (IOException e) {
            return true;
        }
    }

    @Test
    void inputCanBeAFileThatWasOpenedBefore() throws Exception {
        int fd = Memfd.sealed("mail", "from a file".getBytes(UTF_8));
        try (Command command =
                Command.start(
                        null,
                        "/bin/cat",
                        List.of("cat"),
                        List.of(),
                        null,
                        At.open(At.CWD, "/proc/self/fd/" + fd, Open.RDONLY))) {
            assertThat(command.input()).isEqualTo(-1);
            assertThat(readAll(command)).isEqualTo("from a file");
            command.await();
        }
        Fd.close(fd);
    }

    @Test
    void outputIsBoundedByThePipe() throws Exception {
        try (Command command = shell(null, "yes")) {
            assertThat(Poll.one(command.output(), Poll.IN, 10_000)).isTrue();
            assertThat(command.killGroup(Identity.SIGKILL)).isTrue();
            command.await();
            assertThat(readAll(command).length()).isLessThanOrEqualTo(65_536);
        }
    }

    @Test
    void commandOfAUserHasNoCapabilityAndNoWayBack() throws Exception {
        assumeTrue(Identity.euid() == 0, "needs root");
        User user = Users.byName("nobody").orElseThrow();
        ThreadIdentity who = new ThreadIdentity(user.uid(), user.gid());
        try (Command command =
                shell(who, "read x; cat /proc/self/status; echo Files: $(ulimit -Hn)")) {
            Fd.write(command.input(), "\n".getBytes(UTF_8), 0, 1);
            Map<String, String> status = TaskStatus.parse(readAll(command));
            String u = Integer.toString(user.uid());
            assertThat(status.get("Uid")).isEqualTo(u + " " + u + " " + u + " " + u);
            assertThat(status)
                    .containsEntry("CapInh", "0".repeat(16))
                    .containsEntry("CapPrm", "0".repeat(16))
                    .containsEntry("CapEff", "0".repeat(16))
                    .containsEntry("CapAmb", "0".repeat(16))
                    .containsEntry("NoNewPrivs", "1")
                    .containsEntry("SigBlk", "0".repeat(16))
                    .containsEntry("Files", "1024");
            assertThat(status.get("SigIgn")).isEqualTo("0".repeat(16));
            assertThat(status.get("Groups")).isEmpty();
            assertThat(command.await().code()).isZero();
        }
        // The kernel's thread outlives join() by a moment.
        await().untilAsserted(
                        () -> {
                            for (Map<String, String> task : TaskStatus.of(Identity.pid())) {
                                assertThat(task.get("Uid"))
                                        .as(task.get("Name"))
                                        .isEqualTo("0 0 0 0");
                            }
                        });
    }
}
