package smtpd.conf;

/** The system accounts of the processes. */
public final class Accounts {

    /** All children but queue and mda. */
    public static final String DAEMON = "_smtpd";

    /** The queue, and the service identity of delivery threads. */
    public static final String QUEUE = "_smtpq";

    private Accounts() {}
}
