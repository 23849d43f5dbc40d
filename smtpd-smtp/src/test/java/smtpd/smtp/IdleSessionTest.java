package smtpd.smtp;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IdleSessionTest {

    private static final int SESSIONS = 1000;
    private static final int MAX_HEAP_BYTES = 6 << 10;

    @TempDir private Path dir;

    private static long usedHeap() {
        Runtime runtime = Runtime.getRuntime();
        long least = Long.MAX_VALUE;
        for (int i = 0; i < 4; i++) {
            System.gc();
            least = Math.min(least, runtime.totalMemory() - runtime.freeMemory());
        }
        return least;
    }

    /** The clients' half of each connection is counted too, so the bound is a generous one. */
    @Test
    void idleSessionIsCheap() throws Exception {
        try (Daemon daemon = new Daemon(dir)) {
            daemon.greeted().close();
            List<SocketChannel> clients = new ArrayList<>();
            long before = usedHeap();
            for (int i = 0; i < SESSIONS; i++) {
                SocketChannel client = SocketChannel.open(daemon.address);
                client.write(java.nio.ByteBuffer.wrap("EHLO x\r\n".getBytes(US_ASCII)));
                clients.add(client);
            }
            java.nio.ByteBuffer reply = java.nio.ByteBuffer.allocate(4096);
            for (SocketChannel client : clients) {
                String text = "";
                while (!text.endsWith("250 HELP\r\n")) {
                    reply.clear();
                    client.read(reply);
                    text += new String(reply.array(), 0, reply.position(), US_ASCII);
                }
            }
            long each = (usedHeap() - before) / SESSIONS;
            System.out.println("idle session, both ends: " + each + " bytes of heap");
            assertThat(each).isLessThan(MAX_HEAP_BYTES);
            for (SocketChannel client : clients) {
                client.close();
            }
        }
    }
}
