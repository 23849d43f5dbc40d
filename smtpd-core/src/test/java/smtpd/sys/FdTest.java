package smtpd.sys;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FdTest {
    @TempDir Path folder;

    private int create(String name) throws SysException {
        return At.open(
                At.CWD, folder.resolve(name).toString(), Open.RDWR | Open.CREAT | Open.EXCL, 0600);
    }

    @Test
    void arraysLongerThanTheCopyBufferComeBackWhole() throws IOException {
        long seed = Long.getLong("seed", 1);
        byte[] content = new byte[200_001];
        new Random(seed).nextBytes(content);
        int fd = create("a");
        Fd.pwrite(fd, content, 0, content.length, 5);
        byte[] back = new byte[content.length + 100];
        assertThat(Fd.pread(fd, back, 0, back.length, 5))
                .as("seed %d", seed)
                .isEqualTo(content.length);
        assertThat(Arrays.copyOf(back, content.length)).as("seed %d", seed).isEqualTo(content);
        assertThat(Fd.stat(fd).size()).isEqualTo(content.length + 5);
        Fd.fdatasync(fd);
        Fd.fsync(fd);
        Fd.close(fd);
    }

    @Test
    void nativeSegmentsGoWithoutCopy() throws IOException {
        int fd = create("b");
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = arena.allocateFrom("hello");
            Fd.write(fd, text);
            Fd.pwrite(fd, text, 6);
            MemorySegment back = arena.allocate(64);
            assertThat(Fd.pread(fd, back, 0)).isEqualTo(12);
            assertThat(back.getString(6)).isEqualTo("hello");
        }
        assertThatThrownBy(() -> Fd.tryWrite(fd, MemorySegment.ofArray(new byte[1])))
                .isInstanceOf(IllegalArgumentException.class);
        Fd.close(fd);
    }

    @Test
    void readAllRefusesWhatIsTooLarge() throws IOException {
        int fd = create("c");
        Fd.write(fd, "12345".getBytes(UTF_8), 0, 5);
        assertThat(Fd.readAll(fd, 5)).isEqualTo("12345".getBytes(UTF_8));
        assertThatThrownBy(() -> Fd.readAll(fd, 4))
                .isInstanceOfSatisfying(
                        SysException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EFBIG));
        Fd.close(fd);
    }

    @Test
    void failuresNameCallSubjectAndErrno() {
        assertThatThrownBy(() -> At.open(At.CWD, folder + "/none", Open.RDONLY))
                .isInstanceOf(SysException.class)
                .hasMessage("openat " + folder + "/none: No such file or directory (ENOENT)");
        assertThat(At.tryOpen(At.CWD, folder + "/none", Open.RDONLY, 0)).isEqualTo(-Errno.ENOENT);
        assertThatThrownBy(() -> Fd.fsync(9999))
                .isInstanceOfSatisfying(
                        SysException.class, e -> assertThat(e.errnoName()).isEqualTo("EBADF"));
    }

    @Test
    void nameWithNulIsNeverAShorterName() throws IOException {
        Files.writeString(folder.resolve("x"), "x");
        assertThat(At.tryOpen(At.CWD, folder + "/x\0y", Open.RDONLY, 0)).isEqualTo(-Errno.EFAULT);
    }

    @Test
    void longAndNonAsciiNamesReachTheKernel() throws IOException {
        int dir = At.open(At.CWD, folder.toString(), Open.RDONLY | Open.DIRECTORY);
        String name = "ä".repeat(120);
        Fd.close(At.open(dir, name, Open.WRONLY | Open.CREAT, 0600));
        List<String> names = new ArrayList<>();
        At.list(dir, names::add);
        assertThat(names).containsExactly(name);
        assertThat(At.tryOpen(dir, "n".repeat(5000), Open.RDONLY, 0)).isNegative();
        Fd.close(dir);
    }

    @Test
    void namesRelativeToADirectory() throws IOException {
        int dir = At.open(At.CWD, folder.toString(), Open.RDONLY | Open.DIRECTORY);
        At.mkdir(dir, "sub", 0700);
        assertThat(At.tryMkdir(dir, "sub", 0700)).isEqualTo(-Errno.EEXIST);
        Fd.close(At.open(dir, "one", Open.WRONLY | Open.CREAT, 0640));
        At.rename(dir, "one", dir, "sub/two");
        assertThat(At.exists(dir, "one")).isFalse();
        assertThat(At.exists(dir, "sub/two")).isTrue();
        Fd.close(At.open(dir, "one", Open.WRONLY | Open.CREAT, 0640));
        assertThat(At.tryRenameNew(dir, "one", dir, "sub/two")).isEqualTo(-Errno.EEXIST);
        assertThat(At.tryRenameNew(dir, "one", dir, "sub/three")).isZero();
        assertThat(At.tryLink(dir, "sub/three", dir, "four")).isZero();
        FileInfo info = At.stat(dir, "four");
        assertThat(info.links()).isEqualTo(2);
        assertThat(info.isRegular()).isTrue();
        assertThat(info.permissions()).isEqualTo(0640);
        assertThat(info.inode()).isEqualTo(Files.getAttribute(folder.resolve("four"), "unix:ino"));
        assertThat(info.mtimeNanos() / 1_000_000)
                .isEqualTo(Files.getLastModifiedTime(folder.resolve("four")).toMillis());
        At.symlink("four", dir, "link");
        assertThat(At.lstat(dir, "link").isSymlink()).isTrue();
        assertThat(At.stat(dir, "link").isRegular()).isTrue();
        assertThat(At.tryOpen(dir, "link", Open.RDONLY | Open.NOFOLLOW, 0)).isEqualTo(-Errno.ELOOP);
        At.chmod(dir, "four", 0600);
        assertThat(At.stat(dir, "four").permissions()).isEqualTo(0600);
        At.unlink(dir, "four");
        assertThat(At.tryRmdir(dir, "sub")).isEqualTo(-Errno.ENOTEMPTY);
        At.unlink(dir, "sub/two");
        At.unlink(dir, "sub/three");
        At.rmdir(dir, "sub");
        Fd.fsync(dir);
        Fd.syncfs(dir);
        Fd.close(dir);
    }

    @Test
    void aLargeDirectoryIsListedWhole() throws IOException {
        int dir = At.open(At.CWD, folder.toString(), Open.RDONLY | Open.DIRECTORY);
        for (int i = 0; i < 3000; i++) {
            Fd.close(At.open(dir, "entry-number-" + i, Open.WRONLY | Open.CREAT, 0600));
        }
        List<String> names = new ArrayList<>();
        At.list(dir, names::add);
        assertThat(names).hasSize(3000).doesNotHaveDuplicates();
        Fd.close(dir);
    }

    @Test
    void sizesTimesAndSpace() throws IOException {
        int fd = create("d");
        Fd.allocate(fd, 0, 8192, true);
        assertThat(Fd.stat(fd).size()).isZero();
        Fd.allocate(fd, 0, 8192, false);
        assertThat(Fd.stat(fd).size()).isEqualTo(8192);
        Fd.truncate(fd, 10);
        assertThat(Fd.stat(fd).size()).isEqualTo(10);
        Fd.times(fd, 1_000_000_001L, 2_500_000_000L);
        assertThat(Fd.stat(fd).atimeNanos()).isEqualTo(1_000_000_001L);
        assertThat(Fd.stat(fd).mtimeNanos()).isEqualTo(2_500_000_000L);
        Space space = Fd.space(fd);
        assertThat(space.totalBytes()).isEqualTo(Files.getFileStore(folder).getTotalSpace());
        assertThat(space.freeBytes()).isPositive().isLessThanOrEqualTo(space.totalBytes());
        assertThat(space.freeInodes()).isPositive();
        assertThat(space.isReadOnly()).isFalse();
        Fd.close(fd);
    }

    @Test
    void locksExcludeOtherOpensOfTheSameProcess() throws IOException {
        int one = create("lock");
        int two = At.open(At.CWD, folder + "/lock", Open.RDWR);
        assertThat(Fd.tryOfdLock(one)).isTrue();
        assertThat(Fd.tryOfdLock(two)).isFalse();
        int third = At.open(At.CWD, folder + "/lock", Open.RDWR);
        Fd.close(third);
        assertThat(Fd.tryOfdLock(two)).as("a close of another open drops nothing").isFalse();
        Fd.ofdUnlock(one);
        assertThat(Fd.tryOfdLock(two)).isTrue();
        assertThat(Fd.tryFlock(one)).isTrue();
        assertThat(Fd.tryFlock(two)).isFalse();
        Fd.unflock(one);
        assertThat(Fd.tryFlock(two)).isTrue();
        Fd.close(one);
        Fd.close(two);
    }

    @Test
    void duplicatesAreCloseOnExecAndOutliveTheOriginal() throws IOException {
        int fd = create("e");
        int copy = Fd.dup(fd, 50);
        assertThat(copy).isGreaterThanOrEqualTo(50);
        Fd.close(fd);
        Fd.write(copy, "x".getBytes(UTF_8), 0, 1);
        assertThat(Files.readString(Path.of("/proc/self/fdinfo/" + copy))).contains("flags:\t02");
        Fd.close(copy);
    }

    @Test
    void pollSeesAPipeFillAndEnd() throws IOException {
        int[] pipe = Fd.pipe();
        assertThat(Poll.one(pipe[0], Poll.IN, 0)).isFalse();
        try (Poll poll = new Poll()) {
            for (int i = 0; i < 100; i++) {
                poll.add(-1, Poll.IN);
            }
            int place = poll.add(pipe[0], Poll.IN);
            assertThat(poll.await(0)).isZero();
            Fd.write(pipe[1], "hi".getBytes(UTF_8), 0, 2);
            assertThat(poll.await(-1)).isEqualTo(1);
            assertThat(poll.events(place)).isEqualTo(Poll.IN);
            byte[] two = new byte[2];
            assertThat(Fd.read(pipe[0], two, 0, 2)).isEqualTo(2);
            Fd.close(pipe[1]);
            poll.clear();
            poll.add(pipe[0], Poll.IN);
            assertThat(poll.await(-1)).isEqualTo(1);
            assertThat(poll.events(0)).isEqualTo(Poll.HUP);
        }
        Fd.nonBlocking(pipe[0], true);
        assertThat(Fd.tryRead(pipe[0], new byte[1], 0, 1)).isZero();
        Fd.close(pipe[0]);
    }

    @Test
    void memfdIsSealedAgainstEveryChange() throws IOException {
        byte[] text = "listen on lo\n".getBytes(UTF_8);
        int fd = Memfd.sealed("smtpd.conf", text);
        assertThat(Memfd.isSealed(fd)).isTrue();
        assertThat(Fd.readAll(fd, 100)).isEqualTo(text);
        assertThat(Fd.readAll(fd, 100)).as("a second reader sees all of it").isEqualTo(text);
        assertThat(Fd.tryWrite(fd, text, 0, 1)).isEqualTo(-Errno.EPERM);
        assertThatThrownBy(() -> Fd.truncate(fd, 0)).isInstanceOf(SysException.class);
        assertThatThrownBy(() -> Fd.truncate(fd, 1000)).isInstanceOf(SysException.class);
        Fd.close(fd);
        int file = create("f");
        assertThat(Memfd.isSealed(file)).isFalse();
        Fd.close(file);
    }
}
