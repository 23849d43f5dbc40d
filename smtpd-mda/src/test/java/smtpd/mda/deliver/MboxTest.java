package smtpd.mda.deliver;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import smtpd.mail.MailAddress;
import smtpd.sys.At;
import smtpd.sys.Fd;
import smtpd.sys.Open;

final class MboxTest {

    private static final byte[] FROM =
            Preamble.fromLine(Jobs.SENDER, Instant.ofEpochSecond(1_700_000_000L), ZoneOffset.UTC);

    @TempDir Path dir;

    private Path box() {
        return dir.resolve("bob");
    }

    private Verdict deliver(Content content) {
        try (CopyBuffer copy = new CopyBuffer()) {
            Mbox.Prepare prepare = new Mbox.Prepare(copy, dir.toString(), Jobs.me(dir.toString()));
            Verdict refused = prepare.open();
            if (refused != null) {
                return refused;
            }
            Verdict verdict =
                    Jobs.deliver(
                            new Mbox(
                                    prepare.fd(),
                                    new MboxAppend(
                                            FROM, Jobs.bytes("Delivered-To: b\n"), content)));
            prepare.close();
            return verdict;
        }
    }

    @Test
    void mailIsAppendedWithFromLineAndBlankLine() throws Exception {
        assertThat(deliver(Jobs.content("Subject: x\n\nhello"))).isEqualTo(Verdict.OK);
        assertThat(deliver(Jobs.content("Subject: y\n\n"))).isEqualTo(Verdict.OK);
        assertThat(Files.readString(box()))
                .isEqualTo(
                        """
                        From ann@far.example Tue Nov 14 22:13:20 2023
                        Delivered-To: b
                        Subject: x

                        hello

                        From ann@far.example Tue Nov 14 22:13:20 2023
                        Delivered-To: b
                        Subject: y


                        """);
        assertThat(dir.resolve("bob.lock")).doesNotExist();
    }

    @Test
    void fromLinesOfTheBodyAreQuoted() throws Exception {
        String body = "From x\n>From y\n From z\nFrom\nFromm a\nbare\rFrom c\nFrom tab\tx\r\nFro";
        assertThat(deliver(Jobs.content(body))).isEqualTo(Verdict.OK);
        assertThat(Files.readString(box()))
                .endsWith(
                        """
                        Delivered-To: b
                        >From x
                        >From y
                         From z
                        From
                        Fromm a
                        bare\rFrom c
                        >From tab\tx\r
                        Fro

                        """);
    }

    @Test
    void quotingDoesNotDependOnWhereAChunkEnds() throws Exception {
        long seed = Long.getLong("seed", 1);
        Random random = new Random(seed);
        for (int round = 0; round < 20; round++) {
            StringBuilder body = new StringBuilder();
            while (body.length() < 65_530 + random.nextInt(12)) {
                body.append(body.length() > 65_500 ? 'x' : 'y');
            }
            body.append('\n').append("From here\n".repeat(8_000));
            Files.deleteIfExists(box());
            assertThat(deliver(Jobs.content(body.toString()))).isEqualTo(Verdict.OK);
            String expected = body.toString().replace("\nFrom ", "\n>From ");
            assertThat(Files.readString(box()).endsWith("Delivered-To: b\n" + expected + "\n"))
                    .as("seed %d", seed)
                    .isTrue();
        }
    }

    @Test
    void tornEndOfAnEarlierWriteIsMended() throws Exception {
        for (String[] torn :
                new String[][] {
                    {"a", "a\n\n"}, {"a\n", "a\n\n"}, {"a\n\n", "a\n\n"}, {"\n", "\n\n"}
                }) {
            Files.writeString(box(), torn[0]);
            assertThat(deliver(Jobs.content("x\n"))).isEqualTo(Verdict.OK);
            assertThat(Files.readString(box())).startsWith(torn[1] + "From ann");
        }
    }

    @Test
    void failureGivesBackSizeAndTimes() throws Exception {
        Files.writeString(box(), "before\n\n");
        FileTime time = FileTime.from(Instant.ofEpochSecond(1_600_000_000L));
        Files.setLastModifiedTime(box(), time);
        byte[] body = new byte[200_000];
        Verdict verdict = deliver(Content.of(body, 0, body.length, 1));
        assertThat(verdict.esc()).isEqualTo("4.3.0");
        assertThat(Files.readString(box())).isEqualTo("before\n\n");
        assertThat(Files.getLastModifiedTime(box())).isEqualTo(time);
        assertThat(dir.resolve("bob.lock")).doesNotExist();
    }

    @Test
    void linksAreNeverWritten() throws Exception {
        Path target = Files.writeString(dir.resolve("passwd"), "root\n");
        Files.createSymbolicLink(box(), target);
        assertThat(deliver(Jobs.content("x\n")).esc()).isEqualTo("4.2.0");
        Files.delete(box());
        Files.createLink(box(), target);
        assertThat(deliver(Jobs.content("x\n")).esc()).isEqualTo("4.2.0");
        assertThat(target).hasContent("root\n");
        Files.delete(box());
        Files.createDirectory(box());
        assertThat(deliver(Jobs.content("x\n")).esc()).isEqualTo("4.2.0");
        assertThat(dir.resolve("bob.lock")).doesNotExist();
    }

    @Test
    void dotLockOfALivingProcessIsRespected() throws Exception {
        Path lock =
                Files.writeString(dir.resolve("bob.lock"), ProcessHandle.current().pid() + "\n");
        assertThat(deliver(Jobs.content("x\n"))).isEqualTo(Fault.verdict(Fault.LOCKED, ""));
        Files.setLastModifiedTime(lock, FileTime.from(Instant.now().minusSeconds(1000)));
        assertThat(deliver(Jobs.content("x\n")).esc()).isEqualTo("4.2.0");
        assertThat(lock).exists();
    }

    @Test
    void staleDotLockOfADeadProcessIsRemoved() throws Exception {
        Path lock = Files.writeString(dir.resolve("bob.lock"), "999999999\n");
        assertThat(deliver(Jobs.content("x\n")).esc()).isEqualTo("4.2.0");
        Files.setLastModifiedTime(lock, FileTime.from(Instant.now().minusSeconds(1000)));
        assertThat(deliver(Jobs.content("x\n"))).isEqualTo(Verdict.OK);
        assertThat(lock).doesNotExist();
    }

    @Test
    void lockOfAnotherOpenFileIsRespectedInsideOneProcess() throws Exception {
        Files.writeString(box(), "");
        int fd = At.open(At.CWD, box().toString(), Open.RDWR);
        assertThat(Fd.tryOfdLock(fd)).isTrue();
        assertThat(deliver(Jobs.content("x\n")).text()).isEqualTo("mailbox locked");
        Fd.close(fd);
        fd = At.open(At.CWD, box().toString(), Open.RDWR);
        assertThat(Fd.tryFlock(fd)).isTrue();
        assertThat(deliver(Jobs.content("x\n")).text()).isEqualTo("mailbox locked");
        Fd.close(fd);
        assertThat(deliver(Jobs.content("x\n"))).isEqualTo(Verdict.OK);
    }

    @Test
    void manyWritersInterleaveNothing() throws Exception {
        List<Thread> threads = new ArrayList<>();
        for (int t = 0; t < 4; t++) {
            Thread thread =
                    new Thread(
                            () -> {
                                for (int i = 0; i < 25; ) {
                                    if (deliver(Jobs.content("mail\n".repeat(5000)))
                                            .equals(Verdict.OK)) {
                                        i++;
                                    }
                                }
                            });
            thread.start();
            threads.add(thread);
        }
        for (Thread thread : threads) {
            thread.join();
        }
        String all = Files.readString(box());
        assertThat(all.split("From ann@far.example ", -1)).hasSize(101);
        assertThat(all).hasSize(100 * (FROM.length + 16 + 25_000 + 1));
    }

    @Test
    void senderOfTheFromLineHoldsNoBlank() {
        MailAddress evil = new MailAddress("a b\nFrom x", "y");
        String line =
                new String(
                        Preamble.fromLine(evil, Instant.EPOCH, ZoneOffset.UTC),
                        StandardCharsets.UTF_8);
        assertThat(line).isEqualTo("From a_b_From_x@y Thu Jan  1 00:00:00 1970\n");
        assertThat(Preamble.breaksLine(evil)).isTrue();
    }

    @Test
    void fileTakesMailAndDevicesAreDiscarded() throws Exception {
        assertThat(file(dir.resolve("archive"))).isEqualTo(Verdict.OK);
        assertThat(file(dir.resolve("archive"))).isEqualTo(Verdict.OK);
        assertThat(Files.readString(dir.resolve("archive")).split("From ann", -1)).hasSize(3);
        assertThat(file(Path.of("/dev/null"))).isEqualTo(Verdict.OK);
        assertThat(file(dir.resolve("no/folder")).esc()).isEqualTo("4.3.0");
        assertThat(dir.resolve("no")).doesNotExist();
    }

    @Test
    void fifoNeverHangsTheDelivery() throws Exception {
        Path fifo = dir.resolve("fifo");
        assertThat(new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor()).isZero();
        assertThat(file(fifo).esc()).isEqualTo("4.2.0");
    }

    private static Verdict file(Path path) {
        Content content = Jobs.content("x\n");
        return Jobs.deliver(new FileDelivery(path.toString(), FROM, new byte[0], content));
    }
}
