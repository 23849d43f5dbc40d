package smtpd.parent;

import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import smtpd.conf.Config;
import smtpd.conf.ConfigException;
import smtpd.conf.ConfigLoader;
import smtpd.conf.Instance;
import smtpd.imsg.ParentToChild.RunState;
import smtpd.imsg.Role;
import smtpd.log.Logging;
import smtpd.proc.HostedChild;
import smtpd.sys.ExitStatus;
import smtpd.sys.Identity;
import smtpd.sys.Seccomp;
import smtpd.sys.SysException;

/**
 * The run that fills the class caches: all nine processes in one JVM, a few mails through every one
 * of them, {@code smtpctl} beside them, and an end in order. Started by the assembly of the
 * installation, never by the daemon.
 */
public final class Training {

    private static final int MAILS = 40;
    private static final int PATIENCE_SECONDS = 60;

    private final Path dir;
    private final String clientCache;
    private final ServerSocket sink;
    private final CountDownLatch relayed = new CountDownLatch(MAILS);
    private final CompletableFuture<Integer> ended = new CompletableFuture<>();

    private Training(Path dir, String clientCache) throws IOException {
        this.dir = dir;
        this.clientCache = clientCache;
        this.sink = new ServerSocket(0, 64, InetAddress.getLoopbackAddress());
    }

    /**
     * @param arguments the cache of the daemon, which the launcher has told this JVM to write, and
     *     that of {@code smtpctl}
     */
    public static void main(String[] arguments) throws Exception {
        Logging.toStderr(false);
        Path dir = Files.createTempDirectory("smtpd-train");
        try {
            new Training(dir, arguments[1]).run();
        } finally {
            remove(dir);
        }
        Logging.flush();
        System.exit(0); // the cache is written by an orderly exit alone
    }

    private static void remove(Path dir) throws IOException {
        try (Stream<Path> all = Files.walk(dir)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        }
    }

    private void run() throws Exception {
        int port = freePort();
        Instance instance = Instance.at(dir);
        Files.writeString(instance.aliases(), "team: nobody\n");
        String text =
                "table aliases file:"
                        + instance.aliases()
                        + "\nlisten on 127.0.0.1 port "
                        + port
                        + "\naccept for local alias <aliases> deliver to maildir \""
                        + dir
                        + "/mail/%{user.username}\"\n"
                        + "accept from local for any relay via smtp://127.0.0.1:"
                        + sink.getLocalPort()
                        + "\n";
        ConfigLoader.Loaded loaded =
                new ConfigLoader(1, instance, "train.example.org", List.of(), false)
                        .loadText("train.conf", text);
        Config config =
                loaded.parsed()
                        .config()
                        .orElseThrow(() -> new ConfigException(loaded.parsed().problems()));
        Spool.prepare(instance, new Identities(null, null));
        BoundSockets sockets = BoundSockets.bind(config);
        Thread.ofPlatform().daemon().start(this::serveSink);
        touchKernel();
        EventLoop loop =
                new MultiThreadIoEventLoopGroup(
                                1,
                                new DefaultThreadFactory("parent", true),
                                EpollIoHandler.newFactory())
                        .next();
        CountDownLatch ready = new CountDownLatch(1);
        ParentProcess[] parent = new ParentProcess[1];
        parent[0] =
                new ParentProcess(
                        loop,
                        config,
                        loaded.bundle().encode(),
                        sockets,
                        new RunState(false, false, false, 0, 0, false),
                        (role, generation, frames, descriptors) ->
                                host(loop, parent, role, generation, frames, descriptors),
                        new ForwardOpener(loop),
                        ready::countDown,
                        ended::complete);
        loop.execute(parent[0]::start);
        if (!ready.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
            throw new IllegalStateException("the processes did not become ready");
        }
        send(port, "team@localhost", MAILS);
        send(port, "someone@elsewhere.example", MAILS);
        send(port, "nobody-of-this-name@localhost", 1);
        relayed.await(PATIENCE_SECONDS, TimeUnit.SECONDS);
        trainSmtpctl();
        loop.execute(() -> parent[0].stop(0, "trained"));
        ended.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    }

    private static void host(
            EventLoop loop,
            ParentProcess[] parent,
            Role role,
            int generation,
            int frames,
            int descriptors)
            throws SysException {
        try {
            HostedChild.start(
                    role,
                    Installation.mainClass(role),
                    generation,
                    frames,
                    descriptors,
                    status ->
                            loop.execute(
                                    () ->
                                            parent[0].exited(
                                                    role,
                                                    generation,
                                                    0,
                                                    new ExitStatus(status << 8))));
        } catch (ReflectiveOperationException e) {
            throw new LinkageError(role.title(), e);
        }
    }

    /** Calls that every child makes in its first lines, as far as they change nothing. */
    private static void touchKernel() throws SysException {
        Identity.umask(077);
        Identity.name("smtpd-train");
        Seccomp.stage2().denyIdentity().denySignals().denyExec().denyInternetSockets().prepare();
    }

    private static int freePort() throws IOException {
        try (ServerSocket probe = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return probe.getLocalPort();
        }
    }

    private static void send(int port, String recipient, int count) throws IOException {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            socket.setSoTimeout(PATIENCE_SECONDS * 1000);
            BufferedReader in =
                    new BufferedReader(
                            new InputStreamReader(
                                    socket.getInputStream(), StandardCharsets.US_ASCII));
            OutputStream out = socket.getOutputStream();
            reply(in);
            say(out, in, "EHLO train.example.org");
            for (int i = 0; i < count; i++) {
                say(out, in, "MAIL FROM:<train@train.example.org>");
                if (say(out, in, "RCPT TO:<" + recipient + ">").startsWith("2")) {
                    say(out, in, "DATA");
                    say(out, in, "Subject: training " + i + "\r\n\r\n..hello\r\n.");
                } else {
                    say(out, in, "RSET");
                }
            }
            say(out, in, "QUIT");
        }
    }

    private static String say(OutputStream out, BufferedReader in, String line) throws IOException {
        out.write((line + "\r\n").getBytes(StandardCharsets.US_ASCII));
        out.flush();
        return reply(in);
    }

    private static String reply(BufferedReader in) throws IOException {
        String line;
        do {
            line = in.readLine();
            if (line == null) {
                throw new IOException("connection lost");
            }
        } while (line.length() > 3 && line.charAt(3) == '-');
        return line;
    }

    /** The client of the control socket has a cache of its own. */
    private void trainSmtpctl() throws IOException, InterruptedException {
        Path program = Path.of(System.getProperty("smtpd.home"), "bin", "smtpctl-train");
        Process client =
                new ProcessBuilder(program.toString(), clientCache, "-r", dir.toString())
                        .inheritIO()
                        .start();
        if (!client.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
            client.destroyForcibly();
        }
    }

    // ---- a place for relayed mail

    private void serveSink() {
        while (!sink.isClosed()) {
            try {
                Socket client = sink.accept();
                Thread.ofPlatform().daemon().start(() -> serve(client));
            } catch (IOException e) {
                return;
            }
        }
    }

    private void serve(Socket client) {
        try (client;
                BufferedReader in =
                        new BufferedReader(
                                new InputStreamReader(
                                        client.getInputStream(), StandardCharsets.US_ASCII))) {
            OutputStream out = client.getOutputStream();
            answer(out, "220 sink ESMTP");
            String line;
            while ((line = in.readLine()) != null) {
                if (line.startsWith("EHLO")) {
                    answer(out, "250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 0");
                } else if (line.startsWith("DATA")) {
                    answer(out, "354 go");
                    while (!".".equals(line)) {
                        line = in.readLine();
                    }
                    answer(out, "250 2.0.0 taken");
                    relayed.countDown();
                } else if (line.startsWith("QUIT")) {
                    answer(out, "221 bye");
                    return;
                } else {
                    answer(out, "250 2.0.0 ok");
                }
            }
        } catch (IOException e) {
            // The client of a training run went away: nothing depends on it.
        }
    }

    private static void answer(OutputStream out, String text) throws IOException {
        out.write((text + "\r\n").getBytes(StandardCharsets.US_ASCII));
        out.flush();
    }
}
