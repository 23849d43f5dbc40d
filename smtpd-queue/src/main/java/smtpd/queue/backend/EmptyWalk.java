package smtpd.queue.backend;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** The walk of a storage that nothing survives in. */
public final class EmptyWalk implements QueueBackend.Walk {

    @Override
    public CompletionStage<List<QueueBackend.Entry>> next(int max) {
        return CompletableFuture.completedFuture(List.of());
    }

    @Override
    public void close() {}
}
