package smtpd.ctl;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** One command line under way in a thread of the test. */
public final class Typed implements AutoCloseable {

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private final CompletableFuture<Integer> status = new CompletableFuture<>();
    private Thread thread;

    /** Starts {@code smtpctl words...} with SMTPD_ROOT set to {@code root}. */
    public static Typed start(Path root, String... words) {
        Typed typed = new Typed();
        Smtpctl program =
                new Smtpctl(typed.out, new PrintStream(typed.err, true, StandardCharsets.UTF_8));
        typed.thread =
                Thread.ofPlatform()
                        .daemon()
                        .name("smtpctl")
                        .start(
                                () -> {
                                    try {
                                        typed.status.complete(program.run(words, root.toString()));
                                    } catch (Throwable e) {
                                        typed.status.completeExceptionally(e);
                                    }
                                });
        return typed;
    }

    /** Waits for the end. */
    public int status() {
        try {
            return status.get(30, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new AssertionError("smtpctl does not end", e);
        }
    }

    /** All of standard output. */
    public String text() {
        status();
        return out.toString(StandardCharsets.UTF_8);
    }

    public String errors() {
        status();
        return err.toString(StandardCharsets.UTF_8);
    }

    @Override
    public void close() {
        thread.interrupt();
    }
}
