package smtpd.mta.session;

/**
 * How a session ended.
 *
 * @param phase where it stood
 * @param text the error line for mail that could not be sent because of it; empty when all was well
 * @param reply what the peer refused us with; null when no reply did
 * @param wasReady true when it got as far as being able to take mail
 * @param mails transactions made
 */
public record SessionEnd(
        Cause cause, Phase phase, String text, Reply reply, boolean wasReady, int mails) {

    /** What ended it. */
    public enum Cause {
        /** Our own QUIT after the work was done. */
        QUIT,
        /** An idle session that the peer closed; nobody suffers. */
        IDLE,
        /** Refused, unreachable, lost. */
        NETWORK,
        TIMEOUT,
        GARBAGE,
        /** A reply refused us before any mail, or 421 later. */
        REFUSED,
        /** The local address cannot be used. */
        SOURCE,
        /** No descriptor or memory here: says nothing about the peer. */
        RESOURCE,
        /** We talk to ourselves. */
        OURSELVES,
        /** Ten mails in a row, none taken. */
        REJECTS_ALL,
        /** Too many refused recipients in a row. */
        TOO_MANY_FAILURES,
        /** We were told to stop. */
        STOPPED
    }
}
