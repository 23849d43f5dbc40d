package smtpd.mda.deliver;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
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
        Maildir maildir =
                Maildir.of(
                        new Maildir.Order(
                                folder + "/Maildir",
                                me.home(),
                                me.uid(),
                                null,
                                false,
                                "0.Q.x",
                                true,
                                Preamble.headers(job),
                                content,
                                true,
                                0));
        FileDelivery file =
                new FileDelivery(folder + "/mbox", new byte[0], Preamble.headers(job), content);
        Content damaged = Content.of(bytes, 0, bytes.length, 0);
        FileDelivery torn =
                new FileDelivery(folder + "/mbox", new byte[0], Preamble.headers(job), damaged);
        Reach reach = Reach.of(folder.toString());
        Backend[] backends = {maildir, maildir, file, torn};
        // First free, so that every class is there; then confined, as the real ones will be.
        for (Backend backend : backends) {
            run(() -> {}, backend);
        }
        for (Backend backend : backends) {
            run(reach::confine, backend);
        }
    }

    private static void run(RecipientThread.Become become, Backend backend)
            throws InterruptedException {
        new RecipientThread<>("dlv-warmup", become, backend::deliver)
                .runUntil(System.nanoTime() + 5_000_000_000L);
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
