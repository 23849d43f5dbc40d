package smtpd.mta.session;

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
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;

/** A real SMTP server on loopback whose every answer a test may replace by a bad one. */
public final class Sink implements AutoCloseable {

    /** Instead of an answer: close, reset, say nothing, one byte now and then, half a reply. */
    public static final String FIN = "\0fin";

    public static final String RST = "\0rst";
    public static final String HANG = "\0hang";
    public static final String DRIP = "\0drip";
    public static final String HALF = "\0half";

    /** What arrived by one DATA. */
    public record Received(String from, List<String> to, byte[] raw, int connection) {
        public String text() {
            return new String(raw, StandardCharsets.UTF_8);
        }
    }

    /** What a command line, {@code BANNER}, {@code .} (end of content) is answered with. */
    public interface Answers extends Function<String, String> {}

    private final ServerSocket listener;
    private final List<Socket> open = new CopyOnWriteArrayList<>();
    public final List<Received> mails = new CopyOnWriteArrayList<>();
    public final List<String> commands = new CopyOnWriteArrayList<>();
    public final AtomicInteger connections = new AtomicInteger();
    public final AtomicInteger openNow = new AtomicInteger();
    public final AtomicInteger openPeak = new AtomicInteger();
    public volatile Answers answers = command -> null;
    public volatile String ehlo =
            "250-sink.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 0\r\n";
    public volatile boolean lmtp;

    public Sink() throws IOException {
        this("127.0.0.1", 0);
    }

    public Sink(String address, int port) throws IOException {
        listener = new ServerSocket();
        listener.setReuseAddress(true);
        listener.bind(new InetSocketAddress(InetAddress.ofLiteral(address), port), 256);
        Thread.ofVirtual().start(this::accept);
    }

    public int port() {
        return listener.getLocalPort();
    }

    public InetSocketAddress address() {
        return new InetSocketAddress(listener.getInetAddress(), port());
    }

    private void accept() {
        try {
            while (true) {
                Socket socket = listener.accept();
                int number = connections.incrementAndGet();
                open.add(socket);
                Thread.ofVirtual().start(() -> serve(socket, number));
            }
        } catch (IOException e) {
            // The test is over.
        }
    }

    private void serve(Socket socket, int number) {
        int now = openNow.incrementAndGet();
        openPeak.accumulateAndGet(now, Math::max);
        try (socket) {
            socket.setTcpNoDelay(true);
            talk(socket, number);
        } catch (IOException e) {
            // The client has gone, or the test is over.
        } finally {
            openNow.decrementAndGet();
        }
    }

    private void talk(Socket socket, int number) throws IOException {
        InputStream in = new BufferedInputStream(socket.getInputStream());
        OutputStream out = socket.getOutputStream();
        String from = null;
        List<String> to = new ArrayList<>();
        if (!answer(socket, out, "BANNER", "220 sink.test\r\n")) {
            return;
        }
        while (true) {
            String line = line(in);
            if (line == null) {
                return;
            }
            commands.add(line);
            String upper = line.toUpperCase(Locale.ROOT);
            String normal = "250 2.0.0 ok\r\n";
            boolean data = false;
            if (upper.startsWith("EHLO") || upper.startsWith("LHLO")) {
                normal = ehlo;
            } else if (upper.startsWith("MAIL")) {
                from = null;
                to.clear();
            } else if (upper.startsWith("RSET")) {
                from = null;
            } else if (upper.startsWith("RCPT")) {
                normal = from == null ? "503 5.5.1 MAIL first\r\n" : normal;
            } else if (upper.startsWith("DATA")) {
                data = true;
                normal = to.isEmpty() ? "554 5.5.1 no valid recipients\r\n" : "354 go\r\n";
            } else if (upper.startsWith("QUIT")) {
                normal = "221 bye\r\n";
            }
            String special = special(line);
            String reply = special == null ? normal : special;
            if (upper.startsWith("MAIL") && reply.startsWith("2")) {
                from = path(line);
            }
            if (upper.startsWith("RCPT") && reply.startsWith("2")) {
                to.add(path(line));
            }
            if (!send(socket, out, reply)) {
                return;
            }
            if (upper.startsWith("QUIT")) {
                return;
            }
            if (data && reply.startsWith("354")) {
                byte[] raw = content(in);
                if (raw == null) {
                    return;
                }
                if (!to.isEmpty()) {
                    mails.add(new Received(from, List.copyOf(to), raw, number));
                }
                from = null;
                commands.add(".");
                int answersDue = lmtp ? to.size() : 1;
                for (int i = 0; i < answersDue; i++) {
                    if (!answer(socket, out, lmtp ? "." + i : ".", "250 2.0.0 taken\r\n")) {
                        return;
                    }
                }
            }
        }
    }

    private String special(String asked) {
        Answers current = answers;
        return current == null ? null : current.apply(asked);
    }

    private boolean answer(Socket socket, OutputStream out, String asked, String normal)
            throws IOException {
        String special = special(asked);
        return send(socket, out, special == null ? normal : special);
    }

    private static boolean send(Socket socket, OutputStream out, String reply) throws IOException {
        switch (reply) {
            case FIN -> {
                return false;
            }
            case RST -> {
                socket.setSoLinger(true, 0);
                return false;
            }
            case HANG -> {
                socket.getInputStream().transferTo(OutputStream.nullOutputStream());
                return false;
            }
            case DRIP -> {
                while (true) {
                    out.write('2');
                    out.flush();
                    socket.setSoTimeout(50);
                    try {
                        if (socket.getInputStream().read() < 0) {
                            return false;
                        }
                    } catch (java.net.SocketTimeoutException e) {
                        // Next byte.
                    }
                }
            }
            case HALF -> {
                out.write("250-half".getBytes(StandardCharsets.US_ASCII));
                out.flush();
                return false;
            }
            default -> {
                out.write(reply.getBytes(StandardCharsets.UTF_8));
                out.flush();
                return true;
            }
        }
    }

    private static String path(String line) {
        return line.substring(line.indexOf('<') + 1, line.indexOf('>'));
    }

    private static String line(InputStream in) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        while (true) {
            int b = in.read();
            if (b < 0) {
                return null;
            }
            if (b == '\n') {
                return line.toString(StandardCharsets.UTF_8).stripTrailing();
            }
            line.write(b);
        }
    }

    /** The bytes as they came, up to and with the final dot. */
    private static byte[] content(InputStream in) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        int state = 2;
        while (state < 5) {
            int b = in.read();
            if (b < 0) {
                return null;
            }
            all.write(b);
            state =
                    switch (state) {
                        case 1 -> b == '\n' ? 2 : b == '\r' ? 1 : 0;
                        case 2 -> b == '.' ? 3 : b == '\r' ? 1 : 0;
                        case 3 -> b == '\r' ? 4 : 0;
                        case 4 -> b == '\n' ? 5 : 0;
                        default -> b == '\r' ? 1 : 0;
                    };
        }
        return all.toByteArray();
    }

    @Override
    public void close() throws IOException {
        listener.close();
        for (Socket socket : open) {
            socket.close();
        }
    }
}
