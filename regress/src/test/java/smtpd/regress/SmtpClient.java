package smtpd.regress;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** A client that says exactly what it is told, byte by byte, and reads replies. */
final class SmtpClient implements AutoCloseable {

    private static final int PATIENCE_MILLIS = 120_000;

    private final Socket socket;
    private final InputStream in;
    private final OutputStream out;

    private SmtpClient(Socket socket) throws IOException {
        this.socket = socket;
        this.in = new BufferedInputStream(socket.getInputStream());
        this.out = socket.getOutputStream();
    }

    /** Connects and reads the greeting, which must be 220. */
    static SmtpClient connect(int port) throws IOException {
        SmtpClient client = open(port);
        String greeting = client.reply();
        if (!greeting.startsWith("220 ")) {
            client.close();
            throw new IOException("greeted with " + greeting);
        }
        return client;
    }

    /** Connects and reads nothing. */
    static SmtpClient open(int port) throws IOException {
        Socket socket = new Socket();
        socket.connect(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), port), PATIENCE_MILLIS);
        socket.setSoTimeout(PATIENCE_MILLIS);
        socket.setTcpNoDelay(true);
        return new SmtpClient(socket);
    }

    void send(byte[] bytes) throws IOException {
        out.write(bytes);
        out.flush();
    }

    void send(String latin1) throws IOException {
        send(latin1.getBytes(StandardCharsets.ISO_8859_1));
    }

    /** Sends one command line and returns the reply. */
    String say(String command) throws IOException {
        send(command + "\r\n");
        return reply();
    }

    /** Sends one command line, whose reply must begin so. */
    SmtpClient say(String command, String expected) throws IOException {
        assertThat(say(command)).as(command).startsWith(expected);
        return this;
    }

    /** One reply, its lines joined by a newline. */
    String reply() throws IOException {
        StringBuilder text = new StringBuilder();
        while (true) {
            String line = line();
            text.append(line);
            if (line.length() < 4 || line.charAt(3) != '-') {
                return text.toString();
            }
            text.append('\n');
        }
    }

    private String line() throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        while (true) {
            int b = in.read();
            if (b < 0) {
                throw new EOFException("closed after " + line.toString(StandardCharsets.UTF_8));
            }
            if (b == '\n') {
                return line.toString(StandardCharsets.UTF_8).stripTrailing();
            }
            line.write(b);
        }
    }

    /** Reads until the server closes. */
    void drain() throws IOException {
        in.readAllBytes();
    }

    void shutdownOutput() throws IOException {
        socket.shutdownOutput();
    }

    /**
     * One whole transaction.
     *
     * @param content lines ended by CR LF, not yet dot-stuffed
     * @return the reply to the final dot
     */
    String mail(String from, List<String> recipients, byte[] content) throws IOException {
        say("MAIL FROM:<" + from + ">", "250");
        for (String recipient : recipients) {
            say("RCPT TO:<" + recipient + ">", "250");
        }
        say("DATA", "354");
        send(Content.stuffed(content));
        send(".\r\n");
        return reply();
    }

    /** Says EHLO and sends one short mail, which must be accepted. */
    void deliver(String from, String to, String subject) throws IOException {
        say("EHLO client.test", "250");
        assertThat(mail(from, List.of(to), Content.mail(subject))).startsWith("250");
        say("QUIT", "221");
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
