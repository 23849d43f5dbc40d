package smtpd.mda.deliver;

import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32C;
import smtpd.mail.MailAddress;

/** Jobs and contents for tests: one user who is whoever runs them. */
final class Jobs {

    static final MailAddress SENDER = new MailAddress("ann", "far.example");
    static final MailAddress BOB = new MailAddress("bob", "here.example");

    private Jobs() {}

    static Account me(String home) {
        return new Account("bob", (int) uid(), (int) gid(), home);
    }

    static long uid() {
        return id("Uid:");
    }

    static long gid() {
        return id("Gid:");
    }

    private static long id(String key) {
        try {
            for (String line :
                    java.nio.file.Files.readAllLines(java.nio.file.Path.of("/proc/self/status"))) {
                if (line.startsWith(key)) {
                    return Long.parseLong(line.split("\\s+")[2]);
                }
            }
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
        throw new IllegalStateException(key);
    }

    static Job job(String home, Method method) {
        return job(SENDER, BOB, BOB, home, "", method);
    }

    static Job job(
            MailAddress sender,
            MailAddress rcpt,
            MailAddress dest,
            String home,
            String tag,
            Method method) {
        return new Job(
                0x0123456789abcdefL,
                sender,
                rcpt,
                dest,
                me(home),
                me(home),
                tag,
                1_700_000_000L,
                false,
                false,
                false,
                method);
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    static Content content(String text) {
        return content(bytes(text));
    }

    static Content content(byte[] bytes) {
        return Content.of(bytes, 0, bytes.length, sum(bytes));
    }

    static int sum(byte[] bytes) {
        CRC32C sum = new CRC32C();
        sum.update(bytes);
        return (int) sum.getValue();
    }

    /** Takes all steps of a delivery on this thread. */
    static Verdict deliver(Backend backend) {
        try (Desk desk = new Desk()) {
            desk.begin(false);
            backend.start(desk);
            backend.sync(desk);
            return backend.finish(desk);
        }
    }
}
