package smtpd.parent;

import smtpd.conf.Config;
import smtpd.conf.Instance;
import smtpd.imsg.Role;
import smtpd.sys.Landlock;
import smtpd.sys.Sandbox;

/** What each child may touch, from its first instruction: one table a process, as in docs. */
final class Confinement {

    private static final int SMTP_PORT = 25;
    private static final int SMTPS_PORT = 465;
    private static final int SUBMISSION_PORT = 587;
    private static final int LMTP_PORT = 24;
    private static final int DNS_PORT = 53;

    private final Installation installation;
    private final Config config;

    Confinement(Installation installation, Config config) {
        this.installation = installation;
        this.config = config;
    }

    /** The sandbox of a child. */
    Sandbox of(Role role) {
        if (role == Role.MDA) {
            // Commands inherit a domain for good, so each delivery thread takes its own instead.
            return Sandbox.ofDelivery(new Landlock().everything("/"));
        }
        return Sandbox.of(table(role));
    }

    private Landlock table(Role role) {
        Instance instance = config.instance();
        Landlock table = base();
        switch (role) {
            case QUEUE -> table.readWrite(instance.spool().toString()).movesFiles().closeTcp();
            case LKA -> {
                table.readOnly(parent(instance.aliases())).readOnly(parent(instance.configFile()));
                NamedFiles.tables(config).forEach(p -> table.readOnly(parent(p)));
                table.connectTcp(DNS_PORT);
                config.resolvers().forEach(r -> table.connectTcp(r.getPort()));
            }
            case MTA -> {
                // Ports named in the configuration, and the well-known ones of mail.
                for (int port : new int[] {SMTP_PORT, SMTPS_PORT, SUBMISSION_PORT, LMTP_PORT}) {
                    table.connectTcp(port);
                }
                NamedFiles.relayPorts(config).forEach(table::connectTcp);
                table.readWrite(instance.state().resolve("mta").toString());
            }
            default -> table.closeTcp();
        }
        return table;
    }

    /** What any JVM needs to run. */
    private Landlock base() {
        Landlock table =
                new Landlock()
                        .execute(installation.javaHome().toString())
                        .execute("/usr")
                        .execute("/lib")
                        .execute("/lib64")
                        .execute(installation.nativeLibraries().toString())
                        .readOnly("/proc")
                        .readOnly("/dev/urandom")
                        .readOnly("/dev/random")
                        .readOnly("/etc")
                        .readOnly("/run/systemd/resolve")
                        .readOnly("/sys/fs/cgroup")
                        .readOnly("/sys/devices/system/cpu")
                        .readWrite("/dev/null");
        installation.jarFolders().forEach(f -> table.readOnly(f.toString()));
        if (installation.cache() != null) {
            table.readOnly(installation.cache().toAbsolutePath().getParent().toString());
        }
        return table;
    }

    private static String parent(java.nio.file.Path file) {
        return file.toAbsolutePath().getParent().toString();
    }
}
