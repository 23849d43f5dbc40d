package smtpd.tools;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A mail server that takes everything and keeps it in memory: the far end of a demonstration. */
final class Sink implements AutoCloseable {

    private static final int MAX_LINES = 10_000;

    private final ServerSocket socket;
    private final BlockingQueue<List<String>> mails = new LinkedBlockingQueue<>();

    Sink() throws IOException {
        socket = new ServerSocket(0, 16, InetAddress.getLoopbackAddress());
        Thread.ofPlatform().name("sink").daemon().start(this::accept);
    }

    int port() {
        return socket.getLocalPort();
    }

    /** The next mail's lines; null when none came in time. */
    List<String> take(int seconds) throws InterruptedException {
        return mails.poll(seconds, TimeUnit.SECONDS);
    }

    private void accept() {
        while (!socket.isClosed()) {
            try {
                Socket client = socket.accept();
                Thread.ofPlatform().name("sink-client").daemon().start(() -> serve(client));
            } catch (IOException e) {
                return; // closed
            }
        }
    }

    private void serve(Socket client) {
        try (client;
                BufferedReader in =
                        new BufferedReader(
                                new InputStreamReader(
                                        client.getInputStream(), StandardCharsets.ISO_8859_1))) {
            OutputStream out = client.getOutputStream();
            answer(out, "220 sink.example ESMTP");
            String line;
            while ((line = in.readLine()) != null) {
                if (line.startsWith("EHLO")) {
                    answer(out, "250-sink.example\r\n250-PIPELINING\r\n250 8BITMIME");
                } else if (line.startsWith("DATA")) {
                    answer(out, "354 go ahead");
                    mails.add(data(in));
                    answer(out, "250 2.0.0 taken");
                } else if (line.startsWith("QUIT")) {
                    answer(out, "221 2.0.0 bye");
                    return;
                } else {
                    answer(out, "250 2.0.0 ok");
                }
            }
        } catch (IOException e) {
            // The sender went away; what it had delivered is kept.
        }
    }

    private static List<String> data(BufferedReader in) throws IOException {
        List<String> lines = new ArrayList<>();
        String line;
        while ((line = in.readLine()) != null && !line.equals(".")) {
            if (lines.size() < MAX_LINES) {
                lines.add(line.startsWith("..") ? line.substring(1) : line);
            }
        }
        return lines;
    }

    private static void answer(OutputStream out, String text) throws IOException {
        out.write((text + "\r\n").getBytes(StandardCharsets.US_ASCII));
        out.flush();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
