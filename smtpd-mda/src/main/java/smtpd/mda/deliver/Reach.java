package smtpd.mda.deliver;

import java.util.List;
import smtpd.sys.At;
import smtpd.sys.Fd;
import smtpd.sys.Identity;
import smtpd.sys.Landlock;
import smtpd.sys.Open;
import smtpd.sys.SysException;

/**
 * The folders one delivery may write below; everything else is closed to its thread. A link in a
 * hostile home that points elsewhere then leads nowhere (EACCES), whoever owns the target.
 */
public record Reach(List<String> folders) {

    /** Only what is open already. */
    static final Reach NOTHING = new Reach(List.of());

    /** These folders, or what stands nearest above those that are not there yet. */
    static Reach of(String... folders) {
        return new Reach(List.of(folders));
    }

    /**
     * The home, and {@code target} only when it is outside: what is inside may be a link of the
     * user's, and a rule would follow it.
     */
    static Reach ofUser(Account account, String target) {
        String home = account.home();
        boolean inside = target.equals(home) || target.startsWith(home + "/");
        return inside ? of(home) : of(home, target);
    }

    /** What this kernel cannot promise, for the log. */
    public static List<String> missing() {
        int abi = Landlock.abi();
        return abi >= 2
                ? List.of()
                : List.of("deliveries are not confined: Landlock ABI " + abi + ", 2 is needed");
    }

    /**
     * Binds the calling thread for good. With mda's own rights, before it becomes the recipient: a
     * folder that hangs holds this thread and no other.
     */
    void confine() throws SysException {
        Identity.noNewPrivileges();
        Landlock rules = new Landlock().movesFiles();
        for (String folder : folders) {
            rules.readWrite(existing(folder));
        }
        try (Landlock.Ruleset set = rules.prepare()) {
            set.restrict();
        }
    }

    private static String existing(String folder) {
        String path = folder;
        while (path.length() > 1) {
            int fd = At.tryOpen(At.CWD, path, Open.PATH | Open.DIRECTORY, 0);
            if (fd >= 0) {
                Fd.closeQuietly(fd);
                return path;
            }
            path = path.substring(0, Math.max(1, path.lastIndexOf('/')));
        }
        return folder; // never the whole tree
    }
}
