package smtpd.mda.deliver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import smtpd.mail.MailAddress;

/** Whole deliveries as whoever runs the tests, by a private instance's rules. */
final class DelivererTest {

    @TempDir Path dir;
    private Path home;
    private Path spool;
    private final Writers writers = new Writers(new Rights.OfUser(1000), 4);
    private Deliverer deliverer;

    @AfterEach
    void noThreadStays() {
        writers.close();
        await().until(() -> writers.threads() == 0);
    }

    @BeforeAll
    static void classesAreLoadedBeforeAThreadIsConfined() {
        Warmup.run();
    }

    @BeforeEach
    void folders() throws Exception {
        home = Files.createDirectory(dir.resolve("home"));
        spool = Files.createDirectory(dir.resolve("mail"));
        Settings settings =
                new Settings(
                        "mx.here.example",
                        spool.toString(),
                        ZoneOffset.UTC,
                        Duration.ofSeconds(20),
                        Duration.ofMillis(200),
                        Duration.ofMillis(300),
                        4);
        deliverer =
                new Deliverer(
                        settings,
                        new Rights.OfUser(1000),
                        writers,
                        InstantSource.fixed(Instant.ofEpochSecond(1_700_000_000L)));
    }

    private Account user() {
        // A made-up uid below which nothing is changed: the rights are our own.
        return new Account("bob", 1000, 1000, home.toString());
    }

    private Job job(MailAddress sender, String tag, Method method) {
        return job(sender, Jobs.BOB, user(), tag, method);
    }

    private Job job(MailAddress sender, MailAddress rcpt, Account who, String tag, Method method) {
        return new Job(
                0xabcL,
                sender,
                rcpt,
                Jobs.BOB,
                who,
                who,
                tag,
                1_700_000_000L,
                false,
                false,
                false,
                method);
    }

    private Verdict run(Job job, String content) throws Exception {
        return run(deliverer, job, content);
    }

    private static Verdict run(Deliverer by, Job job, String content) throws Exception {
        BlockingQueue<Deliverer.Ended> told = new ArrayBlockingQueue<>(1);
        by.deliver(job, Jobs.content(content), List.of(), told::add);
        return told.take().verdict();
    }

    private static Method.Maildir maildir(String path) {
        return new Method.Maildir(Method.Text.raw(path), true);
    }

    private static List<Path> files(Path folder) throws Exception {
        try (Stream<Path> all = Files.walk(folder)) {
            return all.filter(Files::isRegularFile).toList();
        }
    }

    @Test
    void maildirOfTheUserTakesTheMail() throws Exception {
        assertThat(run(job(Jobs.SENDER, "", maildir("")), "Subject: x\n\nhello\n"))
                .isEqualTo(Verdict.OK);
        assertThat(files(home))
                .containsExactly(
                        home.resolve("Maildir/new/1700000000.Q0000000000000abc.mx.here.example"));
    }

    @Test
    void bounceIntoAPathWithItsSenderIsDelivered() throws Exception {
        Method method = maildir("~/by/%{sender.domain}");
        assertThat(run(job(MailAddress.NULL, "", method), "x\n")).isEqualTo(Verdict.OK);
        assertThat(home.resolve("by/_/new")).isDirectory();
        assertThat(files(home).getFirst()).content().startsWith("Return-Path: <>\n");
    }

    @Test
    void climbingPathsAndRelativeOnesFailForGood() throws Exception {
        MailAddress dots = new MailAddress("..", "x");
        assertThat(run(job(dots, "", maildir("~/m/%{sender.user}")), "x\n").esc())
                .isEqualTo("5.3.5");
        assertThat(run(job(dots, "", maildir("m")), "x\n").esc()).isEqualTo("5.3.5");
        assertThat(run(job(dots, "", maildir("/%{nothing}")), "x\n").esc()).isEqualTo("4.3.5");
    }

    @Test
    void spamGoesToJunkBeforeTheTag() throws Exception {
        Files.createDirectories(home.resolve("Maildir/.news"));
        run(job(Jobs.SENDER, "news", maildir("")), "X-Spam: yes\n\n");
        assertThat(home.resolve("Maildir/.Junk/new")).isNotEmptyDirectory();
    }

    @Test
    void aLoopEndsHere() throws Exception {
        assertThat(run(job(Jobs.SENDER, "", maildir("")), "Delivered-To: bob@here.example\n\n"))
                .isEqualTo(new Verdict.Looped());
        assertThat(files(home)).isEmpty();
    }

    @Test
    void addressesThatBreakAHeaderFailForGood() throws Exception {
        MailAddress evil = new MailAddress("a\nX-Evil: 1", "b");
        assertThat(run(job(evil, "", maildir("")), "x\n").esc()).isEqualTo("5.6.0");
    }

    @Test
    void rootGetsNothingButMboxAndOthersNotHere() throws Exception {
        Account root = new Account("root", 0, 0, home.toString());
        for (Method method :
                List.of(
                        maildir(""),
                        new Method.Command(Method.Text.raw("id"), null),
                        new Method.Filename(Method.Text.raw("/tmp/x")))) {
            assertThat(run(job(Jobs.SENDER, Jobs.BOB, root, "", method), "x\n").text())
                    .isEqualTo("not allowed to deliver to: root");
        }
        Account eve = new Account("eve", 1001, 1001, home.toString());
        assertThat(run(job(Jobs.SENDER, Jobs.BOB, eve, "", maildir("")), "x\n").esc())
                .isEqualTo("5.7.1");
    }

    @Test
    void lockedMailboxIsWaitedForAndThenDeferred() throws Exception {
        Account me = Jobs.me(home.toString());
        Deliverer own =
                new Deliverer(
                        Settings.of("h", spool.toString()),
                        new Rights.OfUser(me.uid()),
                        writers,
                        InstantSource.system());
        Path lock =
                Files.writeString(spool.resolve("bob.lock"), ProcessHandle.current().pid() + "\n");
        Thread opener =
                Thread.ofPlatform()
                        .start(
                                () -> {
                                    await().pollDelay(Duration.ofMillis(200))
                                            .until(() -> Files.deleteIfExists(lock));
                                });
        Job job = job(Jobs.SENDER, Jobs.BOB, me, "", new Method.Mbox());
        assertThat(run(own, job, "x\n")).isEqualTo(Verdict.OK);
        opener.join();
        Files.writeString(lock, ProcessHandle.current().pid() + "\n");
        assertThat(run(job(Jobs.SENDER, "", new Method.Mbox()), "x\n").text())
                .isEqualTo("mailbox locked");
    }

    @Test
    void aLinkOutOfTheHomeLeadsNowhere() throws Exception {
        org.junit.jupiter.api.Assumptions.assumeTrue(Reach.missing().isEmpty());
        Path victim = Files.createDirectory(dir.resolve("victim"));
        Files.createSymbolicLink(home.resolve("Maildir"), victim);
        Verdict verdict = run(job(Jobs.SENDER, "", maildir("")), "x\n");
        assertThat(verdict).isInstanceOf(Verdict.Temporary.class);
        assertThat(verdict.text()).contains("ermission denied");
        assertThat(victim).isEmptyDirectory();
    }

    @Test
    void aRootOutsideTheHomeIsReached() throws Exception {
        assertThat(run(job(Jobs.SENDER, "", maildir(dir + "/srv/bob/Maildir")), "x\n"))
                .isEqualTo(Verdict.OK);
        assertThat(dir.resolve("srv/bob/Maildir/new")).isNotEmptyDirectory();
    }

    @Test
    void nullDeviceTakesEverything() throws Exception {
        Method method = new Method.Filename(Method.Text.raw("/dev/null"));
        assertThat(run(job(Jobs.SENDER, "", method), "x\n")).isEqualTo(Verdict.OK);
    }

    @Test
    void commandGetsWrappedAndTheSenderCannotAddToIt() throws Exception {
        MailAddress evil = new MailAddress("`touch pwned`;$(touch pwned)", "y");
        Method method =
                new Method.Command(Method.Text.raw("echo %{sender} > out"), "true && %{mda}");
        assertThat(run(job(evil, "", method), "x\n")).isEqualTo(Verdict.OK);
        assertThat(home.resolve("pwned")).doesNotExist();
        assertThat(home.resolve("out")).hasContent(":touch:pwned::::touch:pwned:@y\n");
    }

    @Test
    void aHangingFileSystemLeavesItsThreadBehind() throws Exception {
        Path fifo = home.resolve("Maildir");
        Files.createDirectories(fifo.resolve("tmp"));
        RecipientThread<Verdict> thread =
                new RecipientThread<>(
                        "dlv-test",
                        () -> {},
                        () -> {
                            java.util.concurrent.locks.LockSupport.parkNanos(400_000_000L);
                            return Verdict.OK;
                        });
        assertThat(thread.runUntil(System.nanoTime() + 20_000_000L)).isFalse();
        thread.thread().join();
    }
}
