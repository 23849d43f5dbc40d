package smtpd.tools;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Shows the real daemon in a private folder on loopback: one mail into a Maildir, one relayed to a
 * sink, one that cannot leave yet and lies in the queue as a text file, and what smtpctl says of
 * it.
 */
public final class Quickstart {

    private static final int PATIENCE_SECONDS = 40;

    private final Path home;
    private final Path dir;
    private final PrintStream out;
    private final String user = System.getProperty("user.name");

    private Quickstart(Path home, Path dir, PrintStream out) {
        this.home = home;
        this.dir = dir;
        this.out = out;
    }

    public static void main(String[] arguments) throws Exception {
        boolean once = List.of(arguments).contains("--once");
        Path home = Path.of(System.getProperty("smtpd.home"));
        Path dir = Files.createTempDirectory("smtpd-quickstart");
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        int status;
        try {
            status = new Quickstart(home, dir, out).run(once);
        } catch (IllegalStateException | IOException e) {
            System.err.println("quickstart: " + e.getMessage());
            status = 1;
        }
        Runtime.getRuntime().halt(status);
    }

    private int run(boolean once) throws IOException, InterruptedException {
        long begun = System.nanoTime();
        try (Sink sink = new Sink()) {
            int port = freePort();
            Path config = configure(port, sink.port(), freePort());
            Process daemon = start(config);
            Thread stopper = new Thread(() -> stop(daemon));
            Runtime.getRuntime().addShutdownHook(stopper);
            try {
                awaitGreeting(daemon, port);
                out.println("smtpd is up on 127.0.0.1 port " + port + ", everything in " + dir);
                show(port, sink);
                out.printf("%nDone in %.1f s.%n", (System.nanoTime() - begun) / 1e9);
                if (!once) {
                    hints(port);
                    daemon.waitFor();
                }
                return 0;
            } finally {
                stop(daemon);
                remove();
            }
        }
    }

    // ---- the daemon

    private Path configure(int port, int sinkPort, int deafPort) throws IOException {
        Path config = dir.resolve("smtpd.conf");
        Files.writeString(
                config,
                """
                table aliases file:%1$s/aliases

                listen on 127.0.0.1 port %2$d

                accept for local alias <aliases> deliver to maildir "%1$s/Maildir"
                accept from local for domain "partner.example" relay via smtp://127.0.0.1:%3$d
                accept from local for domain "asleep.example" relay via smtp://127.0.0.1:%4$d
                """
                        .formatted(dir, port, sinkPort, deafPort));
        Files.writeString(dir.resolve("aliases"), "you: " + user + "\n");
        return config;
    }

    private Process start(Path config) throws IOException {
        return new ProcessBuilder(
                        home.resolve("bin/smtpd").toString(),
                        "-d",
                        "-f",
                        config.toString(),
                        "-r",
                        dir.toString())
                .redirectErrorStream(true)
                .redirectOutput(dir.resolve("smtpd.log").toFile())
                .start();
    }

    private void awaitGreeting(Process daemon, int port) throws IOException, InterruptedException {
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        while (System.nanoTime() < until) {
            if (!daemon.isAlive()) {
                throw failure("the daemon ended with status " + daemon.exitValue());
            }
            try (Socket socket = new Socket()) {
                socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1000);
                socket.setSoTimeout(PATIENCE_SECONDS * 1000);
                BufferedReader in = reader(socket);
                if (reply(in).startsWith("220")) {
                    say(socket, in, "QUIT");
                    return;
                }
            } catch (java.net.ConnectException e) {
                daemon.waitFor(20, TimeUnit.MILLISECONDS); // not bound yet
            }
        }
        throw failure("the daemon does not answer");
    }

    private IllegalStateException failure(String what) throws IOException {
        String log = Files.readString(dir.resolve("smtpd.log"), StandardCharsets.UTF_8);
        return new IllegalStateException(what + "; its log:\n" + log);
    }

    private static void stop(Process daemon) {
        daemon.destroy();
        try {
            if (!daemon.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                daemon.destroyForcibly();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void remove() throws IOException {
        try (Stream<Path> all = Files.walk(dir)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        }
    }

    // ---- the show

    private void show(int port, Sink sink) throws IOException, InterruptedException {
        title("1. A mail to a local user, alias you -> " + user);
        out.println("smtpd said: " + send(port, "you@localhost", "Hello Maildir"));
        Path mail = awaitFile(dir.resolve("Maildir/new"), "*");
        out.println("It lies in " + mail);
        for (String line : Files.readAllLines(mail, StandardCharsets.UTF_8)) {
            if (line.isEmpty()) {
                break;
            }
            out.println("    " + line);
        }

        title("2. A mail relayed to another server");
        out.println("smtpd said: " + send(port, "ann@partner.example", "Hello partner"));
        List<String> relayed = sink.take(PATIENCE_SECONDS);
        if (relayed == null) {
            throw failure("the relayed mail did not arrive");
        }
        out.println("The other server received " + relayed.size() + " lines, first of them:");
        relayed.stream().limit(3).forEach(line -> out.println("    " + line));

        title("3. A mail to a server that does not answer: it waits in the queue");
        out.println("smtpd said: " + send(port, "bob@asleep.example", "Hello sleeper"));
        Path envelope = awaitEnvelope();
        out.println("cat " + envelope);
        Files.readAllLines(envelope, StandardCharsets.UTF_8)
                .forEach(line -> out.println("    " + line));

        title("4. smtpctl show queue");
        ctl("show", "queue");
        title("5. smtpctl show stats");
        ctl("show", "stats");
    }

    private void title(String text) {
        out.println();
        out.println("== " + text);
    }

    private void hints(int port) {
        out.println();
        out.println("The daemon stays up until Ctrl-C. Try, in another terminal:");
        String ctl = home.resolve("bin/smtpctl") + " -r " + dir;
        out.println("    " + ctl + " show queue");
        out.println("    " + ctl + " trace smtp        (lines go to " + dir + "/smtpd.log)");
        out.println("    " + ctl + " schedule all");
        out.println("    swaks --server 127.0.0.1:" + port + " --to you@localhost");
    }

    private Path awaitFile(Path folder, String glob) throws IOException, InterruptedException {
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        while (System.nanoTime() < until) {
            if (Files.isDirectory(folder)) {
                try (var files = Files.newDirectoryStream(folder, glob)) {
                    for (Path file : files) {
                        return file;
                    }
                }
            }
            TimeUnit.MILLISECONDS.sleep(20);
        }
        throw failure("nothing arrived in " + folder);
    }

    /** The envelope of the mail that stays, once its first try has failed. */
    private Path awaitEnvelope() throws IOException, InterruptedException {
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        while (System.nanoTime() < until) {
            try (Stream<Path> files = Files.walk(dir.resolve("spool/queue"))) {
                for (Path file :
                        files.filter(f -> f.getFileName().toString().length() == 16).toList()) {
                    if (Files.readString(file, StandardCharsets.UTF_8).contains("errorline:")) {
                        return file;
                    }
                }
            } catch (java.io.UncheckedIOException | java.nio.file.NoSuchFileException e) {
                // Delivered mail leaves while we look: look again.
            }
            TimeUnit.MILLISECONDS.sleep(20);
        }
        throw failure("no deferred envelope in the queue");
    }

    private void ctl(String... command) throws IOException, InterruptedException {
        List<String> all =
                new ArrayList<>(
                        List.of(home.resolve("bin/smtpctl").toString(), "-r", dir.toString()));
        all.addAll(List.of(command));
        Process process = new ProcessBuilder(all).redirectErrorStream(true).start();
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        text.lines().forEach(line -> out.println("    " + line));
        if (process.waitFor() != 0) {
            throw failure("smtpctl " + String.join(" ", command) + " failed");
        }
    }

    // ---- SMTP

    /** Sends one mail and returns the reply to its last dot. */
    private static String send(int port, String recipient, String subject) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(PATIENCE_SECONDS * 1000);
            BufferedReader in = reader(socket);
            reply(in);
            say(socket, in, "EHLO quickstart.example");
            say(socket, in, "MAIL FROM:<quickstart@quickstart.example>");
            String answer = say(socket, in, "RCPT TO:<" + recipient + ">");
            if (!answer.startsWith("2")) {
                throw new IllegalStateException(recipient + " was refused: " + answer);
            }
            say(socket, in, "DATA");
            String done =
                    say(
                            socket,
                            in,
                            "From: quickstart@quickstart.example\r\nTo: "
                                    + recipient
                                    + "\r\nSubject: "
                                    + subject
                                    + "\r\n\r\nIt works.\r\n.");
            say(socket, in, "QUIT");
            if (!done.startsWith("250")) {
                throw new IllegalStateException("the mail was refused: " + done);
            }
            return done;
        }
    }

    private static BufferedReader reader(Socket socket) throws IOException {
        return new BufferedReader(
                new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
    }

    private static String say(Socket socket, BufferedReader in, String text) throws IOException {
        OutputStream to = socket.getOutputStream();
        to.write((text + "\r\n").getBytes(StandardCharsets.US_ASCII));
        to.flush();
        return reply(in);
    }

    private static String reply(BufferedReader in) throws IOException {
        String line;
        do {
            line = in.readLine();
            if (line == null) {
                throw new IOException("the daemon closed the connection");
            }
        } while (line.length() > 3 && line.charAt(3) == '-');
        return line;
    }

    private static int freePort() throws IOException {
        try (ServerSocket probe = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return probe.getLocalPort();
        }
    }
}
