package smtpd.queue.fs;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import smtpd.envelope.Msgid;
import smtpd.queue.backend.QueueBackend.Stored;
import smtpd.queue.backend.SyncMode;
import smtpd.sys.Errno;

class FsFileSyncTest extends FsQueueTest {

    @Override
    SyncMode mode() {
        return SyncMode.FILE;
    }

    @Test
    void mailWithThreeRecipientsCostsSixSyncs() {
        commit(new Msgid(0xa7000001), "bucket exists now", text(new Msgid(0xa7000001), 1, "x"));
        int before = disk.syncs.get();
        commit(ID, "content", text(ID, 1, "one"), text(ID, 2, "two"), text(ID, 3, "three"));
        assertThat(disk.syncs.get() - before).isEqualTo(3 + 3);
    }

    /** Of two commits into a new bucket the second must not rely on the first to sync its name. */
    @Test
    void bucketOfAnotherRunIsSyncedByItsFirstCommit() throws Exception {
        Msgid other = new Msgid(0xa7000001);
        commit(other, "content", text(other, 1, "x"));
        reopen();
        int before = disk.syncs.get();
        commit(ID, "content", text(ID, 1, "one"));
        assertThat(disk.syncs.get() - before).isEqualTo(1 + 3 + 1);
    }

    @Test
    void drawingAnIdAndStoringItLookAtOneNameOnly() {
        commit(new Msgid(0xa7000001), "bucket exists now", text(new Msgid(0xa7000001), 1, "x"));
        int before = disk.looks.get();
        assertThat(queue.isFree(ID)).isTrue();
        commit(ID, "content", text(ID, 1, "one"));
        assertThat(disk.looks.get() - before).isEqualTo(1);
    }

    @Test
    void failedSyncGivesTheMailUpAndPausesNewMail() {
        disk.fault = (call, name) -> call.equals("fdatasync") ? Integer.valueOf(Errno.EIO) : null;
        assertThat(commit(ID, "content", text(ID, 1, "one"))).isInstanceOf(Stored.Temporary.class);
        assertThat(queue.isFree(ID)).isTrue();
        disk.fault = (call, name) -> null;
        Stored answer = commit(ID, "content", text(ID, 1, "one"));
        assertThat(answer).isInstanceOf(Stored.Temporary.class);
        assertThat(((Stored.Temporary) answer).retryAfter()).isPositive();
        fs().tick();
        assertThat(queue.health().reason()).isEqualTo("io");
    }
}
