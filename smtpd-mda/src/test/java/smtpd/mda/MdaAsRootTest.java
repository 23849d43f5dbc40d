package smtpd.mda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import smtpd.envelope.Envelope;
import smtpd.envelope.MdaMethod;
import smtpd.envelope.Msgid;
import smtpd.imsg.AgentToQueue;
import smtpd.imsg.Content;
import smtpd.imsg.LkaToMda;
import smtpd.imsg.MdaToLka;
import smtpd.imsg.Outcome;
import smtpd.imsg.QueueToAgent;
import smtpd.imsg.QueueToAgent.ContentForm;
import smtpd.proc.Harness;
import smtpd.sys.At;

/** Deliveries under other identities than our own, and onto file systems that refuse. */
@EnabledIf("isRoot")
final class MdaAsRootTest extends MdaFixture {

    @Test
    void onlyDeliveryThreadsChangeIdentity() throws Exception {
        configure("accept for local deliver to maildir\n");
        for (String user : List.of("bob", "eve")) {
            for (MdaMethod method : MdaMethod.values()) {
                String text =
                        switch (method) {
                            case MAILDIR -> "~/Maildir";
                            case FILENAME -> home(user).resolve("file").toString();
                            case MDA ->
                                    "cat >/dev/null; grep -E 'Uid|Gid|Groups|Cap|NoNew'"
                                            + " /proc/self/status > status";
                            case LMTP -> home(user).resolve("no-socket").toString();
                            case MBOX -> "";
                        };
                send(
                        envelope(user)
                                .mdaMethod(method)
                                .mdaBuffer(text)
                                .mdaRaw(method == MdaMethod.MAILDIR)
                                .build());
            }
            answerUser();
            int answered = 0;
            while (answered < 5) {
                switch (result()) {
                    case AgentToQueue.Delivered d -> answered += d.evpids().size();
                    case AgentToQueue.Deferred d -> {
                        assertThat(d.esc()).isEqualTo("4.4.1"); // nobody listens there
                        answered += d.evpids().size();
                    }
                    default -> throw new AssertionError();
                }
            }
            List<String> status = Files.readAllLines(home(user).resolve("status"));
            String uid = "\t" + uid(user);
            assertThat(status)
                    .contains(
                            "Uid:" + uid.repeat(4),
                            "Gid:" + uid.repeat(4),
                            "CapPrm:\t0000000000000000",
                            "CapEff:\t0000000000000000",
                            "CapAmb:\t0000000000000000",
                            "NoNewPrivs:\t1");
            assertThat(status).anyMatch(l -> l.strip().equals("Groups:"));
            assertThat(Files.getAttribute(home(user).resolve("file"), "unix:uid"))
                    .isEqualTo(uid(user));
        }
        try (Stream<Path> tasks = Files.list(Path.of("/proc/self/task"))) {
            for (Path task : tasks.toList()) {
                String status;
                try {
                    status = Files.readString(task.resolve("status"));
                } catch (IOException e) {
                    continue; // it ended
                }
                if (status.startsWith("Name:\tdlv-")) {
                    continue; // may take more mail of its user
                }
                assertThat(status).contains("Uid:\t0\t0\t0\t0").contains("Gid:\t0\t0\t0\t0");
            }
        }
    }

    @Test
    void nobodyWritesIntoAForeignHome() throws Exception {
        configure("accept for local deliver to maildir\n");
        Path eves = home("eve");
        Files.setPosixFilePermissions(eves, PosixFilePermissions.fromString("rwx------"));
        send(envelope("bob").mdaRaw(false).mdaBuffer(eves + "/Maildir").build());
        send(
                envelope("bob")
                        .mdaMethod(MdaMethod.FILENAME)
                        .mdaRaw(false)
                        .mdaBuffer(eves + "/file")
                        .build());
        answerUser();
        int deferred = 0;
        while (deferred < 2) {
            AgentToQueue.Deferred m = (AgentToQueue.Deferred) result();
            assertThat(m.esc()).isEqualTo("4.3.0");
            deferred += m.evpids().size();
        }
        assertThat(files(eves)).isEmpty();
    }

    @Test
    void rootGetsItsMboxAndNothingElse() throws Exception {
        configure("accept for local deliver to maildir\n");
        send(envelope("root").build());
        Harness.Received asked = lka.expect(MdaToLka.UserInfo.class);
        lka.send(
                asked.frame().id(),
                new LkaToMda.UserIs(Outcome.ok(), "root", 0, 0, home("root").toString()));
        assertThat(((AgentToQueue.Failed) result()).text())
                .isEqualTo("not allowed to deliver to: root");
        send(envelope("root").mdaMethod(MdaMethod.MBOX).mdaRaw(false).mdaBuffer("").build());
        assertThat(result()).isInstanceOf(AgentToQueue.Delivered.class);
        assertThat(Files.getAttribute(dir.resolve("mail/root"), "unix:uid")).isEqualTo(0);
    }

    private static int run(String... command) throws Exception {
        return new ProcessBuilder(command).inheritIO().start().waitFor();
    }

    /** Runs a test with a small file system of its own at {@code where}. */
    private interface Mounted {
        void run() throws Exception;
    }

    private static void mounted(Path where, String options, Mounted test) throws Exception {
        int r = run("mount", "-t", "tmpfs", "-o", options, "none", where.toString());
        assumeTrue(r == 0, "may not mount here");
        try {
            test.run();
        } finally {
            run("umount", "-l", where.toString());
        }
    }

    @Test
    void aUserCannotSignalTheThreadThatWritesHisMail() throws Exception {
        configure("accept for local deliver to maildir\n");
        send(envelope("bob").build());
        answerUser();
        assertThat(result()).isInstanceOf(AgentToQueue.Delivered.class);
        // it waits for more mail of bob's; his command tries to kill it, and with it the process
        send(
                envelope("bob")
                        .mdaMethod(MdaMethod.MDA)
                        .mdaRaw(false)
                        .mdaBuffer(
                                "cat >/dev/null; cd /proc/"
                                        + ProcessHandle.current().pid()
                                        + "/task; for t in *; do"
                                        + " grep -qx dlv-bob $t/comm && echo $t && kill -9 $t; done"
                                        + " > "
                                        + home("bob").resolve("tried")
                                        + "; true")
                        .build());
        assertThat(result()).isInstanceOf(AgentToQueue.Delivered.class);
        assertThat(home("bob").resolve("tried")).content().isNotBlank();
    }

    @Test
    void aFullDiskInTheMiddleOfAnMboxTakesTheMailBack() throws Exception {
        configure("accept for local deliver to mbox\n");
        mounted(
                dir.resolve("mail"),
                "size=64k",
                () -> {
                    Path box = dir.resolve("mail/bob");
                    send(mbox("bob"));
                    answerUser();
                    assertThat(result()).isInstanceOf(AgentToQueue.Delivered.class);
                    String before = Files.readString(box);
                    FileTime time = Files.getLastModifiedTime(box);
                    Files.write(dir.resolve("mail/other"), new byte[4096 * 14]);
                    Msgid msgid = new Msgid(900);
                    queue.send(
                            0,
                            new QueueToAgent.Transfer(
                                    msgid,
                                    List.of(stored(msgid, 1, mbox("bob"))),
                                    ContentForm.INLINE,
                                    Content.of(LARGE),
                                    LARGE.length,
                                    sum(LARGE),
                                    3));
                    AgentToQueue.Deferred m = (AgentToQueue.Deferred) result();
                    assertThat(m.esc()).isEqualTo("4.3.1");
                    assertThat(m.reason()).isEqualTo("mailbox-full");
                    assertThat(box).hasContent(before);
                    assertThat(Files.getLastModifiedTime(box)).isEqualTo(time);
                    assertThat(dir.resolve("mail/bob.lock")).doesNotExist();
                });
    }

    private static final byte[] LARGE = bytes("line of a large mail\n".repeat(2000));

    private Envelope mbox(String user) {
        return envelope(user).mdaMethod(MdaMethod.MBOX).mdaBuffer("").mdaRaw(false).build();
    }

    @Test
    void aMailboxOfSomebodyElseIsNeverWritten() throws Exception {
        configure("accept for local deliver to mbox\n");
        Path box = Files.writeString(dir.resolve("mail/bob"), "eve's\n");
        At.chown(At.CWD, box.toString(), uid("eve"), gid("eve"));
        send(mbox("bob"));
        answerUser();
        AgentToQueue.Deferred m = (AgentToQueue.Deferred) result();
        assertThat(m.esc()).isEqualTo("4.2.0");
        assertThat(m.text()).isEqualTo("mailbox is owned by somebody else");
        assertThat(box).hasContent("eve's\n");
    }

    @Test
    void aSickFileSystemHoldsUpItsUserAndNobodyElse() throws Exception {
        configure("accept for local deliver to maildir\n");
        mounted(
                home("bob"),
                "ro",
                () -> {
                    send(envelope("bob").build());
                    answerUser();
                    AgentToQueue.Deferred m = (AgentToQueue.Deferred) result();
                    assertThat(m.esc()).isEqualTo("4.3.0");
                    assertThat(m.reason()).isEqualTo("io-error");
                    send(envelope("bob").build()); // waits a minute
                    send(envelope("eve").build());
                    answerUser();
                    assertThat(result()).isInstanceOf(AgentToQueue.Delivered.class);
                    assertThat(harness.onLoop(() -> harness.process().running())).isZero();
                });
    }

    @Test
    void mailIsKeptInTheGroupOfItsUser() throws Exception {
        configure("accept for local deliver to maildir\n");
        send(envelope("bob").build());
        answerUser();
        assertThat(result()).isInstanceOf(AgentToQueue.Delivered.class);
        Path file = files(dir.resolve("bob")).getFirst();
        assertThat(Files.getAttribute(file, "unix:gid")).isEqualTo(gid("bob"));
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
    }

    @Test
    void usersWithTheSameHomeNeverShareAThread() throws Exception {
        configure("accept for local deliver to maildir\n");
        Path shared = Files.createDirectory(dir.resolve("shared"));
        Files.setPosixFilePermissions(shared, PosixFilePermissions.fromString("rwxrwxrwx"));
        List<String> users = List.of("bob", "eve", "bob", "eve");
        for (int i = 0; i < users.size(); i++) {
            String user = users.get(i);
            send(envelope(user).mdaRaw(false).mdaBuffer(shared + "/" + user).build());
            if (i < 2) {
                answer(lka.expect(MdaToLka.UserInfo.class), shared);
            }
            assertThat(result()).isInstanceOf(AgentToQueue.Delivered.class);
        }
        for (String user : List.of("bob", "eve")) {
            List<Path> files = files(shared.resolve(user));
            assertThat(files).hasSize(2);
            for (Path file : files) {
                assertThat(Files.getAttribute(file, "unix:uid")).isEqualTo(uid(user));
            }
        }
    }

    private void answer(Harness.Received asked, Path home) {
        MdaToLka.UserInfo m = (MdaToLka.UserInfo) asked.message();
        lka.send(
                asked.frame().id(),
                new LkaToMda.UserIs(
                        Outcome.ok(), m.user(), uid(m.user()), gid(m.user()), home.toString()));
    }
}
