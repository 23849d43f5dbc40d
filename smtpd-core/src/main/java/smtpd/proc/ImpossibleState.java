package smtpd.proc;

/** A defect met at run time: the process logs it and ends, and the parent starts it anew. */
final class ImpossibleState extends RuntimeException {

    private static final long serialVersionUID = 1L;

    ImpossibleState(Throwable cause) {
        super(cause);
    }
}
