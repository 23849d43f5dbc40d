package smtpd.scheduler;

/** Work on many rows, cut into pieces that fit a turn. */
interface Job {

    /** Rows of one piece. */
    int PIECE = 256;

    /**
     * Does the next piece.
     *
     * @param now Unix seconds
     * @return true when nothing is left
     */
    boolean step(long now);
}
