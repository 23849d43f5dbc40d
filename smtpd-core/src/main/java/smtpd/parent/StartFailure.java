package smtpd.parent;

/** The daemon cannot start; the text says why and what to do, and goes to the terminal. */
final class StartFailure extends Exception {

    private static final long serialVersionUID = 1L;
    private final int status;

    StartFailure(String message) {
        this(message, 1);
    }

    StartFailure(String message, int status) {
        super(message);
        this.status = status;
    }

    /** Exit status: 1, or 78 for errors of the configuration. */
    int status() {
        return status;
    }
}
