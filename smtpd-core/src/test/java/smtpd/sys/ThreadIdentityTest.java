package smtpd.sys;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ThreadIdentityTest {
    @TempDir Path folder;
    private User recipient;
    private User service;

    @BeforeEach
    void accounts() throws Exception {
        assumeTrue(Identity.euid() == 0, "needs root");
        recipient = Users.byName("nobody").orElseThrow();
        service = Users.byName("daemon").orElseThrow();
        assertThat(folder.toFile().setExecutable(true, false)).isTrue();
    }

    /** What one delivery thread saw; written before it ends, read after join. */
    private static final class Seen {
        private String status;
        private int inHome;
        private int secret;
        private int back;
        private SysException failure;
    }

    @Test
    void mailboxThreadIsTheRecipientToTheFileSystemAndTheServiceToSignals() throws Exception {
        Path home = Files.createDirectory(folder.resolve("home"));
        At.chown(At.CWD, home.toString(), recipient.uid(), recipient.gid());
        Path secret = Files.writeString(folder.resolve("secret"), "x");
        At.chmod(At.CWD, secret.toString(), 0600);
        Seen seen = deliver(home, secret, null);
        assertThat(seen.failure).isNull();
        assertThat(seen.inHome).isNotNegative();
        Fd.close(seen.inHome);
        FileInfo mail = At.stat(At.CWD, home + "/mail");
        assertThat(mail.uid()).isEqualTo(recipient.uid());
        assertThat(mail.gid()).isEqualTo(recipient.gid());
        assertThat(seen.secret).isEqualTo(-Errno.EACCES);
        assertThat(seen.back).isEqualTo(-Errno.EPERM);
        Map<String, String> status = TaskStatus.parse(seen.status);
        String s = Integer.toString(service.uid());
        String u = Integer.toString(recipient.uid());
        assertThat(status.get("Uid")).isEqualTo(s + " " + u + " " + s + " " + u);
        String g = Integer.toString(recipient.gid());
        assertThat(status.get("Gid")).isEqualTo(g + " " + g + " " + g + " " + g);
        assertThat(status.get("Groups")).isEmpty();
        assertThat(status)
                .containsEntry("CapPrm", "0".repeat(16))
                .containsEntry("CapEff", "0".repeat(16))
                .containsEntry("CapAmb", "0".repeat(16))
                .containsEntry("NoNewPrivs", "1");
        // The kernel's thread outlives join() by a moment.
        await().untilAsserted(
                        () -> {
                            for (Map<String, String> other : TaskStatus.of(Identity.pid())) {
                                assertThat(other.get("Uid"))
                                        .as(other.get("Name"))
                                        .isEqualTo("0 0 0 0");
                            }
                        });
    }

    @Test
    void landlockOfTheHomeDisarmsASymlinkOutOfIt() throws Exception {
        assumeTrue(Landlock.abi() >= 2, "needs Landlock");
        Path home = Files.createDirectory(folder.resolve("home2"));
        Path other = Files.createDirectory(folder.resolve("other"));
        At.chown(At.CWD, home.toString(), recipient.uid(), recipient.gid());
        At.chmod(At.CWD, other.toString(), 0777);
        Files.createSymbolicLink(home.resolve("mail"), other.resolve("mail"));
        try (Landlock.Ruleset rules = new Landlock().readWrite(home.toString()).prepare()) {
            Seen seen = deliver(home, home, rules);
            assertThat(seen.failure).isNull();
            assertThat(seen.inHome).isEqualTo(-Errno.EACCES);
        }
        assertThat(other).isEmptyDirectory();
        Files.writeString(other.resolve("mine"), "this thread is not restricted");
    }

    private Seen deliver(Path home, Path secret, Landlock.Ruleset rules) throws Exception {
        ThreadIdentity who = new ThreadIdentity(recipient.uid(), recipient.gid());
        int svc = service.uid();
        Seen seen = new Seen();
        byte[] text = new byte[8192];
        Fd.closeQuietly(At.tryOpen(At.CWD, "/proc/thread-self/status", Open.RDONLY, 0));
        Thread thread =
                Thread.ofPlatform()
                        .unstarted(
                                () -> {
                                    try {
                                        int proc =
                                                At.open(
                                                        At.CWD,
                                                        "/proc/thread-self/status",
                                                        Open.RDONLY);
                                        Identity.noNewPrivileges();
                                        if (rules != null) {
                                            rules.restrict();
                                        }
                                        who.becomeRecipient(svc);
                                        seen.inHome =
                                                At.tryOpen(
                                                        At.CWD,
                                                        home + "/mail",
                                                        Open.WRONLY | Open.CREAT,
                                                        0600);
                                        seen.secret =
                                                At.tryOpen(
                                                        At.CWD, secret.toString(), Open.RDONLY, 0);
                                        seen.back = (int) Libc.syscall(Nr.SETRESUID, 0, 0, 0);
                                        int count = Fd.pread(proc, text, 0, text.length, 0);
                                        seen.status = new String(text, 0, count, UTF_8);
                                        Fd.close(proc);
                                    } catch (SysException e) {
                                        seen.failure = e;
                                    }
                                });
        thread.start();
        thread.join();
        return seen;
    }

    @Test
    void recipientCannotKillTheMailboxThread() throws Exception {
        ThreadIdentity who = new ThreadIdentity(recipient.uid(), recipient.gid());
        int svc = service.uid();
        CountDownLatch ready = new CountDownLatch(1);
        CountDownLatch done = new CountDownLatch(1);
        AtomicReference<Throwable> failure = new AtomicReference<>();
        int[] tid = new int[1];
        Thread thread =
                Thread.ofPlatform()
                        .start(
                                () -> {
                                    try {
                                        tid[0] = (int) Libc.syscall(Nr.GETTID, 0);
                                        who.becomeRecipient(svc);
                                        ready.countDown();
                                        done.await();
                                    } catch (SysException | InterruptedException e) {
                                        failure.set(e);
                                        ready.countDown();
                                    }
                                });
        ready.await();
        assertThat(failure.get()).isNull();
        try (Command attack = shell("kill -9 " + tid[0] + " && echo killed")) {
            assertThat(attack.await().code()).isNotZero();
            assertThat(CommandTest.readAll(attack)).containsIgnoringCase("permitted");
        }
        done.countDown();
        thread.join();
    }

    @Test
    void ownerOfFilesForOneOpenOnly() throws Exception {
        Path secret = Files.writeString(folder.resolve("roots"), "x");
        At.chmod(At.CWD, secret.toString(), 0600);
        ThreadIdentity who = new ThreadIdentity(recipient.uid(), recipient.gid());
        AtomicReference<String> inside = new AtomicReference<>();
        int refused =
                who.asFileOwner(
                        () -> {
                            int proc = At.open(At.CWD, "/proc/thread-self/status", Open.RDONLY);
                            byte[] text = new byte[8192];
                            int count = Fd.pread(proc, text, 0, text.length, 0);
                            Fd.close(proc);
                            inside.set(new String(text, 0, count, UTF_8));
                            return At.tryOpen(At.CWD, secret.toString(), Open.RDONLY, 0);
                        });
        assertThat(refused).isEqualTo(-Errno.EACCES);
        assertThat(TaskStatus.parse(inside.get()).get("Uid")).isEqualTo("0 0 0 " + recipient.uid());
        Fd.close(At.open(At.CWD, secret.toString(), Open.RDONLY));
        assertThatThrownBy(
                        () ->
                                who.asFileOwner(
                                        () -> At.open(At.CWD, secret.toString(), Open.RDONLY)))
                .isInstanceOf(SysException.class);
        Fd.close(At.open(At.CWD, secret.toString(), Open.RDONLY));
    }

    @Test
    void carriersOfVirtualThreadsNeverChange() throws Exception {
        ThreadIdentity who = new ThreadIdentity(recipient.uid(), recipient.gid());
        AtomicReference<Throwable> failure = new AtomicReference<>();
        Thread.ofVirtual()
                .start(
                        () -> {
                            try {
                                who.becomeFully();
                            } catch (SysException | IllegalStateException e) {
                                failure.set(e);
                            }
                        })
                .join();
        assertThat(failure.get()).isInstanceOf(IllegalStateException.class);
    }

    private Command shell(String text) throws SysException {
        return Command.start(
                new ThreadIdentity(recipient.uid(), recipient.gid()),
                "/bin/sh",
                List.of("sh", "-c", text),
                List.of("PATH=/usr/bin:/bin", "LC_ALL=C"),
                "/",
                -1);
    }
}
