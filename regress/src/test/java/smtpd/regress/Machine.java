package smtpd.regress;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;

/** The machine the tests run on: who we are, what {@code /proc} says of a process. */
final class Machine {

    private static final int NOBODY = 65_534;

    private Machine() {}

    static boolean isRoot() {
        return uid() == 0;
    }

    static int uid() {
        try {
            return (Integer) Files.getAttribute(Path.of("/proc/self"), "unix:uid");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static int nobody() {
        return NOBODY;
    }

    /** Waits as long as a busy machine may need. */
    static ConditionFactory await(String what) {
        return Awaitility.await(what)
                .atMost(Duration.ofMinutes(2))
                .pollInterval(Duration.ofMillis(100));
    }

    /** Sends a signal to one process by its id; the shell's own kill, which is always there. */
    static void kill(String signal, long pid) throws IOException, InterruptedException {
        run(List.of("sh", "-c", "kill -" + signal + " " + pid));
    }

    /** How a command ended: its status and both of its outputs. */
    record Ended(int status, String output) {}

    static Ended run(List<String> command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (!process.waitFor(120, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new IOException(command + " does not end");
        }
        return new Ended(process.exitValue(), output);
    }

    static int descriptors(long pid) throws IOException {
        try (Stream<Path> open = Files.list(Path.of("/proc/" + pid + "/fd"))) {
            return (int) open.count();
        }
    }

    /** The lines {@code Uid:} of all threads of a process: real, effective, saved, file system. */
    static List<String> uidsOfThreads(long pid) throws IOException {
        try (Stream<Path> tasks = Files.list(Path.of("/proc/" + pid + "/task"))) {
            return tasks.map(task -> statusLine(task, "Uid:")).toList();
        }
    }

    static String statusLine(Path process, String key) {
        try (Stream<String> lines = Files.lines(process.resolve("status"))) {
            return lines.filter(line -> line.startsWith(key))
                    .map(line -> line.substring(key.length()).strip().replace('\t', ' '))
                    .findFirst()
                    .orElse("");
        } catch (IOException | UncheckedIOException e) {
            return "";
        }
    }
}
