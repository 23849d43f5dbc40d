package smtpd.sys;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * What a child is confined to from its first instruction. The uid is not part of it: a thread of
 * the root parent that took the child's uid could be killed from that uid, and the parent with it.
 * The child drops by itself.
 *
 * @param landlock its files and ports
 * @param filter the first stage, see {@link Seccomp#stage1}
 * @param keep capabilities that stay in its bounding set
 */
public record Sandbox(Landlock landlock, Seccomp filter, Set<Capability> keep) {

    public Sandbox {
        keep = Set.copyOf(keep);
    }

    /** For a child that drops its identity itself. */
    public static Sandbox of(Landlock landlock) {
        return new Sandbox(
                landlock, Seccomp.stage1(), EnumSet.of(Capability.SETUID, Capability.SETGID));
    }

    /** For mda, which stays uid 0 to become any recipient. */
    public static Sandbox ofDelivery(Landlock landlock) {
        return new Sandbox(
                landlock,
                Seccomp.stage1(),
                EnumSet.of(
                        Capability.SETUID,
                        Capability.SETGID,
                        Capability.CHOWN,
                        Capability.DAC_OVERRIDE,
                        Capability.FOWNER,
                        Capability.KILL));
    }

    /** The sandbox ready for one thread, made with full rights. */
    Ready prepare() throws SysException {
        return new Ready(landlock.prepare(), filter.prepare(), keep);
    }

    /** See {@link #prepare}. */
    record Ready(Landlock.Ruleset rules, Seccomp.Filter filter, Set<Capability> keep)
            implements AutoCloseable {

        /** On the thread that will spawn; gives what the kernel lacks. */
        List<String> enter() throws SysException {
            Identity.noNewPrivileges();
            if (Identity.euid() == 0) {
                Capability.bound(keep);
            }
            rules.restrict();
            String refused = filter.installOnThread().orElse(null);
            if (refused == null) {
                return rules.missing();
            }
            var missing = new ArrayList<>(rules.missing());
            missing.add(refused);
            return missing;
        }

        @Override
        public void close() {
            rules.close();
        }
    }
}
