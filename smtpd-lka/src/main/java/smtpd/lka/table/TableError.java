package smtpd.lka.table;

/** A table that cannot be used; the message names file and line. */
public final class TableError extends Exception {

    private static final long serialVersionUID = 1L;

    TableError(String message) {
        super(message, null, false, false);
    }
}
