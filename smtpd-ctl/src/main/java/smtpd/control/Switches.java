package smtpd.control;

import java.util.EnumSet;
import java.util.Set;
import smtpd.imsg.ControlToChild;
import smtpd.imsg.ParentToChild;
import smtpd.imsg.Role;

/**
 * What an operator switched: pauses, traces, profiles, the log level. This process is its only
 * owner; the parent keeps a copy for those it starts.
 */
final class Switches {

    private final Set<Role> paused = EnumSet.noneOf(Role.class);
    private long trace;
    private long profile;
    private boolean verbose;
    private boolean touched;

    /** As the parent kept it over a restart of this process, or as the command line said. */
    void begin(ParentToChild.RunState kept) {
        paused.clear();
        put(Role.SMTP, kept.smtpPaused());
        put(Role.MTA, kept.mtaPaused());
        put(Role.MDA, kept.mdaPaused());
        trace = kept.traceMask();
        profile = kept.profileMask();
        verbose = kept.verbose();
    }

    private void put(Role service, boolean isPaused) {
        if (isPaused) {
            paused.add(service);
        } else {
            paused.remove(service);
        }
    }

    boolean isPaused(Role service) {
        return paused.contains(service);
    }

    /** False when it was so already. */
    boolean pause(Role service, boolean on) {
        boolean changed = isPaused(service) != on;
        put(service, on);
        touched |= changed;
        return changed;
    }

    void trace(long bits, boolean on) {
        trace = on ? trace | bits : trace & ~bits;
        touched = true;
    }

    void profile(long bits, boolean on) {
        profile = on ? profile | bits : profile & ~bits;
        touched = true;
    }

    /** Leaves the traces alone: verbose and brief are about debug lines only. */
    void verbose(boolean on) {
        verbose = on;
        touched = true;
    }

    /**
     * Something changed since birth, so a process that is born now may have been given an older
     * state by the parent.
     */
    boolean isTouched() {
        return touched;
    }

    ControlToChild.TraceState traceState() {
        return new ControlToChild.TraceState(trace, profile, verbose);
    }

    ParentToChild.RunState runState() {
        return new ParentToChild.RunState(
                isPaused(Role.SMTP),
                isPaused(Role.MTA),
                isPaused(Role.MDA),
                trace,
                profile,
                verbose);
    }
}
