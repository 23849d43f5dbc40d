package smtpd.imsg;

/** What the parent tells smtp alone. */
public sealed interface ParentToSmtp extends ToSmtp {

    /**
     * A listening socket; its descriptor comes with the frame.
     *
     * @param id index of the listener in the configuration {@code configId}; -1 is the local
     *     submission socket
     */
    record ListenerSocket(long configId, int id, SocketAddr address) implements ParentToSmtp {}

    /** A listener of an earlier configuration that the new one does not have. */
    record ListenerGone(SocketAddr address) implements ParentToSmtp {}
}
