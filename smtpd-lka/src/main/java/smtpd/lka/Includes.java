package smtpd.lka;

import io.netty.channel.EventLoop;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import smtpd.log.LogLine;

/** Reads the lists that aliases include, with our own rights. */
final class Includes {

    private static final Logger LOG = LoggerFactory.getLogger(Includes.class);
    private static final int MAX_BYTES = 1 << 20;

    private final Executor disk;
    private final EventLoop loop;

    Includes(Executor disk, EventLoop loop) {
        this.disk = disk;
        this.loop = loop;
    }

    /**
     * @param then gets null when it cannot be read; the reason has been logged
     */
    void read(String path, Consumer<byte[]> then) {
        try {
            disk.execute(
                    () -> {
                        byte[] bytes = read(path);
                        loop.execute(() -> then.accept(bytes));
                    });
        } catch (RejectedExecutionException e) {
            failed(path, "too many files to read");
            then.accept(null);
        }
    }

    private static byte[] read(String path) {
        try {
            Path file = Path.of(path);
            // A FIFO would hold the thread for as long as nobody writes.
            if (!Files.isRegularFile(file)) {
                return failed(path, "no regular file");
            }
            try (InputStream in = Files.newInputStream(file)) {
                byte[] bytes = in.readNBytes(MAX_BYTES + 1);
                return bytes.length > MAX_BYTES ? failed(path, "more than 1 MiB") : bytes;
            }
        } catch (IOException | InvalidPathException e) {
            return failed(path, e.toString());
        }
    }

    private static byte[] failed(String path, String why) {
        LogLine.of("lka", "include")
                .add("path", path)
                .add("result", "failed")
                .add("why", why)
                .info(LOG);
        return null;
    }
}
