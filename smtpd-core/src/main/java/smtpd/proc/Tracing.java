package smtpd.proc;

import smtpd.log.Logging;

/** Puts the masks that an operator switched in force in this process. */
final class Tracing {

    private Tracing() {}

    static void apply(long mask, boolean verbose) {
        Logging.trace(mask);
        Logging.verbose(verbose);
    }
}
