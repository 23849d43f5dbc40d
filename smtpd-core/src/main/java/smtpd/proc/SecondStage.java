package smtpd.proc;

import java.util.Optional;
import smtpd.imsg.Role;
import smtpd.sys.Seccomp;

/**
 * The second seccomp filter of a child, on all its threads, in the first lines of {@code main}:
 * what it needed to get this far and never again.
 */
final class SecondStage {

    private SecondStage() {}

    /** Puts it in force; returns what the kernel lacks. */
    static Optional<String> enter(Role role) {
        Seccomp filter = Seccomp.stage2();
        if (role == Role.MDA) {
            return Optional.empty(); // becomes any recipient, starts commands, ends their groups
        }
        filter.denyIdentity().denySignals();
        if (role != Role.LKA) {
            filter.denyExec(); // lka starts table programs
        }
        if (role == Role.QUEUE
                || role == Role.SCHEDULER
                || role == Role.CONTROL
                || role == Role.MFA
                || role == Role.SMTP) {
            filter.denyInternetSockets(); // smtp accepts on sockets of the parent
        }
        return filter.prepare().installOnProcess();
    }
}
