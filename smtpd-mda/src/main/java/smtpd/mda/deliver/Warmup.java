package smtpd.mda.deliver;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import smtpd.mail.MailAddress;
import smtpd.sys.Identity;

/**
 * One delivery of each kind that writes files, into a folder that is then removed: afterwards every
 * class and every native call that a thread needs as the recipient has been loaded with mda's own
 * identity.
 */
public final class Warmup {

    private static final long PATIENCE_NANOS = 5_000_000_000L;

    private Warmup() {}

    /** Best effort: what cannot be warmed loads later, which is slower but works. */
    public static void run() {
        try {
            Path folder = Files.createTempDirectory("smtpd-mda");
            try {
                deliverInto(folder);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } finally {
                remove(folder);
            }
        } catch (IOException | UncheckedIOException e) {
            // no folder to write in: nothing to warm up with
        }
    }

    private static void deliverInto(Path folder) throws InterruptedException {
        Account me = new Account("warmup", Identity.euid(), Identity.egid(), folder.toString());
        MailAddress address = new MailAddress("warmup", "localhost");
        byte[] bytes = {'x', '\n'};
        CRC32C sum = new CRC32C();
        sum.update(bytes);
        Content content = Content.of(bytes, 0, bytes.length, (int) sum.getValue());
        Job job =
                new Job(
                        0,
                        address,
                        address,
                        address,
                        me,
                        me,
                        "",
                        0,
                        true,
                        false,
                        false,
                        new Method.Mbox());
        byte[] headers = Preamble.headers(job);
        Maildir maildir = maildir(folder, me, headers, content);
        Maildir again = maildir(folder, me, headers, content);
        FileDelivery file = new FileDelivery(folder + "/mbox", new byte[0], headers, content);
        Content damaged = Content.of(bytes, 0, bytes.length, 0);
        FileDelivery torn = new FileDelivery(folder + "/mbox", new byte[0], headers, damaged);
        Backend[] backends = {maildir, again, file, torn};
        // First free, so that every class is there; then confined, as the real ones will be.
        for (Backend backend : backends) {
            new RecipientThread<>("dlv-warmup", () -> {}, () -> alone(backend))
                    .runUntil(System.nanoTime() + PATIENCE_NANOS);
        }
        Reach reach = Reach.of(folder.toString());
        try (Writers writers = new Writers(Rights.OfUser.own(), 1)) {
            CountDownLatch told = new CountDownLatch(backends.length);
            long deadline = System.nanoTime() + PATIENCE_NANOS;
            for (Backend backend : List.of(maildir(folder, me, headers, content), file, torn)) {
                writers.submit(new Write(me, reach, backend, deadline, _ -> told.countDown()));
            }
            writers.submit(
                    new Write(
                            me,
                            reach,
                            maildir(folder, me, headers, content),
                            deadline,
                            _ -> told.countDown()));
            told.await(2 * PATIENCE_NANOS, TimeUnit.NANOSECONDS);
        }
    }

    private static Maildir maildir(Path folder, Account me, byte[] headers, Content content) {
        return Maildir.of(
                new Maildir.Order(
                        new MaildirPlace(folder + "/Maildir", me.home(), me.uid(), null, false),
                        "0.Q.x",
                        true,
                        headers,
                        content,
                        true,
                        0));
    }

    private static Verdict alone(Backend backend) {
        try (Desk desk = new Desk()) {
            desk.begin(true);
            backend.start(desk);
            backend.sync(desk);
            Verdict verdict = backend.finish(desk);
            desk.end();
            return verdict;
        }
    }

    private static void remove(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            all.sorted(Comparator.reverseOrder())
                    .forEach(
                            path -> {
                                try {
                                    Files.delete(path);
                                } catch (IOException e) {
                                    throw new UncheckedIOException(e);
                                }
                            });
        }
    }
}
