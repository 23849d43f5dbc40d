package smtpd.regress;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/** A remote mail server that keeps what it gets and answers as it is told. */
final class Sink implements AutoCloseable {

    /** A mail as it came, dots removed. */
    record Mail(String helo, String from, List<String> recipients, byte[] content) {

        String text() {
            return new String(content, StandardCharsets.ISO_8859_1);
        }
    }

    private final ServerSocket listener;
    private final Map<String, String> answers = new ConcurrentHashMap<>();
    private final List<Mail> mails = new CopyOnWriteArrayList<>();

    private Sink(ServerSocket listener) {
        this.listener = listener;
    }

    static Sink listen() throws IOException {
        return listen("127.0.0.1", 0);
    }

    static Sink listen(String address, int port) throws IOException {
        ServerSocket listener = new ServerSocket();
        listener.setReuseAddress(true);
        listener.bind(new InetSocketAddress(InetAddress.getByName(address), port), 128);
        Sink sink = new Sink(listener);
        Thread.ofVirtual().name("sink").start(sink::accept);
        return sink;
    }

    int port() {
        return listener.getLocalPort();
    }

    /** From now on every line beginning so gets this reply; CONNECT and DOT are such beginnings. */
    Sink answer(String beginning, String reply) {
        answers.put(beginning, reply);
        return this;
    }

    /** Lines beginning so get the usual reply again. */
    void forget(String beginning) {
        answers.remove(beginning);
    }

    List<Mail> mails() {
        return List.copyOf(mails);
    }

    /** Waits for the mail with that subject. */
    Mail await(String subject) {
        Machine.await("mail " + subject + " at the sink").until(() -> has(subject));
        return mails.stream().filter(mail -> is(mail, subject)).findFirst().orElseThrow();
    }

    boolean has(String subject) {
        return mails.stream().anyMatch(mail -> is(mail, subject));
    }

    private static boolean is(Mail mail, String subject) {
        return mail.text().contains("\r\nSubject: " + subject + "\r\n");
    }

    private void accept() {
        while (!listener.isClosed()) {
            try {
                Socket socket = listener.accept();
                Thread.ofVirtual().name("sink-session").start(() -> serve(socket));
            } catch (IOException e) {
                return; // closed
            }
        }
    }

    private void serve(Socket socket) {
        try (socket) {
            socket.setTcpNoDelay(true);
            talk(new BufferedInputStream(socket.getInputStream()), socket.getOutputStream());
        } catch (IOException e) {
            // The client went away: its business.
        }
    }

    private void talk(InputStream in, OutputStream out) throws IOException {
        say(out, reply("CONNECT", "220 sink.test ESMTP"));
        String helo = "";
        String from = "";
        List<String> recipients = new ArrayList<>();
        for (byte[] line = line(in); line != null; line = line(in)) {
            String command = new String(line, StandardCharsets.ISO_8859_1).stripTrailing();
            String verb = command.toUpperCase(Locale.ROOT);
            if (verb.startsWith("EHLO")) {
                helo = command.substring(4).strip();
                say(out, reply(command, "250-sink.test\r\n250-PIPELINING\r\n250 8BITMIME"));
            } else if (verb.startsWith("MAIL FROM:")) {
                from = path(command);
                recipients.clear();
                say(out, reply(command, "250 2.1.0 ok"));
            } else if (verb.startsWith("RCPT TO:")) {
                String reply = reply(command, "250 2.1.5 ok");
                if (reply.startsWith("2")) {
                    recipients.add(path(command));
                }
                say(out, reply);
            } else if (verb.equals("DATA")) {
                String reply = reply(command, recipients.isEmpty() ? "554 5.5.1 no" : "354 go");
                say(out, reply);
                if (reply.startsWith("3")) {
                    byte[] content = data(in);
                    String verdict = reply("DOT", "250 2.0.0 taken");
                    if (verdict.startsWith("2")) {
                        mails.add(new Mail(helo, from, List.copyOf(recipients), content));
                    }
                    say(out, verdict);
                }
            } else if (verb.equals("QUIT")) {
                say(out, "221 2.0.0 bye");
                return;
            } else {
                say(out, reply(command, "250 2.0.0 ok"));
            }
        }
    }

    private String reply(String line, String usual) {
        return answers.entrySet().stream()
                .filter(answer -> line.startsWith(answer.getKey()))
                .map(Map.Entry::getValue)
                .findFirst()
                .orElse(usual);
    }

    private static String path(String command) {
        return command.substring(command.indexOf('<') + 1, command.indexOf('>'));
    }

    private static void say(OutputStream out, String reply) throws IOException {
        out.write((reply + "\r\n").getBytes(StandardCharsets.ISO_8859_1));
        out.flush();
    }

    private static byte[] data(InputStream in) throws IOException {
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        while (true) {
            byte[] line = line(in);
            if (line == null) {
                throw new IOException("closed inside the mail");
            }
            if (line.length == 3 && line[0] == '.' && line[1] == '\r') {
                return content.toByteArray();
            }
            int from = line[0] == '.' ? 1 : 0;
            content.write(line, from, line.length - from);
        }
    }

    /** One line with its end; null at the end of the stream. */
    private static byte[] line(InputStream in) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        while (true) {
            int b = in.read();
            if (b < 0) {
                return null;
            }
            line.write(b);
            if (b == '\n') {
                return line.toByteArray();
            }
        }
    }

    @Override
    public void close() throws IOException {
        listener.close();
    }
}
