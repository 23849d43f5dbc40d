package smtpd.regress;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;

/**
 * One run of the installed {@code bin/smtpd} in the foreground. Closing it ends it, with all of its
 * processes, whatever state it is in; its log stays in {@code target/logs} of this module.
 */
final class Daemon implements AutoCloseable {

    static final List<String> CHILDREN =
            List.of("control", "smtp", "mfa", "lka", "queue", "scheduler", "mta", "mda");

    private final Site site;
    private final Process process;
    private final List<String> log = new CopyOnWriteArrayList<>();
    private final Thread reader;

    private Daemon(Site site, Process process, Path logFile) {
        this.site = site;
        this.process = process;
        this.reader = Thread.ofPlatform().daemon().name("log").start(() -> collect(logFile));
    }

    /** Starts the daemon and returns when it takes mail. */
    static Daemon start(Site site, String... arguments) throws IOException {
        Daemon daemon = launch(site, List.of(), arguments);
        daemon.awaitStart();
        return daemon;
    }

    /**
     * Starts the daemon and returns at once.
     *
     * @param before command in front of it, such as one that changes the identity
     */
    static Daemon launch(Site site, List<String> before, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(before);
        command.add(site.program("smtpd").toString());
        command.addAll(List.of("-d", "-f", site.dir().resolve("smtpd.conf").toString()));
        command.addAll(List.of("-r", site.dir().toString()));
        command.addAll(List.of(arguments));
        Path logs = Files.createDirectories(Path.of("target", "logs"));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        Path logFile = logs.resolve(site.dir().getFileName() + "." + process.pid() + ".log");
        process.getOutputStream().close();
        return new Daemon(site, process, logFile);
    }

    private void collect(Path logFile) {
        try (BufferedReader lines =
                        new BufferedReader(
                                new InputStreamReader(
                                        process.getInputStream(), StandardCharsets.UTF_8));
                var copy = Files.newBufferedWriter(logFile)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                log.add(line);
                copy.write(line);
                copy.newLine();
                copy.flush();
            }
        } catch (IOException e) {
            log.add("the log ends: " + e);
        }
    }

    long pid() {
        return process.pid();
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** All lines so far. */
    List<String> log() {
        return List.copyOf(log);
    }

    List<String> log(String part) {
        return log.stream().filter(line -> line.contains(part)).toList();
    }

    void awaitStart() {
        awaitLog("event=start pid=", 1);
    }

    /** Waits until that many lines of the log hold the text. */
    void awaitLog(String part, int times) {
        Machine.await("log says " + part)
                .until(
                        () -> {
                            if (log(part).size() >= times) {
                                return true;
                            }
                            if (!process.isAlive()) {
                                throw new AssertionError(
                                        "smtpd ended before it said "
                                                + part
                                                + ":\n"
                                                + String.join("\n", log));
                            }
                            return false;
                        });
    }

    /** The live child of that name. */
    Optional<Long> child(String name) {
        return Optional.ofNullable(children().get(name));
    }

    /** The children that are alive now, by name. */
    Map<String, Long> children() {
        Map<String, Long> found = new TreeMap<>();
        process.children()
                .forEach(
                        child -> {
                            String title = title(child.pid());
                            if (title.startsWith("smtpd:")) {
                                found.put(title.substring("smtpd:".length()), child.pid());
                            }
                        });
        return found;
    }

    private static String title(long pid) {
        try {
            String line =
                    Files.readString(Path.of("/proc/" + pid + "/cmdline"), StandardCharsets.UTF_8);
            int end = line.indexOf('\0');
            return end < 0 ? line : line.substring(0, end);
        } catch (IOException | UncheckedIOException e) {
            return "";
        }
    }

    /** Kills one child and returns when its successor works. */
    void killAndAwaitReturn(String child) throws IOException, InterruptedException {
        int before = log("event=process-ready process=" + child + " ").size();
        Machine.kill("KILL", child(child).orElseThrow());
        awaitLog("event=process-ready process=" + child + " ", before + 1);
    }

    /** Kills parent and children as a power cut would, and waits for their end. */
    void killAll() throws IOException, InterruptedException {
        List<ProcessHandle> all = new ArrayList<>(process.descendants().toList());
        Machine.kill("STOP", process.pid());
        for (ProcessHandle one : all) {
            Machine.kill("KILL", one.pid());
        }
        Machine.kill("KILL", process.pid());
        process.waitFor();
        Machine.await("all are gone").until(() -> all.stream().noneMatch(ProcessHandle::isAlive));
        reader.join(10_000);
    }

    /** Asks for an ordered end and returns the exit status. */
    int stop() throws IOException, InterruptedException {
        Machine.kill("TERM", process.pid());
        return awaitEnd();
    }

    int awaitEnd() throws InterruptedException {
        assertThat(process.waitFor(120, TimeUnit.SECONDS)).as("smtpd ends").isTrue();
        reader.join(10_000);
        return process.exitValue();
    }

    SmtpClient connect() throws IOException {
        return SmtpClient.connect(site.port());
    }

    Ctl ctl() {
        return new Ctl(site);
    }

    @Override
    public void close() throws IOException {
        try {
            if (process.isAlive()) {
                killAll();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
