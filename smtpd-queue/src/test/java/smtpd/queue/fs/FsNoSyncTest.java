package smtpd.queue.fs;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import smtpd.queue.backend.SyncMode;

class FsNoSyncTest extends FsQueueTest {

    @Override
    SyncMode mode() {
        return SyncMode.NONE;
    }

    @Test
    void nothingIsSyncedAndTheBackendSaysSo() {
        int before = disk.syncs.get();
        commit(ID, "content", text(ID, 1, "one"));
        assertThat(disk.syncs.get()).isEqualTo(before);
        assertThat(queue.capabilities().durable()).isFalse();
    }
}
