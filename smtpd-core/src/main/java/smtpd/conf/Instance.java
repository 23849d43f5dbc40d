package smtpd.conf;

import java.nio.file.Path;

/**
 * Where one daemon lives: the classic places of the system, or all below one folder ({@code -r
 * DIR}), so that several run beside each other.
 *
 * @param isPrivate true for {@code -r DIR}
 * @param configFile default {@code smtpd.conf}
 * @param aliases default aliases file
 * @param mailname file whose first line is the server name
 * @param spool root of the queue
 * @param socket control socket; also the lock against a second daemon
 * @param submission socket that takes mail of local users
 * @param pidFile number of the parent process
 * @param state what survives restarts beside the queue
 */
public record Instance(
        boolean isPrivate,
        Path configFile,
        Path aliases,
        Path mailname,
        Path spool,
        Path socket,
        Path submission,
        Path pidFile,
        Path state) {

    /** sun_path of unix(7) holds 108 bytes with the closing NUL. */
    public static final int MAX_SOCKET_PATH = 107;

    /** The places of the system. */
    public static Instance system() {
        return new Instance(
                false,
                Path.of("/etc/mail/smtpd.conf"),
                Path.of("/etc/mail/aliases"),
                Path.of("/etc/mail/mailname"),
                Path.of("/var/spool/smtpd"),
                Path.of("/var/run/smtpd.sock"),
                Path.of("/var/run/smtpd.submit"),
                Path.of("/var/run/smtpd.pid"),
                Path.of("/var/lib/smtpd"));
    }

    /**
     * Everything below {@code dir}.
     *
     * @param dir made absolute
     * @throws IllegalArgumentException when a socket below it would pass {@link #MAX_SOCKET_PATH}
     */
    public static Instance at(Path dir) {
        Path root = dir.toAbsolutePath().normalize();
        Instance made =
                new Instance(
                        true,
                        root.resolve("smtpd.conf"),
                        root.resolve("aliases"),
                        root.resolve("mailname"),
                        root.resolve("spool"),
                        root.resolve("smtpd.sock"),
                        root.resolve("smtpd.submit"),
                        root.resolve("smtpd.pid"),
                        root.resolve("state"));
        int length =
                made.submission.toString().getBytes(java.nio.charset.StandardCharsets.UTF_8).length;
        if (length > MAX_SOCKET_PATH) {
            throw new IllegalArgumentException(
                    root
                            + ": the path of the submission socket would have "
                            + length
                            + " bytes, a socket path holds "
                            + MAX_SOCKET_PATH);
        }
        return made;
    }

    /** Mail queued by {@code sendmail} while the daemon was down. */
    public Path offline() {
        return spool.resolve("offline");
    }
}
