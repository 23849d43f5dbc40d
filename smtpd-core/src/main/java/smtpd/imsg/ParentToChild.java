package smtpd.imsg;

/**
 * House-keeping from the parent to every child. It stands first in each receiver, so that these
 * type numbers are the same everywhere.
 */
public sealed interface ParentToChild
        extends ToControl, ToSmtp, ToMfa, ToLka, ToQueue, ToScheduler, ToMta, ToMda {

    /** One end of a fresh edge comes with this frame. Installed when all parts of it are there. */
    enum EdgePart {
        FRAMES,
        DESCRIPTORS
    }

    /**
     * A peer begins or begins anew. Carries the descriptor of one end of the edge.
     *
     * @param role the peer
     * @param generation incarnation of the peer
     * @param parts how many parts (1 or 2) this edge has
     * @param part which of them this is
     */
    record PeerReplaced(Role role, int generation, int parts, EdgePart part)
            implements ParentToChild {}

    /**
     * What an operator switched, kept by the parent so that a restart never silently resumes.
     *
     * @param traceMask bits of {@code smtpd.log.Trace}
     * @param profileMask bits of {@code smtpd.log.Profile}
     * @param verbose debug lines are logged
     */
    record RunState(
            boolean smtpPaused,
            boolean mtaPaused,
            boolean mdaPaused,
            long traceMask,
            long profileMask,
            boolean verbose)
            implements ParentToChild, ControlToParent {}

    /** A configuration, as a sealed memfd that comes with the frame. Answered by ConfigAnswer. */
    record ConfigOffer(long configId) implements ParentToChild {}

    record ConfigActivate(long configId) implements ParentToChild {}

    record ConfigDrop(long configId) implements ParentToChild {}

    /**
     * Stop in order.
     *
     * @param deadlineMillis time left to finish what was begun
     */
    record Stop(long deadlineMillis) implements ParentToChild {}

    record Ping(long n) implements ParentToChild {}
}
