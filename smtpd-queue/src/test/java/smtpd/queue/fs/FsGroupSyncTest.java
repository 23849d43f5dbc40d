package smtpd.queue.fs;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import smtpd.queue.backend.QueueBackend.Stored;
import smtpd.queue.backend.SyncMode;
import smtpd.sys.Errno;

class FsGroupSyncTest extends FsQueueTest {

    @Override
    SyncMode mode() {
        return SyncMode.GROUP;
    }

    @Test
    void failedGroupSyncTakesTheMailOutAgain() {
        disk.fault = (call, name) -> call.equals("syncfs") ? Integer.valueOf(Errno.EIO) : null;
        assertThat(commit(ID, "content", text(ID, 1, "one"))).isInstanceOf(Stored.Temporary.class);
        assertThat(queue.isFree(ID)).isTrue();
    }
}
