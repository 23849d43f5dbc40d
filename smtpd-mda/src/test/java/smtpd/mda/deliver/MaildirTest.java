package smtpd.mda.deliver;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import smtpd.sys.At;
import smtpd.sys.Fd;
import smtpd.sys.Open;

final class MaildirTest {

    private static final String NAME = "1700000000.Q0123456789abcdef.host";
    private static final byte[] HEADERS =
            Jobs.bytes("Return-Path: <a@b>\nDelivered-To: bob@here\n");

    @TempDir Path home;
    private Path root;
    private String folder;
    private boolean makeFolder;
    private boolean again;
    private boolean clean;

    @BeforeEach
    void root() {
        root = home.resolve("Maildir");
    }

    private Verdict deliver(Content content) {
        return Jobs.deliver(maildir(NAME, content));
    }

    private Maildir maildir(String name, Content content) {
        return Maildir.of(
                new Maildir.Order(
                        new MaildirPlace(
                                root.toString(),
                                home.toString(),
                                (int) Jobs.uid(),
                                folder,
                                makeFolder),
                        name,
                        again,
                        HEADERS,
                        content,
                        clean,
                        Instant.now().getEpochSecond()));
    }

    /** The steps of all, interleaved as a thread with several mails takes them. */
    private static List<Verdict> together(Desk desk, List<Maildir> mails) {
        desk.begin(true);
        mails.forEach(mail -> mail.start(desk));
        mails.forEach(mail -> mail.sync(desk));
        List<Verdict> verdicts = mails.stream().map(mail -> mail.finish(desk)).toList();
        desk.end();
        return verdicts;
    }

    private static List<String> names(Path folder) throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.map(p -> p.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void mailStandsInNewWithOurLinesInFront() throws Exception {
        assertThat(deliver(Jobs.content("Subject: x\n\nhello\n"))).isEqualTo(Verdict.OK);
        assertThat(root.resolve("new").resolve(NAME))
                .hasContent("Return-Path: <a@b>\nDelivered-To: bob@here\nSubject: x\n\nhello\n");
        assertThat(names(root.resolve("tmp"))).isEmpty();
        assertThat(names(root)).containsExactly("cur", "new", "tmp");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(root)))
                .isEqualTo("rwx------");
    }

    @Test
    void existingMaildirKeepsItsMode() throws Exception {
        Files.createDirectory(root);
        Files.setPosixFilePermissions(root, PosixFilePermissions.fromString("rwxrwx---"));
        assertThat(deliver(Jobs.content("a\n"))).isEqualTo(Verdict.OK);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(root)))
                .isEqualTo("rwxrwx---");
    }

    @Test
    void missingLastLineFeedIsAddedAtEverySize() throws Exception {
        for (int size : new int[] {0, 1, 65_000, 65_536, 131_072, 200_001}) {
            again = false;
            byte[] body = new byte[size];
            java.util.Arrays.fill(body, (byte) 'x');
            Files.deleteIfExists(root.resolve("new").resolve(NAME));
            assertThat(deliver(Jobs.content(body))).isEqualTo(Verdict.OK);
            assertThat(Files.size(root.resolve("new").resolve(NAME)))
                    .isEqualTo(HEADERS.length + size + (size == 0 ? 0 : 1));
        }
    }

    @Test
    void contentFromADescriptorIsReadFromItsBeginning() throws Exception {
        byte[] body = new byte[300_000];
        java.util.Arrays.fill(body, (byte) '\n');
        Path file = Files.write(home.resolve("content"), body);
        int fd = At.open(At.CWD, file.toString(), Open.RDONLY);
        Fd.read(fd, new byte[1000], 0, 1000); // somebody else moved the shared offset
        assertThat(deliver(Content.of(fd, body.length, Jobs.sum(body)))).isEqualTo(Verdict.OK);
        Fd.close(fd);
        assertThat(Files.size(root.resolve("new").resolve(NAME)))
                .isEqualTo(HEADERS.length + body.length);
    }

    @Test
    void damagedContentLeavesNothing() throws Exception {
        byte[] body = Jobs.bytes("Subject: x\n\nhello\n");
        for (Content bad :
                List.of(
                        Content.of(body, 0, body.length, Jobs.sum(body) + 1),
                        new Content(null, 0, 999, 10, 0))) {
            Verdict verdict = deliver(bad);
            assertThat(verdict).isInstanceOf(Verdict.Temporary.class);
            assertThat(verdict.esc()).isEqualTo("4.3.0");
            assertThat(names(root.resolve("new"))).isEmpty();
            assertThat(names(root.resolve("tmp"))).isEmpty();
        }
    }

    @Test
    void deliveredBeforeTheCrashIsNotDeliveredTwice() throws Exception {
        deliver(Jobs.content("a\n"));
        again = true;
        assertThat(deliver(Jobs.content("a\n"))).isEqualTo(Verdict.OK);
        assertThat(names(root.resolve("new"))).containsExactly(NAME);
        again = false;
        assertThat(deliver(Jobs.content("a\n"))).isEqualTo(Verdict.OK);
        assertThat(names(root.resolve("new"))).containsExactly(NAME);
        assertThat(names(root.resolve("tmp"))).isEmpty();
    }

    @Test
    void movedToCurByTheReaderIsNotDeliveredAgain() throws Exception {
        deliver(Jobs.content("a\n"));
        Files.move(root.resolve("new").resolve(NAME), root.resolve("cur").resolve(NAME + ":2,S"));
        again = true;
        assertThat(deliver(Jobs.content("a\n"))).isEqualTo(Verdict.OK);
        assertThat(names(root.resolve("new"))).isEmpty();
    }

    @Test
    void tornFileOfAnEarlierTryIsReplaced() throws Exception {
        for (boolean tried : new boolean[] {true, false}) {
            again = tried;
            Files.createDirectories(root.resolve("new"));
            Files.writeString(root.resolve("new").resolve(NAME), "half");
            assertThat(deliver(Jobs.content("whole mail\n"))).isEqualTo(Verdict.OK);
            assertThat(root.resolve("new").resolve(NAME)).content().endsWith("whole mail\n");
        }
    }

    @Test
    void leftoverInTmpIsReplaced() throws Exception {
        Files.createDirectories(root.resolve("tmp"));
        Files.writeString(root.resolve("tmp").resolve(NAME), "x");
        assertThat(deliver(Jobs.content("a\n"))).isEqualTo(Verdict.OK);
        assertThat(names(root.resolve("tmp"))).isEmpty();
    }

    @Test
    void oldLeftoversOfOursGoAndOthersStay() throws Exception {
        Path tmp = Files.createDirectories(root.resolve("tmp"));
        FileTime old = FileTime.from(Instant.now().minusSeconds(40 * 3600));
        for (String name : List.of("1.Q0000000000000001.h", "1.M5P6.h")) {
            Files.setLastModifiedTime(Files.writeString(tmp.resolve(name), "x"), old);
        }
        Files.writeString(tmp.resolve("1.Q0000000000000002.h"), "young");
        clean = true;
        assertThat(deliver(Jobs.content("a\n"))).isEqualTo(Verdict.OK);
        assertThat(names(tmp)).containsExactly("1.M5P6.h", "1.Q0000000000000002.h");
    }

    @Test
    void subFolderTakesTheMailOnlyWhenItExists() throws Exception {
        folder = ".news";
        assertThat(deliver(Jobs.content("a\n"))).isEqualTo(Verdict.OK);
        assertThat(names(root.resolve("new"))).containsExactly(NAME);
        Files.delete(root.resolve("new").resolve(NAME));
        Files.createDirectory(root.resolve(".news"));
        assertThat(deliver(Jobs.content("a\n"))).isEqualTo(Verdict.OK);
        assertThat(names(root.resolve(".news").resolve("new"))).containsExactly(NAME);
        assertThat(names(root.resolve("new"))).isEmpty();
    }

    @Test
    void junkFolderIsMade() throws Exception {
        folder = ".Junk";
        makeFolder = true;
        assertThat(deliver(Jobs.content("a\n"))).isEqualTo(Verdict.OK);
        assertThat(names(root.resolve(".Junk").resolve("new"))).containsExactly(NAME);
    }

    @Test
    void tagsNeverLeaveTheMaildir() {
        assertThat(Maildir.folderOfTag("news")).isEqualTo(".news");
        assertThat(Maildir.folderOfTag("../../x")).isEqualTo(".:..:x");
        assertThat(Maildir.folderOfTag("/../../x")).isEqualTo(".:..:..:x");
        assertThat(Maildir.folderOfTag("..")).isNull();
        assertThat(Maildir.folderOfTag("a%{b}")).isEqualTo(".a::b:");
    }

    @Test
    void linkedSubFolderIsNotFollowed() throws Exception {
        Path evil = Files.createDirectory(home.resolve("evil"));
        Files.createDirectories(root);
        Files.createSymbolicLink(root.resolve("new"), evil);
        Verdict verdict = deliver(Jobs.content("a\n"));
        assertThat(verdict).isInstanceOf(Verdict.Temporary.class);
        assertThat(verdict.esc()).isEqualTo("4.2.0");
        assertThat(names(evil)).isEmpty();
    }

    @Test
    void linkedMaildirItselfIsAllowed() throws Exception {
        Path real = Files.createDirectory(home.resolve("real"));
        Files.createSymbolicLink(root, real);
        assertThat(deliver(Jobs.content("a\n"))).isEqualTo(Verdict.OK);
        assertThat(names(real.resolve("new"))).containsExactly(NAME);
    }

    @Test
    void missingHomeIsNeverMadeAndDefers() {
        Path gone = home.resolve("gone");
        root = gone.resolve("Maildir");
        home = gone;
        Verdict verdict = deliver(Jobs.content("a\n"));
        assertThat(verdict).isEqualTo(Verdict.temporary("4.2.1", "home missing"));
        assertThat(gone).doesNotExist();
    }

    @Test
    void deepRootIsMadeOneByOneAndAFileInTheWayDefers() throws Exception {
        root = home.resolve("a/b/c");
        assertThat(deliver(Jobs.content("a\n"))).isEqualTo(Verdict.OK);
        Files.writeString(home.resolve("file"), "");
        root = home.resolve("file/x");
        assertThat(deliver(Jobs.content("a\n")).esc()).isEqualTo("4.2.0");
    }

    @Test
    void nameHoldsIdAndHarmlessHost() {
        assertThat(Maildir.fileName(7, "00000000000000ff", "a/b:c"))
                .isEqualTo("7.Q00000000000000ff.a\\057b\\072c");
        assertThat(Maildir.isOurForm(NAME)).isTrue();
        assertThat(Maildir.isOurForm("1.Q1.h")).isFalse();
    }

    @Test
    void mailsWrittenTogetherSucceedAndFailEachByItself() throws Exception {
        again = false;
        byte[] bytes = Jobs.bytes("x\n");
        Content damaged = Content.of(bytes, 0, bytes.length, Jobs.sum(bytes) + 1);
        try (Desk desk = new Desk()) {
            List<Verdict> verdicts =
                    together(
                            desk,
                            List.of(
                                    maildir("1", Jobs.content("a\n")),
                                    maildir("2", damaged),
                                    maildir("3", Jobs.content("c\n"))));
            assertThat(verdicts.get(0)).isEqualTo(Verdict.OK);
            assertThat(verdicts.get(1).text()).isEqualTo("content does not match its record");
            assertThat(verdicts.get(2)).isEqualTo(Verdict.OK);
        }
        assertThat(names(root.resolve("new"))).containsExactly("1", "3");
        assertThat(names(root.resolve("tmp"))).isEmpty();
    }

    @Test
    void aThreadFindsTheMaildirThatItsUserPutInPlaceOfAnother() throws Exception {
        again = false;
        try (Desk desk = new Desk()) {
            together(desk, List.of(maildir("1", Jobs.content("a\n"))));
            Files.move(root, home.resolve("aside"));
            together(desk, List.of(maildir("2", Jobs.content("b\n"))));
            assertThat(names(root.resolve("new"))).containsExactly("2");
            // and one whose folders went away
            Files.delete(root.resolve("new/2"));
            for (String gone : List.of("new", "tmp", "cur")) {
                Files.delete(root.resolve(gone));
            }
            assertThat(together(desk, List.of(maildir("3", Jobs.content("c\n")))))
                    .containsExactly(Verdict.OK);
            Files.delete(root.resolve("tmp")); // alone
            assertThat(together(desk, List.of(maildir("4", Jobs.content("d\n")))))
                    .containsExactly(Verdict.OK);
        }
        assertThat(names(root.resolve("new"))).containsExactly("3", "4");
        assertThat(names(home.resolve("aside/new"))).containsExactly("1");
    }

    @Test
    void aThreadFollowsATagOnceItsFolderIsThere() throws Exception {
        again = false;
        folder = ".news";
        makeFolder = false;
        try (Desk desk = new Desk()) {
            together(desk, List.of(maildir("1", Jobs.content("a\n"))));
            Files.createDirectory(root.resolve(".news"));
            together(desk, List.of(maildir("2", Jobs.content("b\n"))));
        }
        assertThat(names(root.resolve("new"))).containsExactly("1");
        assertThat(names(root.resolve(".news/new"))).containsExactly("2");
    }
}
