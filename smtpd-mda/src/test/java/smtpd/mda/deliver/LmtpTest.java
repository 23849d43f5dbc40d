package smtpd.mda.deliver;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import smtpd.mail.MailAddress;

final class LmtpTest {

    @TempDir Path dir;

    private final List<String> heard = new CopyOnWriteArrayList<>();
    private final List<String> mails = new CopyOnWriteArrayList<>();
    private final Map<String, String> answers = new ConcurrentHashMap<>();
    private final AtomicInteger connections = new AtomicInteger();
    private final LmtpPool pool = new LmtpPool("mx.here.example");
    private final CopyBuffer copy = new CopyBuffer();
    private ServerSocketChannel server;

    @AfterEach
    void stop() throws IOException {
        pool.close();
        if (server != null) {
            server.close();
        }
    }

    private InetSocketAddress tcp() throws IOException {
        server = ServerSocketChannel.open(StandardProtocolFamily.INET);
        server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        start();
        return (InetSocketAddress) server.getLocalAddress();
    }

    private String unix() throws IOException {
        server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        Path path = dir.resolve("lmtp");
        server.bind(UnixDomainSocketAddress.of(path));
        start();
        return path.toString();
    }

    private void start() {
        Thread.ofPlatform()
                .daemon(true)
                .start(
                        () -> {
                            while (server.isOpen()) {
                                try (SocketChannel client = server.accept()) {
                                    connections.incrementAndGet();
                                    serve(client);
                                } catch (IOException e) {
                                    // the client went away, or the test is over
                                }
                            }
                        });
    }

    private void serve(SocketChannel client) throws IOException {
        OutputStream out = Channels.newOutputStream(client);
        BufferedReader in =
                new BufferedReader(
                        new InputStreamReader(
                                Channels.newInputStream(client), StandardCharsets.ISO_8859_1));
        say(out, answers.getOrDefault("connect", "220-hello\r\n220 there"));
        String line;
        while ((line = in.readLine()) != null) {
            heard.add(line);
            String verb = line.substring(0, 4).toUpperCase(java.util.Locale.ROOT);
            String answer =
                    answers.getOrDefault(
                            verb,
                            switch (verb) {
                                case "LHLO" -> "250-mx\r\n250-8BITMIME\r\n250 PIPELINING";
                                case "DATA" -> "354 go";
                                default -> "250 2.0.0 ok";
                            });
            say(out, answer);
            if (verb.equals("DATA") && answer.startsWith("354")) {
                StringBuilder mail = new StringBuilder();
                int at;
                while ((at = in.read()) >= 0) {
                    mail.append((char) at);
                    if (mail.length() >= 5
                            && mail.substring(mail.length() - 5).equals("\r\n.\r\n")) {
                        break;
                    }
                }
                mails.add(mail.substring(0, Math.max(0, mail.length() - 3)));
                say(out, answers.getOrDefault("final", "250 2.0.0 stored"));
            }
        }
    }

    private static void say(OutputStream out, String text) throws IOException {
        if (text.equals("close")) {
            throw new IOException("closing");
        }
        out.write((text + "\r\n").getBytes(StandardCharsets.ISO_8859_1));
    }

    private Verdict deliver(String destination, List<InetSocketAddress> hosts, String content)
            throws InterruptedException {
        Job job =
                Jobs.job(
                        dir.toString(), new Method.Lmtp(new Method.Text(destination, false), null));
        return pool.deliver(
                job,
                destination,
                "bob",
                Jobs.content(content),
                hosts,
                Rights.OfUser.own().of(Jobs.me(dir.toString())),
                copy,
                System.nanoTime() + 20_000_000_000L);
    }

    private static String plain(String mail) {
        return mail.replace("\r\n", "\n").replace("\n.", "\n");
    }

    @Test
    void dialogueOverTcp() throws Exception {
        InetSocketAddress address = tcp();
        assertThat(deliver("h:24", List.of(address), "Subject: x\n\nhello\n"))
                .isEqualTo(new Verdict.Delivered("2.0.0 stored"));
        assertThat(heard)
                .startsWith(
                        "LHLO mx.here.example",
                        "MAIL FROM:<ann@far.example>",
                        "RCPT TO:<bob>",
                        "DATA");
        assertThat(mails.getFirst())
                .isEqualTo("Delivered-To: bob@here.example\r\nSubject: x\r\n\r\nhello\r\n");
    }

    @Test
    void contentComesBackIdenticalFromTheOtherSide() throws Exception {
        String path = unix();
        String body = "a: b\n\n.\n..dots\n.x\nbare\rcr\nFrom x\nno end";
        assertThat(deliver(path, List.of(), body)).isInstanceOf(Verdict.Delivered.class);
        assertThat(plain(mails.getFirst())).endsWith("\n" + body + "\n");
        String large = "Subject: x\n\n" + ".line\n".repeat(60_000);
        deliver(path, List.of(), large);
        assertThat(plain(mails.get(1))).endsWith(large);
    }

    @Test
    void aConnectionServesTheNextMailAtOnce() throws Exception {
        String path = unix();
        for (int i = 0; i < 150; i++) {
            assertThat(deliver(path, List.of(), "x\n")).isInstanceOf(Verdict.Delivered.class);
        }
        assertThat(connections).hasValue(2);
        assertThat(mails).hasSize(150);
    }

    @Test
    void theDigitDecides() throws Exception {
        String path = unix();
        answers.put("RCPT", "550 5.1.1 no such user");
        assertThat(deliver(path, List.of(), "x\n"))
                .isEqualTo(new Verdict.Permanent("5.1.1", "550 5.1.1 no such user"));
        answers.put("RCPT", "452 4.2.2 over quota");
        assertThat(deliver(path, List.of(), "x\n"))
                .isEqualTo(Verdict.temporary("4.2.2", "452 4.2.2 over quota"));
        answers.put("RCPT", "350 what");
        assertThat(deliver(path, List.of(), "x\n").esc()).isEqualTo("4.5.0");
        answers.put("RCPT", "garbage");
        assertThat(deliver(path, List.of(), "x\n").esc()).isEqualTo("4.5.0");
        answers.remove("RCPT");
        answers.put("final", "554 no");
        assertThat(deliver(path, List.of(), "x\n"))
                .isEqualTo(new Verdict.Permanent("5.0.0", "554 no"));
        answers.put("connect", "421 busy");
        assertThat(deliver(path, List.of(), "x\n")).isInstanceOf(Verdict.Temporary.class);
    }

    @Test
    void aLostConnectionIsTemporary() throws Exception {
        String path = unix();
        answers.put("final", "close");
        assertThat(deliver(path, List.of(), "x\n").esc()).isEqualTo("4.4.2");
        answers.put("connect", "close");
        assertThat(deliver(path, List.of(), "x\n").esc()).isEqualTo("4.4.2");
        server.close();
        assertThat(deliver(dir.resolve("none").toString(), List.of(), "x\n").esc())
                .isEqualTo("4.4.1");
        assertThat(deliver("h:1", List.of(), "x\n").esc()).isEqualTo("4.4.1");
    }

    @Test
    void endlessRepliesAreCut() throws Exception {
        String path = unix();
        answers.put("LHLO", "250-x\r\n".repeat(200) + "250 x");
        assertThat(deliver(path, List.of(), "x\n").esc()).isEqualTo("4.4.2");
        answers.put("LHLO", "250 " + "x".repeat(10_000));
        assertThat(deliver(path, List.of(), "x\n").esc()).isEqualTo("4.4.2");
    }

    @Test
    void destinationsAreRead() {
        assertThat(Targets.HostPort.parse("h.example:24"))
                .isEqualTo(new Targets.HostPort("h.example", 24));
        assertThat(Targets.HostPort.parse("[::1]:24")).isEqualTo(new Targets.HostPort("::1", 24));
        assertThat(Targets.HostPort.parse("::1:24")).isNull();
        assertThat(Targets.HostPort.parse("/run/lmtp")).isNull();
        assertThat(Targets.HostPort.parse("h:0")).isNull();
        assertThat(new MailAddress("a", "b").toString()).isEqualTo("a@b");
    }
}
