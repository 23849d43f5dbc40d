package smtpd.parent;

import java.util.Optional;
import smtpd.conf.Accounts;
import smtpd.imsg.Role;
import smtpd.sys.Identity;
import smtpd.sys.SysException;
import smtpd.sys.User;
import smtpd.sys.Users;

/**
 * Which account each process becomes. Started by a plain user, nobody becomes anybody.
 *
 * @param daemon uid and gid of all children but queue and mda; null without root
 * @param queue uid and gid of the queue, and the service identity of delivery threads
 */
record Identities(User daemon, User queue) {

    /**
     * Looks the accounts up when we are root.
     *
     * @throws StartFailure naming the command that creates a missing one
     */
    static Identities current() throws StartFailure {
        if (Identity.euid() != 0) {
            return new Identities(null, null);
        }
        String daemon = System.getProperty("smtpd.user", Accounts.DAEMON);
        String queue = System.getProperty("smtpd.queue-user", Accounts.QUEUE);
        return new Identities(account(daemon), account(queue));
    }

    private static User account(String name) throws StartFailure {
        try {
            Optional<User> user = Users.byName(name);
            if (user.isEmpty()) {
                throw new StartFailure(
                        "account "
                                + name
                                + " is missing; create it with: useradd --system --user-group"
                                + " --home-dir /var/empty --no-create-home --shell"
                                + " /usr/sbin/nologin "
                                + name);
            }
            if (user.get().uid() == 0) {
                throw new StartFailure("account " + name + " must not have uid 0");
            }
            return user.get();
        } catch (SysException e) {
            throw new StartFailure("account " + name + ": " + e.getMessage());
        }
    }

    boolean isRoot() {
        return daemon != null;
    }

    /** The account a child drops to; null for those that keep theirs. */
    User of(Role role) {
        return role == Role.MDA || role == Role.PARENT ? null : role == Role.QUEUE ? queue : daemon;
    }
}
