package smtpd.proc;

/** Puts the masks that an operator switched in force in this process. */
final class Tracing {

    private Tracing() {}

    static void apply(long mask, long profileMask, boolean verbose) {}
}
