package smtpd.scheduler;

/** Why a row is in a ready list, in the order in which batches take turns. */
enum Kind {
    REMOVED,
    EXPIRED,
    BOUNCE,
    MDA,
    MTA;

    static final int COUNT = values().length;

    int bit() {
        return 1 << ordinal();
    }
}
