package smtpd.mda;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import smtpd.conf.Instance;
import smtpd.sys.Identity;

/** Where system mailboxes are: {@code /var/mail}, or a folder of a private instance's own. */
final class MailFolder {

    private static final Path SYSTEM = Path.of("/var/mail");

    private MailFolder() {}

    static String of(Instance instance) {
        if (Identity.euid() == 0) {
            return SYSTEM.toString();
        }
        Path own = SYSTEM.resolve(System.getProperty("user.name", ""));
        if (Files.isWritable(own)) {
            return SYSTEM.toString();
        }
        Path folder = instance.state().resolve("mbox");
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            // each delivery will say so
        }
        return folder.toString();
    }
}
