package smtpd.imsg;

/** What every child tells the parent. */
public sealed interface ChildToParent extends ToParent {

    /**
     * First frame of a child.
     *
     * @param vocabulary SHA-256 of all record shapes; another one means another jar
     */
    record Hello(Role role, int pid, int generation, byte[] vocabulary) implements ChildToParent {}

    /**
     * Whether an offered configuration can be used.
     *
     * @param reason why not; empty when accepted
     */
    record ConfigAnswer(long configId, boolean accepted, String reason) implements ChildToParent {}

    record Ready(long configId) implements ChildToParent {}

    /** The last session of an old configuration has ended. */
    record ConfigReleased(long configId) implements ChildToParent {}

    record Pong(long n) implements ChildToParent {}

    /** A peer sent nonsense or drowns us: restart it. Naming oneself asks for an own restart. */
    record DropPeer(Role role, String reason) implements ChildToParent {}
}
