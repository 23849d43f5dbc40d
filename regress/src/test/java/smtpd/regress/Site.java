package smtpd.regress;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The private folder of one daemon: configuration, users with their homes, mailboxes and spool.
 * Closing it removes the folder.
 */
final class Site implements AutoCloseable {

    private static final int FIRST_UID = 24_001;

    private final Path dir;
    private final Map<String, Integer> users = new LinkedHashMap<>();
    private final List<String> aliases = new ArrayList<>(List.of("postmaster: ann"));
    private final int port;
    private Path tree =
            Path.of(System.getProperty("smtpd.tree", "../etc/target/smtpd"))
                    .toAbsolutePath()
                    .normalize();
    private int nextUid = FIRST_UID;

    private Site(Path dir) {
        this.dir = dir;
        this.port = Ports.free();
    }

    /** A site with the users ann, bob and cid. */
    static Site create() throws IOException {
        // Open for passing through: the daemon's accounts and the recipients must get below it.
        Path dir =
                Files.createTempDirectory(
                        Path.of("/tmp"),
                        "smtpd-regress",
                        PosixFilePermissions.asFileAttribute(
                                PosixFilePermissions.fromString("rwx--x--x")));
        Files.setPosixFilePermissions(dir, PosixFilePermissions.fromString("rwxr-xr-x"));
        Files.writeString(dir.resolve("mailname"), "mail.site.test\n");
        Files.createDirectory(dir.resolve("home"));
        Site site = new Site(dir);
        for (String user : List.of("ann", "bob", "cid")) {
            site.user(user);
        }
        return site;
    }

    Path dir() {
        return dir;
    }

    /** A program of the installation under test. */
    Path program(String name) {
        Path program = tree.resolve("bin").resolve(name);
        assertThat(program).as("the installation, made by: mvn package").isExecutable();
        return program;
    }

    /** Takes a copy of the installation along, for accounts that cannot see where it was built. */
    void copyInstallation() throws IOException, InterruptedException {
        Path copy = dir.resolve("installation");
        // With the times, by which the launcher knows that the class cache fits.
        Machine.Ended ended = Machine.run(List.of("cp", "-a", tree.toString(), copy.toString()));
        assertThat(ended.status()).as(ended.output()).isZero();
        tree = copy;
    }

    /** Port of the listener on 127.0.0.1. */
    int port() {
        return port;
    }

    Path home(String user) {
        return dir.resolve("home").resolve(user);
    }

    Maildir maildir(String user) {
        return new Maildir(home(user).resolve("Maildir"));
    }

    Path spool() {
        return dir.resolve("spool");
    }

    Site alias(String line) {
        aliases.add(line);
        return this;
    }

    Site user(String name) throws IOException {
        Path home = Files.createDirectory(home(name));
        int uid = Machine.isRoot() ? nextUid++ : Machine.uid();
        users.put(name, uid);
        give(home, name);
        Files.setPosixFilePermissions(home, PosixFilePermissions.fromString("rwx------"));
        return this;
    }

    int uid(String user) {
        return users.get(user);
    }

    Site forward(String user, String text) throws IOException {
        Path file = Files.writeString(home(user).resolve(".forward"), text);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
        give(file, user);
        return this;
    }

    private void give(Path path, String user) throws IOException {
        if (Machine.isRoot()) {
            Files.setAttribute(path, "unix:uid", users.get(user));
            Files.setAttribute(path, "unix:gid", users.get(user));
        }
    }

    /** Hands the whole folder to another account, for a daemon that runs as it. */
    void giveAllTo(int uid) throws IOException {
        try (Stream<Path> all = Files.walk(dir)) {
            for (Path path : all.toList()) {
                Files.setAttribute(path, "unix:uid", uid);
                Files.setAttribute(path, "unix:gid", uid);
            }
        }
        users.replaceAll((_, _) -> uid);
    }

    /** Writes smtpd.conf: a listener, the tables {@code aliases} and {@code users}, these lines. */
    Site config(String... lines) throws IOException {
        Files.write(dir.resolve("aliases"), aliases);
        List<String> userbase = new ArrayList<>();
        users.forEach((name, uid) -> userbase.add(name + " " + uid + ":" + uid + ":" + home(name)));
        Files.write(dir.resolve("users"), userbase);
        List<String> text = new ArrayList<>();
        text.add("table aliases file:" + dir.resolve("aliases"));
        text.add("table users file:" + dir.resolve("users"));
        text.add("listen on 127.0.0.1 port " + port);
        text.addAll(List.of(lines));
        Files.write(dir.resolve("smtpd.conf"), text, StandardCharsets.UTF_8);
        return this;
    }

    /** The rule that puts local mail into the users' Maildirs. */
    static String toMaildir() {
        return "accept from any for local alias <aliases> userbase <users> deliver to maildir";
    }

    /** Files of the queue proper, envelopes and messages, by name. */
    List<Path> envelopeFiles() {
        return files(spool().resolve("queue"), "[0-9a-f]{16}");
    }

    List<Path> files(Path below, String name) {
        try (Stream<Path> all = Files.walk(below)) {
            return all.filter(path -> path.getFileName().toString().matches(name))
                    .sorted()
                    .toList();
        } catch (UncheckedIOException | IOException e) {
            // The daemon removes files while we look: look again at the next poll.
            return List.of();
        }
    }

    @Override
    public void close() throws IOException {
        try (Stream<Path> all = Files.walk(dir)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        }
    }
}
