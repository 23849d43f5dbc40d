package smtpd.sys;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A real child JVM, spawned confined, tries what it must not do. */
class SandboxTest {
    @TempDir static Path shared;
    private static Path jar;
    @TempDir Path folder;
    private final BlockingQueue<ChildEvent> events = new LinkedBlockingQueue<>();

    /** One jar, as installed: opened before the child drops, wherever the build tree lies. */
    @BeforeAll
    static void packClasses() throws Exception {
        jar = shared.resolve("probe.jar");
        try (OutputStream file = Files.newOutputStream(jar);
                JarOutputStream out = new JarOutputStream(file)) {
            for (Class<?> owner : List.of(Libc.class, SandboxProbe.class)) {
                Path root =
                        Path.of(owner.getProtectionDomain().getCodeSource().getLocation().toURI());
                assumeTrue(Files.isDirectory(root), "classes in a folder");
                try (Stream<Path> files = Files.list(root.resolve("smtpd/sys"))) {
                    for (Path each : files.toList()) {
                        out.putNextEntry(new JarEntry("smtpd/sys/" + each.getFileName()));
                        Files.copy(each, out);
                        out.closeEntry();
                    }
                }
            }
        }
    }

    static List<String> java(String classPath, String... arguments) {
        List<String> all =
                new ArrayList<>(
                        List.of(
                                "java",
                                "-XX:+UseSerialGC",
                                "-XX:TieredStopAtLevel=1",
                                "-XX:-UsePerfData",
                                "-Xmx32m",
                                "--enable-native-access=ALL-UNNAMED",
                                "-cp",
                                classPath,
                                "smtpd.sys.SandboxProbe"));
        all.addAll(List.of(arguments));
        return all;
    }

    private static Program probe(int report, String... arguments) {
        return new Program(
                System.getProperty("java.home") + "/bin/java",
                java(jar.toString(), arguments),
                List.of("PATH=/usr/bin:/bin"),
                null,
                List.of(Program.NULL, 2, 2, report),
                true);
    }

    private static Landlock javaTree() {
        return new Landlock()
                .execute(System.getProperty("java.home"))
                .execute("/usr")
                .execute("/bin")
                .execute("/lib")
                .execute("/lib64")
                .readOnly("/proc")
                .readOnly("/dev/urandom")
                .readOnly("/dev/random")
                .readOnly("/etc")
                .readOnly("/sys/fs/cgroup")
                .readOnly("/run/systemd/resolve")
                .readWrite("/dev/null")
                .readOnly(shared.toString());
    }

    /** Reads reports until one says {@code last}, or the writers are gone. */
    private static Map<String, String> reports(int fd, String last) throws IOException {
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        byte[] block = new byte[4096];
        while (!text.toString(UTF_8).contains("\n" + last + "=")
                && !text.toString(UTF_8).startsWith(last + "=")) {
            assertThat(Poll.one(fd, Poll.IN, 60_000)).as(text.toString(UTF_8)).isTrue();
            int count = Fd.read(fd, block, 0, block.length);
            if (count == 0) {
                break;
            }
            text.write(block, 0, count);
        }
        Map<String, String> found = new HashMap<>();
        for (String line : text.toString(UTF_8).lines().toList()) {
            found.put(line.substring(0, line.indexOf('=')), line.substring(line.indexOf('=') + 1));
        }
        return found;
    }

    private ChildEvent next() throws InterruptedException {
        ChildEvent event = events.poll(60, TimeUnit.SECONDS);
        assertThat(event).isNotNull();
        return event;
    }

    @Test
    void aChildIsConfinedFromItsFirstInstructionOnEveryThread() throws Exception {
        assumeTrue(Landlock.abi() >= 4, "needs Landlock with TCP rules");
        boolean isRoot = Identity.euid() == 0;
        int uid = isRoot ? Users.byName("nobody").orElseThrow().uid() : 0;
        Path forbidden = Files.writeString(folder.resolve("forbidden"), "secret");
        Path work = Files.createDirectory(folder.resolve("work"));
        int[] report = Fd.pipe();
        int pid;
        Map<String, String> seen;
        try (ServerSocket open = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
                ServerSocket closed = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
            Landlock tree =
                    javaTree()
                            .readWrite(work.toString())
                            .connectTcp(open.getLocalPort())
                            .movesFiles();
            Program program =
                    probe(
                            report[1],
                            "confined",
                            forbidden.toString(),
                            work.toString(),
                            Integer.toString(open.getLocalPort()),
                            Integer.toString(closed.getLocalPort()),
                            Integer.toString(uid),
                            Integer.toString(Identity.pid()));
            new Spawner(events::add).spawn("probe", program, Sandbox.of(tree));
            ChildEvent.Started started = (ChildEvent.Started) next();
            assertThat(started.child()).isEqualTo("probe");
            assertThat(started.missing()).isEmpty();
            pid = started.pid();
            Fd.close(report[1]);
            seen = reports(report[0], "ready");
        }
        assertThat(seen)
                .containsEntry("main", "refused")
                .containsEntry("pool", "refused")
                .containsEntry("virtual", "refused")
                .containsEntry("work", "x")
                .containsEntry("connect-open", "connected")
                .containsEntry("connect-closed", "Permission denied")
                .containsEntry("unshare", "-1")
                .containsEntry("newuser", "-1")
                .containsEntry("mount", "-1")
                .containsEntry("io_uring", "-1")
                .containsEntry("netlink", "-1")
                .containsEntry("inet", "true")
                .containsEntry("exec-before", "exit 0")
                .containsEntry("stage2", "in force")
                .containsEntry("exec-after", "refused")
                .containsEntry("setuid", "-1")
                .containsEntry("setgroups", "-1")
                .containsEntry("kill-parent", "-1")
                .containsEntry("kill-group", "-1")
                .containsEntry("kill-self", "0")
                .containsEntry("inet-after", "-1")
                .containsEntry("unix-after", "true")
                .containsEntry("pool-after", "-1")
                .containsEntry("ready", Integer.toString(pid));
        List<Map<String, String>> tasks = TaskStatus.of(pid);
        assertThat(tasks.size()).isGreaterThan(5);
        for (Map<String, String> task : tasks) {
            String name = task.get("Name");
            assertThat(task)
                    .as(name)
                    .containsEntry("NoNewPrivs", "1")
                    .containsEntry("Seccomp", "2");
            assertThat(task.get("Seccomp_filters")).as(name).isEqualTo("2");
            if (isRoot) {
                String id = uid + " " + uid + " " + uid + " " + uid;
                assertThat(task).as(name).containsEntry("Uid", id).containsEntry("Gid", id);
                assertThat(task).as(name).containsEntry("CapEff", "0".repeat(16));
                assertThat(task).as(name).containsEntry("CapPrm", "0".repeat(16));
                assertThat(task.get("Groups")).as(name).isEmpty();
                assertThat(task).as(name).containsEntry("CapBnd", "00000000000000c0");
            }
        }
        for (Map<String, String> ours : TaskStatus.of(Identity.pid())) {
            if (ours.get("Name").startsWith("spawn-")) {
                assertThat(ours.get("Uid")).as("the waiting thread").startsWith(euid() + " ");
            } else {
                assertThat(ours.get("Seccomp")).as(ours.get("Name")).isEqualTo("0");
            }
        }
        assertThat(Files.readString(forbidden)).isEqualTo("secret");
        assertThat(Identity.kill(pid, Identity.SIGTERM)).isTrue();
        assertThat(reports(report[0], "hook")).containsEntry("hook", "refused");
        ChildEvent.Exited exited = (ChildEvent.Exited) next();
        assertThat(exited.pid()).isEqualTo(pid);
        assertThat(exited.status().code()).isEqualTo(143);
        Fd.close(report[0]);
    }

    private static String euid() {
        return Integer.toString(Identity.euid());
    }

    @Test
    void killingTheParentKillsTheChildAtOnce() throws Exception {
        int[] report = Fd.pipe();
        new Spawner(events::add).spawn("parent", probe(report[1], "parent", jar.toString()), null);
        int pid = ((ChildEvent.Started) next()).pid();
        Fd.close(report[1]);
        Map<String, String> seen = reports(report[0], "orphan");
        assertThat(seen).containsEntry("orphan", "ready").containsKey("child");
        assertThat(Identity.kill(pid, Identity.SIGKILL)).isTrue();
        // Both held the pipe: its end means that both are gone.
        await().atMost(Duration.ofSeconds(30))
                .until(() -> Fd.tryRead(report[0], new byte[16], 0, 16) == 0);
        assertThat(((ChildEvent.Exited) next()).status().signal()).isEqualTo(9);
        Fd.close(report[0]);
    }

    @Test
    void aProgramThatIsNotThereIsToldNotThrown() throws Exception {
        Program none =
                new Program(
                        "/no/such/java",
                        List.of("java"),
                        List.of(),
                        null,
                        List.of(Program.NULL, Program.NULL, Program.NULL),
                        false);
        new Spawner(events::add).spawn(7, none, Sandbox.of(javaTree()));
        ChildEvent.NotStarted failed = (ChildEvent.NotStarted) next();
        assertThat(failed.child()).isEqualTo(7);
        assertThat(failed.cause().errno()).isEqualTo(Errno.ENOENT);
    }

    @Test
    void descriptorsArriveInOrderWhateverTheirNumbers() throws Exception {
        int[] one = Fd.pipe();
        int[] two = Fd.pipe();
        int[] three = Fd.pipe();
        // Crossed on purpose: sources stand where targets of others will be.
        List<Integer> fds = List.of(Program.NULL, three[1], 2, one[1], two[1], three[1]);
        Program program =
                new Program(
                        "/bin/sh",
                        List.of(
                                "sh",
                                "-c",
                                "echo three; echo one >&3; echo two >&4; echo three >&5"),
                        List.of(),
                        "/",
                        fds,
                        true);
        new Spawner(events::add).spawn("sh", program, null);
        assertThat(next()).isInstanceOf(ChildEvent.Started.class);
        for (int fd : new int[] {one[1], two[1], three[1]}) {
            Fd.close(fd);
        }
        assertThat(((ChildEvent.Exited) next()).status()).hasToString("exit 0");
        assertThat(text(one[0])).isEqualTo("one\n");
        assertThat(text(two[0])).isEqualTo("two\n");
        assertThat(text(three[0])).isEqualTo("three\nthree\n");
    }

    private static String text(int fd) throws SysException {
        byte[] block = new byte[256];
        int count = Fd.read(fd, block, 0, block.length);
        Fd.close(fd);
        return new String(block, 0, count, UTF_8);
    }

    @Test
    void limitsOfAnotherProcessCanBeSet() throws Exception {
        int[] in = Fd.pipe();
        int[] out = Fd.pipe();
        Program program =
                new Program(
                        "/bin/sh",
                        List.of("sh", "-c", "read x; ulimit -n"),
                        List.of(),
                        null,
                        List.of(in[0], out[1], 2),
                        true);
        new Spawner(events::add).spawn("limited", program, null);
        int pid = ((ChildEvent.Started) next()).pid();
        Fd.close(out[1]);
        Identity.limit(pid, Identity.RLIMIT_NOFILE, 99, 99);
        Fd.write(in[1], "\n".getBytes(UTF_8), 0, 1);
        next();
        assertThat(text(out[0])).isEqualTo("99\n");
        Fd.close(in[0]);
        Fd.close(in[1]);
    }
}
