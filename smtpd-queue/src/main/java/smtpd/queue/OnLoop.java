package smtpd.queue;

import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;

/** Hands the end of a storage operation, which comes on any thread, to the queue's event loop. */
@FunctionalInterface
public interface OnLoop {
    <T> void run(CompletionStage<T> stage, Consumer<T> then);
}
