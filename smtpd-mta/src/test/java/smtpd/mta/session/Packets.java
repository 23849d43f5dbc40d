package smtpd.mta.session;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * A peer with pipelining that keeps what each read brought. It answers only when a read is over and
 * its client can say nothing more, so that a packet is a write of the client.
 */
final class Packets implements AutoCloseable {

    final List<String> packets = new CopyOnWriteArrayList<>();
    private final ServerSocket listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());

    Packets() throws IOException {
        Thread.ofVirtual().start(this::serve);
    }

    InetSocketAddress address() {
        return (InetSocketAddress) listener.getLocalSocketAddress();
    }

    private void serve() {
        byte[] buffer = new byte[65_536];
        boolean inContent = false;
        try (Socket socket = listener.accept()) {
            reply(socket, "220 packets.test\r\n");
            while (true) {
                int length = socket.getInputStream().read(buffer);
                if (length < 0) {
                    return;
                }
                String packet = new String(buffer, 0, length, StandardCharsets.US_ASCII);
                packets.add(packet);
                StringBuilder answers = new StringBuilder();
                for (String line : packet.split("\r\n")) {
                    if (inContent) {
                        inContent = !line.equals(".");
                        answers.append(inContent ? "" : "250 taken\r\n");
                    } else if (line.startsWith("EHLO")) {
                        answers.append("250-packets.test\r\n250 PIPELINING\r\n");
                    } else if (line.equals("DATA")) {
                        inContent = true;
                        answers.append("354 go\r\n");
                    } else {
                        answers.append("250 ok\r\n");
                    }
                }
                reply(socket, answers.toString());
            }
        } catch (IOException e) {
            // The client has gone, or the test is over.
        }
    }

    private static void reply(Socket socket, String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
    }

    @Override
    public void close() throws IOException {
        listener.close();
    }
}
