package smtpd.queue.fs;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import smtpd.envelope.Evpid;
import smtpd.envelope.Msgid;
import smtpd.queue.backend.BackendContract;
import smtpd.queue.backend.QueueBackend;
import smtpd.queue.backend.QueueBackend.Commit;
import smtpd.queue.backend.QueueBackend.CommitState;
import smtpd.queue.backend.QueueBackend.Entry;
import smtpd.queue.backend.QueueBackend.Stored;
import smtpd.queue.backend.QueueBackend.Walk;
import smtpd.queue.backend.SpoolConfig;
import smtpd.queue.backend.SyncMode;
import smtpd.sys.Errno;

/** The contract on plain files, and what only files have: layout, faults, the admin's hands. */
abstract class FsQueueTest extends BackendContract {

    @TempDir Path root;
    final FaultyFileOps disk = new FaultyFileOps();

    abstract SyncMode mode();

    @Override
    protected FsQueue open() throws Exception {
        return open(disk);
    }

    FsQueue open(smtpd.queue.backend.FileOps files) throws Exception {
        SpoolConfig config = new SpoolConfig(root, mode(), 8, 4, 0, 0);
        FsQueue fs = new FsQueue(config, fitness, files, InstantSource.system());
        fs.open(events);
        return fs;
    }

    FsQueue fs() {
        return (FsQueue) queue;
    }

    @Override
    protected long messages() {
        return fs().messages();
    }

    @Override
    protected long envelopes() {
        return fs().envelopes();
    }

    @Override
    protected void everythingIsGone() throws Exception {
        assertThat(files("queue").filter(Files::isRegularFile)).isEmpty();
        assertThat(files("incoming")).hasSize(1);
        assertThat(files("temporary")).hasSize(1);
    }

    Stream<Path> files(String folder) throws Exception {
        try (Stream<Path> all = Files.walk(root.resolve(folder))) {
            return all.toList().stream();
        }
    }

    Path folder(Msgid id) {
        return root.resolve("queue").resolve(id.bucket()).resolve(id.toString());
    }

    Path file(Evpid id) {
        return folder(id.msgid()).resolve(id.toString());
    }

    void reopen() throws Exception {
        queue.close();
        disk.deadFrom = Integer.MAX_VALUE;
        disk.fault = (call, name) -> null;
        disk.writesShort = false;
        queue = open();
    }

    List<Entry> walkAll() {
        List<Entry> all = new ArrayList<>();
        try (Walk walk = queue.walk()) {
            for (List<Entry> some = get(walk.next(3)); !some.isEmpty(); some = get(walk.next(3))) {
                all.addAll(some);
            }
        }
        return all;
    }

    @Test
    void filesLieWhereAPersonFindsThem() throws Exception {
        commit(ID, "content", text(ID, 0x4b0d13f7, "one"));
        Path folder = root.resolve("queue/a7/a71c09e2");
        assertThat(folder.resolve("message")).hasContent("content");
        assertThat(folder.resolve("a71c09e24b0d13f7")).hasContent("one");
        assertThat(Files.getPosixFilePermissions(folder)).hasSize(3);
        assertThat(Files.getPosixFilePermissions(folder.resolve("message"))).hasSize(2);
        assertThat(files("incoming")).hasSize(1);
    }

    @Test
    void folderWithWrongModeIsRefusedWithWhatItShouldBe() throws Exception {
        queue.close();
        Files.setPosixFilePermissions(
                root.resolve("incoming"),
                java.nio.file.attribute.PosixFilePermissions.fromString("rwxr-x---"));
        org.assertj.core.api.Assertions.assertThatThrownBy(this::open)
                .hasMessageContaining("incoming")
                .hasMessageContaining("must have mode 0700, has 0750");
    }

    @Test
    void whatAnEarlierRunStoredIsFoundOnceAndOursIsLeftOut() throws Exception {
        for (int i = 1; i <= 20; i++) {
            Msgid id = new Msgid(i * 0x0a0b0c0d);
            commit(id, "content", text(id, 1, "a" + i), text(id, 2, "b" + i));
        }
        reopen();
        Msgid mine = new Msgid(0x77777777);
        commit(mine, "content", text(mine, 1, "fresh"));
        Msgid old = new Msgid(0x0a0b0c0d);
        commit(old, null, text(old, 9, "bounce of this run"));
        List<Entry> all = walkAll();
        assertThat(all).hasSize(40);
        assertThat(Set.copyOf(all.stream().map(Entry::id).toList())).hasSize(40);
        get(queue.settle(java.time.Duration.ofSeconds(10)));
        assertThat(messages()).isEqualTo(21);
        assertThat(envelopes()).isEqualTo(42);
        assertThat(walkAll()).as("a later walk takes everything").hasSize(42);
    }

    @Test
    void unfinishedMailOfAKilledRunIsPurged() throws Exception {
        Files.createDirectories(root.resolve("incoming/12345678"));
        Files.writeString(root.resolve("incoming/12345678/message"), "half");
        Files.writeString(root.resolve("temporary/12345678"), "half");
        reopen();
        assertThat(files("incoming")).hasSize(1);
        assertThat(files("temporary")).hasSize(1);
        fs().tick();
        assertThat(files("purge")).hasSize(1);
    }

    /** Every prefix of the changes of a commit, as a kill would leave it. */
    @Test
    void killAtAnyStepOfACommitNeverShowsHalfAMessage() throws Exception {
        int steps = 0;
        boolean isOver = false;
        for (int i = 1; !isOver; i++) {
            Msgid id = new Msgid(0x31000000 + i);
            int before = disk.changes.get();
            disk.deadFrom = before + i;
            Stored answer = commit(id, "content", text(id, 1, "one"), text(id, 2, "two"));
            isOver = answer instanceof Stored.Ok;
            steps = disk.changes.get() - before;
            reopen();
            List<Evpid> found =
                    walkAll().stream().map(Entry::id).filter(e -> e.msgid().equals(id)).toList();
            boolean isThere = get(queue.state(id)) == CommitState.DURABLE;
            assertThat(found).as("dead from change %s", i).hasSize(isThere ? 2 : 0);
            if (isThere) {
                assertThat(content(id)).isEqualTo(bytes("content"));
                assertThat(load(evp(id, 1))).isEqualTo("one");
                assertThat(load(evp(id, 2))).isEqualTo("two");
            }
            assertThat(isThere || !isOver).as("acknowledged is kept").isTrue();
            assertThat(files("incoming")).hasSize(1);
        }
        assertThat(steps).isGreaterThan(5);
    }

    @Test
    void killAtAnyStepOfAnUpdateLeavesTheOldTextOrTheNew() throws Exception {
        commit(ID, "content", text(ID, 1, "old"));
        for (int i = 1; i <= 6; i++) {
            disk.deadFrom = disk.changes.get() + i;
            Stored answer = get(queue.update(text(ID, 1, "new" + i)));
            reopen();
            List<Entry> all = walkAll();
            assertThat(all).hasSize(1);
            String now = new String(all.get(0).text(), java.nio.charset.StandardCharsets.UTF_8);
            assertThat(now).matches("old|new[1-6]");
            if (answer instanceof Stored.Ok) {
                assertThat(now).isEqualTo("new" + i);
            }
            get(queue.settle(java.time.Duration.ofSeconds(10)));
            assertThat(files("queue").filter(f -> f.toString().endsWith(".new"))).isEmpty();
        }
    }

    /** A failure that the process survives is undone. */
    @Test
    void failureAtAnyStepLeavesNothingBehind() throws Exception {
        for (int i = 1; i < 40; i++) {
            Msgid id = new Msgid(0x32000000 + i);
            int failing = disk.changes.get() + i;
            disk.fault =
                    (call, name) -> {
                        boolean isUndo = call.equals("unlink") || call.equals("rmdir");
                        boolean now = !isUndo && disk.changes.get() == failing;
                        return now ? Integer.valueOf(Errno.ENOSPC) : null;
                    };
            Stored answer = commit(id, "content", text(id, 1, "one"), text(id, 2, "two"));
            disk.fault = (call, name) -> null;
            if (answer instanceof Stored.Temporary t) {
                assertThat(queue.isFree(id)).as("after change %s", i).isTrue();
                assertThat(files("incoming")).hasSize(1);
                assertThat(t.full()).isTrue();
                reopen(); // an io pause of this run would hide the next step
            }
        }
    }

    @Test
    void fullDiskIsTemporaryAndSaysSo() throws Exception {
        disk.writesShort = true;
        Stored answer = commit(ID, "content", text(ID, 1, "one"));
        assertThat(answer).isInstanceOf(Stored.Temporary.class);
        assertThat(((Stored.Temporary) answer).full()).isTrue();
        disk.writesShort = false;
        assertThat(queue.isFree(ID)).isTrue();
        assertThat(commit(ID, "content", text(ID, 1, "one"))).isEqualTo(new Stored.Ok());
        disk.writesShort = true;
        assertThat(get(queue.update(text(ID, 1, "longer")))).isInstanceOf(Stored.Temporary.class);
        assertThat(load(evp(ID, 1))).isEqualTo("one");
        assertThat(get(queue.delete(List.of(evp(ID, 1))))).isEqualTo(new Stored.Ok());
    }

    @Test
    void noDescriptorLeftIsTemporary() throws Exception {
        commit(ID, "content", text(ID, 1, "one"));
        disk.fault = (call, name) -> call.equals("open") ? Integer.valueOf(Errno.EMFILE) : null;
        assertThat(load(evp(ID, 1))).isEqualTo("unreadable");
        assertThat(get(queue.content(ID))).isInstanceOf(QueueBackend.ContentLoad.Unreadable.class);
        assertThat(get(queue.update(text(ID, 1, "x")))).isInstanceOf(Stored.Temporary.class);
        disk.fault = (call, name) -> null;
        assertThat(load(evp(ID, 1))).isEqualTo("one");
    }

    /** In C an id that exists is deleted from disk by the writer that failed to make it. */
    @Test
    void onlyWhatWeCreatedIsRemoved() throws Exception {
        commit(ID, "content", text(ID, 1, "one"));
        Stored answer = commit(ID, "other", text(ID, 5, "another message of that id"));
        assertThat(answer).isInstanceOf(Stored.Temporary.class);
        assertThat(load(evp(ID, 1))).isEqualTo("one");
        Path stranger = root.resolve("incoming/11112222");
        Files.createDirectories(stranger);
        Files.writeString(stranger.resolve("precious"), "x");
        Msgid id = new Msgid(0x11112222);
        assertThat(commit(id, "c", text(id, 1, "t"))).isInstanceOf(Stored.Temporary.class);
        assertThat(stranger.resolve("precious")).exists();
    }

    @Test
    void idOfWhatAnEarlierRunSetAsideIsNotFree() throws Exception {
        commit(ID, "content", text(ID, 1, "one"));
        get(queue.quarantine(evp(ID, 1), "bad"));
        reopen();
        assertThat(queue.isFree(ID)).isFalse();
        get(queue.restore(ID));
        get(queue.delete(List.of(evp(ID, 1))));
        assertThat(queue.isFree(ID)).isTrue();
    }

    // ---- the admin's hands

    @Test
    void removedEnvelopeIsAbsentAndTheRestGoesOn() throws Exception {
        commit(ID, "content", text(ID, 1, "one"), text(ID, 2, "two"));
        Files.delete(file(evp(ID, 1)));
        assertThat(load(evp(ID, 1))).isEqualTo("absent");
        assertThat(get(queue.update(text(ID, 1, "x")))).isEqualTo(new Stored.Absent());
        assertThat(envelopes()).isEqualTo(1);
        assertThat(get(queue.delete(List.of(evp(ID, 1))))).isEqualTo(new Stored.Ok());
        assertThat(load(evp(ID, 2))).isEqualTo("two");
        get(queue.delete(List.of(evp(ID, 2))));
        assertThat(folder(ID)).doesNotExist();
    }

    /**
     * In C an envelope that could not be read at load was not counted, and went with the folder.
     */
    @Test
    void unknownEnvelopeInTheFolderKeepsTheContent() throws Exception {
        commit(ID, "content", text(ID, 1, "one"));
        Files.copy(file(evp(ID, 1)), file(evp(ID, 8)));
        get(queue.delete(List.of(evp(ID, 1))));
        assertThat(load(evp(ID, 8))).isEqualTo("one");
        assertThat(content(ID)).isEqualTo(bytes("content"));
    }

    @Test
    void foreignFileKeepsTheFolder() throws Exception {
        commit(ID, "content", text(ID, 1, "one"));
        Files.writeString(folder(ID).resolve("notes.txt"), "mine");
        get(queue.delete(List.of(evp(ID, 1))));
        assertThat(folder(ID).resolve("notes.txt")).exists();
        assertThat(folder(ID).resolve("message")).exists();
        assertThat(problems).anyMatch(p -> p.contains("problem=foreign"));
    }

    @Test
    void messageRemovedWholeIsAbsentAndBucketsComeBack() throws Exception {
        commit(ID, "content", text(ID, 1, "one"));
        Files.delete(file(evp(ID, 1)));
        Files.delete(folder(ID).resolve("message"));
        Files.delete(folder(ID));
        Files.delete(folder(ID).getParent());
        assertThat(load(evp(ID, 1))).isEqualTo("absent");
        assertThat(content(ID)).isNull();
        assertThat(get(queue.delete(List.of(evp(ID, 1))))).isEqualTo(new Stored.Ok());
        assertThat(commit(ID, "content", text(ID, 1, "one"))).isEqualTo(new Stored.Ok());
    }

    @Test
    void copiedBackFolderAndNewEnvelopeAreDiscovered() throws Exception {
        commit(ID, "content", text(ID, 1, "one"));
        Path away = root.resolve("away");
        Files.move(folder(ID), away);
        assertThat(load(evp(ID, 1))).isEqualTo("absent");
        Files.copy(away.resolve(evp(ID, 1).toString()), away.resolve(evp(ID, 5).toString()));
        Files.move(away, folder(ID));
        assertThat(get(queue.discover(ID)))
                .extracting(Entry::id)
                .containsExactlyInAnyOrder(evp(ID, 1), evp(ID, 5));
    }

    @Test
    void symlinkFolderAndFifoUnderAnEnvelopesNameAreNotFollowed() throws Exception {
        commit(ID, "content", text(ID, 1, "one"));
        Files.createSymbolicLink(file(evp(ID, 2)), Path.of("/etc/passwd"));
        Files.createDirectory(file(evp(ID, 3)));
        assertThat(load(evp(ID, 2))).isEqualTo("unreadable");
        assertThat(load(evp(ID, 3))).isEqualTo("unreadable");
        assertThat(get(queue.discover(ID))).extracting(Entry::id).containsExactly(evp(ID, 1));
        assertThat(queue.problems()).anyMatch(p -> p.contains("evp=" + evp(ID, 2)));
        Files.delete(file(evp(ID, 2)));
        Files.writeString(file(evp(ID, 2)), "fine");
        assertThat(load(evp(ID, 2))).isEqualTo("fine");
        assertThat(queue.problems()).noneMatch(p -> p.contains("evp=" + evp(ID, 2)));
    }

    @Test
    void hardLinkIsReadButReplacedNotWrittenInPlace() throws Exception {
        commit(ID, "content", text(ID, 1, "one"));
        Path backup = root.resolve("backup");
        Files.createLink(backup, file(evp(ID, 1)));
        assertThat(load(evp(ID, 1))).isEqualTo("one");
        get(queue.update(text(ID, 1, "changed")));
        assertThat(backup).hasContent("one");
        assertThat(load(evp(ID, 1))).isEqualTo("changed");
    }

    @Test
    void oversizedEnvelopeIsUnreadableNotFatal() throws Exception {
        commit(ID, "content", text(ID, 1, "one"), text(ID, 2, "two"));
        Files.write(file(evp(ID, 1)), new byte[70_000]);
        assertThat(load(evp(ID, 1))).isEqualTo("unreadable");
        assertThat(load(evp(ID, 2))).isEqualTo("two");
    }

    @Test
    void wrongBucketAndUpperCaseNamesAreBroughtHome() throws Exception {
        Path wrong = root.resolve("queue/e2/a71c09e2");
        Files.createDirectories(wrong);
        Files.writeString(wrong.resolve("message"), "content");
        Files.writeString(wrong.resolve("A71C09E200000001"), "one");
        reopen();
        assertThat(walkAll()).extracting(Entry::id).containsExactly(evp(ID, 1));
        assertThat(load(evp(ID, 1))).isEqualTo("one");
        assertThat(content(ID)).isEqualTo(bytes("content"));
    }

    @Test
    void sameMessageTwiceCountsInItsOwnBucket() throws Exception {
        commit(ID, "content", text(ID, 1, "right"));
        Path wrong = root.resolve("queue/e2/a71c09e2");
        Files.createDirectories(wrong);
        Files.writeString(wrong.resolve(evp(ID, 1).toString()), "wrong");
        reopen();
        assertThat(walkAll()).hasSize(1);
        assertThat(load(evp(ID, 1))).isEqualTo("right");
        assertThat(queue.problems()).anyMatch(p -> p.contains("e2/a71c09e2"));
    }

    @Test
    void envelopeOfAnotherMessageIsListedNotLoaded() throws Exception {
        commit(ID, "content", text(ID, 1, "one"));
        Files.writeString(folder(ID).resolve("1234567800000001"), "stranger");
        reopen();
        assertThat(walkAll()).extracting(Entry::id).containsExactly(evp(ID, 1));
        assertThat(queue.problems()).anyMatch(p -> p.contains("misplaced"));
    }

    @Test
    void foreignNamesInTheSpoolAreIgnoredAndKept() throws Exception {
        Files.createDirectories(root.resolve("queue/lost+found"));
        Files.createDirectories(root.resolve("queue/a7/not-a-message"));
        Files.writeString(root.resolve("queue/README"), "x");
        commit(ID, "content", text(ID, 1, "one"));
        reopen();
        assertThat(walkAll()).hasSize(1);
        assertThat(root.resolve("queue/a7/not-a-message")).exists();
        assertThat(root.resolve("queue/README")).exists();
    }

    @Test
    void oldFolderWithoutEnvelopesIsPurgedAYoungOneStays() throws Exception {
        for (String id : List.of("a71c09e2", "a71c09e3")) {
            Files.createDirectories(root.resolve("queue/a7/" + id));
            Files.writeString(root.resolve("queue/a7/" + id + "/message"), "orphan");
        }
        Files.setLastModifiedTime(
                root.resolve("queue/a7/a71c09e2"), java.nio.file.attribute.FileTime.fromMillis(0));
        reopen();
        assertThat(walkAll()).isEmpty();
        get(queue.settle(java.time.Duration.ofSeconds(10)));
        assertThat(root.resolve("queue/a7/a71c09e2")).doesNotExist();
        assertThat(root.resolve("queue/a7/a71c09e3")).exists();
    }

    @Test
    void missingContentIsAbsentAndListed() throws Exception {
        commit(ID, "content", text(ID, 1, "one"));
        Files.delete(folder(ID).resolve("message"));
        assertThat(content(ID)).isNull();
        reopen();
        assertThat(walkAll()).hasSize(1);
        assertThat(queue.problems()).anyMatch(p -> p.contains("content-missing"));
    }

    @Test
    void storageThatIsAwayIsSaidAndComesBackAlone() throws Exception {
        Files.move(root.resolve("incoming"), root.resolve("elsewhere"));
        fs().tick();
        assertThat(queue.health().accepting()).isFalse();
        assertThat(queue.health().reason()).isEqualTo("storage");
        assertThat(root.resolve("incoming")).doesNotExist();
        Files.move(root.resolve("elsewhere"), root.resolve("incoming"));
        fs().tick();
        assertThat(queue.health().accepting()).isTrue();
        assertThat(commit(ID, "content", text(ID, 1, "one"))).isEqualTo(new Stored.Ok());
    }

    // ---- done but still present

    @Test
    void deliveredButNotRemovedIsNeverHandedOutAgain() throws Exception {
        commit(ID, "content", text(ID, 1, "one"), text(ID, 2, "two"));
        disk.fault =
                (call, name) ->
                        call.equals("unlink") && name.endsWith(evp(ID, 1).toString())
                                ? Integer.valueOf(Errno.EACCES)
                                : null;
        assertThat(get(queue.delete(List.of(evp(ID, 1))))).isEqualTo(new Stored.Ok());
        assertThat(load(evp(ID, 1))).isEqualTo("absent");
        assertThat(folder(ID).resolve("." + evp(ID, 1) + ".done")).exists();
        assertThat(problems).anyMatch(p -> p.contains("done-but-present"));
        reopen();
        assertThat(walkAll()).extracting(Entry::id).containsExactly(evp(ID, 2));
        get(queue.settle(java.time.Duration.ofSeconds(10)));
        assertThat(file(evp(ID, 1))).doesNotExist();
        assertThat(folder(ID).resolve("." + evp(ID, 1) + ".done")).doesNotExist();
    }

    @Test
    void removalThatCannotBeRecordedIsTemporaryAndStaysInMind() throws Exception {
        commit(ID, "content", text(ID, 1, "one"));
        disk.fault = (call, name) -> Integer.valueOf(Errno.EROFS);
        assertThat(get(queue.delete(List.of(evp(ID, 1))))).isInstanceOf(Stored.Temporary.class);
        disk.fault = (call, name) -> null;
        assertThat(load(evp(ID, 1))).isEqualTo("absent");
        assertThat(get(queue.delete(List.of(evp(ID, 1))))).isEqualTo(new Stored.Ok());
        assertThat(folder(ID)).doesNotExist();
    }

    // ---- quarantine

    @Test
    void quarantineKeepsTheFileAndSaysWhy() throws Exception {
        commit(ID, "content", text(ID, 1, "one"), text(ID, 2, "two"));
        get(queue.quarantine(evp(ID, 1), "bad value in ctime"));
        Path corrupt = root.resolve("corrupt/a71c09e2");
        assertThat(corrupt.resolve(evp(ID, 1).toString())).hasContent("one");
        assertThat(Files.readString(corrupt.resolve("reason.txt")))
                .matches("\\S+Z queue/a7/a71c09e2/a71c09e200000001 bad value in ctime\n");
        assertThat(corrupt.resolve("message")).doesNotExist();
        get(queue.restore(ID));
        assertThat(corrupt).doesNotExist();
    }

    @Test
    void manyCommitsAtOnceAllSucceed() throws Exception {
        List<CompletionStage<Stored>> all = new ArrayList<>();
        for (int i = 1; i <= 300; i++) {
            Msgid id = new Msgid(i * 0x01357911);
            all.add(
                    queue.commit(
                            new Commit(
                                    id, memory(bytes("c")), List.of(text(id, 1, "t")), List.of())));
        }
        for (CompletionStage<Stored> one : all) {
            assertThat(get(one)).isEqualTo(new Stored.Ok());
        }
        assertThat(messages()).isEqualTo(300);
    }
}
