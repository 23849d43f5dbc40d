package smtpd.ctl;

/** The end of the command with a message on standard error. */
final class Failure extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final int status;

    /**
     * @param status one of {@link Exit}
     * @param message may be empty: then nothing is printed
     */
    Failure(int status, String message) {
        super(message, null, false, false);
        this.status = status;
    }

    int status() {
        return status;
    }
}
