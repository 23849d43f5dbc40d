package smtpd.queue.backend;

/** A store cannot be opened; the message is for the operator. */
public final class BackendException extends Exception {

    private static final long serialVersionUID = 1L;

    public BackendException(String message) {
        super(message);
    }

    public BackendException(String message, Throwable cause) {
        super(message, cause);
    }
}
