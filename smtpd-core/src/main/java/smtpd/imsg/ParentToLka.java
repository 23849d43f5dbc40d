package smtpd.imsg;

/** What the parent answers lka. */
public sealed interface ParentToLka extends ToLka {

    enum ForwardStatus {
        NONE,
        OPEN,
        TEMPORARY,
        UNSAFE
    }

    /**
     * Answer to OpenForward; with {@code OPEN} the descriptor comes along.
     *
     * @param reason for the log when it is not open
     */
    record ForwardFile(ForwardStatus status, String reason) implements ParentToLka {}
}
