package smtpd.envelope;

/**
 * An operator suspended the envelope.
 *
 * @param uid who did
 * @param since when, Unix seconds
 */
public record Hold(long uid, long since) {

    public Hold {
        if (uid < 0 || since < 0) {
            throw new IllegalArgumentException("negative uid or time of a hold");
        }
    }

    /** {@code suspended UID SECONDS}, as in the envelope text. */
    @Override
    public String toString() {
        return "suspended " + uid + " " + since;
    }
}
