package smtpd.sys;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DevLogTest {
    @TempDir Path folder;
    private final AtomicLong nanos = new AtomicLong(5);

    private static boolean send(DevLog log, String line, int patience) {
        byte[] bytes = line.getBytes(UTF_8);
        return log.send(bytes, bytes.length, patience);
    }

    @Test
    void aDaemonThatReadsNothingCostsLinesNotTime() throws Exception {
        String path = folder.resolve("log").toString();
        try (DatagramServer server = new DatagramServer(path);
                DevLog log = new DevLog(path)) {
            int taken = 0;
            while (send(log, "line " + taken, 0)) {
                taken++;
            }
            assertThat(taken).isPositive();
            assertThat(send(log, "patient", 1)).isFalse();
            assertThat(log.dropped()).isEqualTo(2);
            for (int i = 0; i < taken; i++) {
                assertThat(server.receive(0)).isEqualTo("line " + i);
            }
            assertThat(send(log, "again", 0)).isTrue();
            assertThat(server.receive(0)).isEqualTo("again");
        }
    }

    @Test
    void aRestartedDaemonIsFoundWithTheVeryNextLine() throws Exception {
        Path path = folder.resolve("log");
        try (DevLog log = new DevLog(path.toString(), nanos::get)) {
            try (DatagramServer server = new DatagramServer(path.toString())) {
                assertThat(send(log, "one", 0)).isTrue();
                assertThat(server.receive(0)).isEqualTo("one");
            }
            Files.delete(path);
            try (DatagramServer server = new DatagramServer(path.toString())) {
                assertThat(send(log, "two", 0)).isTrue();
                assertThat(server.receive(0)).isEqualTo("two");
            }
        }
    }

    @Test
    void aMissingDaemonIsAskedForOnceASecond() throws Exception {
        Path path = folder.resolve("log");
        try (DevLog log = new DevLog(path.toString(), nanos::get)) {
            assertThat(send(log, "lost", 100)).isFalse();
            try (DatagramServer server = new DatagramServer(path.toString())) {
                assertThat(send(log, "too soon", 0)).isFalse();
                nanos.addAndGet(1_000_000_000L);
                assertThat(send(log, "found", 0)).isTrue();
                assertThat(server.receive(0)).isEqualTo("found");
                assertThat(log.dropped()).isEqualTo(2);
            }
        }
    }
}
