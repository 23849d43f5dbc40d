package smtpd.ctl;

/** Exit statuses. */
final class Exit {
    static final int OK = 0;

    /** The daemon refused, or nothing matched. */
    static final int FAILED = 1;

    static final int COMMAND_LINE = 2;
    static final int NOT_PERMITTED = 3;
    static final int NOT_RUNNING = 4;
    static final int PROTOCOL = 5;

    /** The connection broke: nobody knows what became of the order (EX_TEMPFAIL). */
    static final int LOST = 75;

    private Exit() {}
}
