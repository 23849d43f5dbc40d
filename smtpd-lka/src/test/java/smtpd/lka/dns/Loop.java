package smtpd.lka.dns;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** One thread that owns the state under test, as the event loop of a process does. */
final class Loop implements AutoCloseable {

    private final ExecutorService thread = Executors.newSingleThreadExecutor();

    ExecutorService executor() {
        return thread;
    }

    /** Runs a call that answers through a callback, and gives the answer. */
    <T> T answer(Consumer<Consumer<T>> call) {
        CompletableFuture<T> result = new CompletableFuture<>();
        thread.execute(
                () -> {
                    try {
                        call.accept(result::complete);
                    } catch (RuntimeException e) {
                        result.completeExceptionally(e);
                    }
                });
        return result.orTimeout(Duration.ofSeconds(30).toSeconds(), TimeUnit.SECONDS).join();
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }
}
