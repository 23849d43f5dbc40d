package smtpd.parent;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TimeZone;
import smtpd.imsg.Role;

/**
 * Where the program lies, and how a JVM is started for each process: one class path and one cache
 * for all, a small serial heap for each.
 *
 * @param java the java binary
 * @param home folder of the installation ({@code bin}, {@code lib}, {@code etc}, {@code man})
 * @param classPath jars in the order the cache was made with
 * @param cache AOT cache that fits these jars; null when there is none
 */
record Installation(Path java, Path home, String classPath, Path cache) {

    /** Heap and direct memory of each process, MiB. */
    private record Memory(int heap, int direct) {}

    private static final Map<Role, Memory> MEMORY =
            Map.of(
                    Role.CONTROL, new Memory(48, 32),
                    Role.MFA, new Memory(48, 32),
                    Role.LKA, new Memory(96, 64),
                    Role.MDA, new Memory(96, 96),
                    Role.SCHEDULER, new Memory(192, 32),
                    Role.SMTP, new Memory(160, 192),
                    Role.MTA, new Memory(160, 192),
                    Role.QUEUE, new Memory(256, 320));

    /** Read off the running parent: the launcher set {@code smtpd.home} and {@code smtpd.cache}. */
    static Installation current() {
        String cache = System.getProperty("smtpd.cache", "");
        Path java = Path.of(System.getProperty("java.home"), "bin", "java");
        String home = System.getProperty("smtpd.home", "");
        return new Installation(
                java,
                home.isEmpty() ? Path.of("").toAbsolutePath() : Path.of(home).toAbsolutePath(),
                System.getProperty("java.class.path"),
                cache.isEmpty() ? null : Path.of(cache));
    }

    Path nativeLibraries() {
        return home.resolve("lib/native");
    }

    /** The command of a child, without the binary: flags, main class, arguments. */
    List<String> command(Role role, List<String> arguments) {
        Memory memory = MEMORY.get(role);
        List<String> argv = new ArrayList<>();
        argv.add("-Xmx" + memory.heap() + "m");
        argv.add("-XX:MaxDirectMemorySize=" + memory.direct() + "m");
        argv.addAll(commonFlags());
        if (cache != null) {
            argv.add("-XX:AOTCache=" + cache);
        }
        argv.add("-Djava.library.path=" + nativeLibraries());
        argv.add("-Duser.timezone=" + TimeZone.getDefault().getID());
        for (String name : System.getProperties().stringPropertyNames()) {
            if (name.startsWith("smtpd.")) {
                argv.add("-D" + name + "=" + System.getProperty(name));
            }
        }
        argv.add("-cp");
        argv.add(classPath);
        argv.add(mainClass(role));
        argv.addAll(arguments);
        return argv;
    }

    /** Flags of every JVM of the daemon; the cache was made with the same. */
    static List<String> commonFlags() {
        return List.of(
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-XX:ReservedCodeCacheSize=32m",
                "-Xss512k",
                "-XX:-UsePerfData",
                "-XX:+ExitOnOutOfMemoryError",
                "-XX:+UnlockDiagnosticVMOptions",
                "-XX:ArchiveRelocationMode=0",
                // Nine JVMs that compile at once what the training run used much hold up the start.
                "-XX:-AOTReplayTraining",
                "-Xlog:disable",
                "-Xlog:all=error:stderr",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-Dio.netty.machineId=00:00:00:00:00:00:00:01",
                "-Dio.netty.leakDetection.level=disabled",
                // Each child would describe Netty's events to a recorder that nobody starts.
                "-Dio.netty.jfr.enabled=false",
                "-Dfile.encoding=UTF-8");
    }

    static String mainClass(Role role) {
        String title = role.title();
        String name = title.substring(0, 1).toUpperCase(Locale.ROOT) + title.substring(1);
        return "smtpd." + title + "." + name + "Process";
    }

    /** Environment of a child: nothing of ours but what the C library needs. */
    static List<String> environment() {
        return List.of("PATH=/usr/bin:/bin", "LANG=C.UTF-8", "MALLOC_ARENA_MAX=2");
    }

    /** All folders that hold jars of the class path. */
    List<Path> jarFolders() {
        List<Path> folders = new ArrayList<>();
        for (String entry : classPath.split(":")) {
            Path folder = Path.of(entry).toAbsolutePath().getParent();
            if (folder != null && !folders.contains(folder)) {
                folders.add(folder);
            }
        }
        return folders;
    }

    /** The JDK's folder. */
    Path javaHome() {
        return Path.of(System.getProperty("java.home"));
    }
}
