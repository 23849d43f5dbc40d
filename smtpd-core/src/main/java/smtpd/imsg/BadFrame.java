package smtpd.imsg;

/** Bytes that are no frame of this edge: the edge is closed and its sender accused. */
public final class BadFrame extends Exception {

    private static final long serialVersionUID = 1L;

    public BadFrame(String reason) {
        super(reason, null, false, false);
    }
}
