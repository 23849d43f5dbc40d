package smtpd.queue.backend;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import smtpd.envelope.Evpid;
import smtpd.envelope.Msgid;
import smtpd.sys.Fd;

class NullQueueTest {

    @Test
    void saysYesAndKeepsNothing() throws Exception {
        Msgid id = new Msgid(7);
        try (QueueBackend queue = new NullQueue()) {
            queue.open(new Silent());
            ContentFile.Opened file =
                    (ContentFile.Opened) queue.newContent(id).toCompletableFuture().join();
            Fd.write(file.fd(), new byte[100], 0, 100);
            Fd.close(file.fd());
            QueueBackend.Commit commit =
                    new QueueBackend.Commit(
                            id,
                            new QueueBackend.NewContent.InFile(file, 100, 0, 0),
                            List.of(new QueueBackend.Text(Evpid.of(id, 1), new byte[3])),
                            List.of());
            assertThat(queue.commit(commit).toCompletableFuture().join())
                    .isEqualTo(new QueueBackend.Stored.Ok());
            assertThat(queue.load(Evpid.of(id, 1)).toCompletableFuture().join())
                    .isInstanceOf(QueueBackend.Load.Absent.class);
            assertThat(queue.content(id).toCompletableFuture().join())
                    .isInstanceOf(QueueBackend.ContentLoad.Absent.class);
            assertThat(queue.walk().next(10).toCompletableFuture().join()).isEmpty();
        }
    }

    private static final class Silent implements QueueBackend.BackendEvents {
        @Override
        public void healthChanged() {}

        @Override
        public void problem(String line) {}
    }
}
