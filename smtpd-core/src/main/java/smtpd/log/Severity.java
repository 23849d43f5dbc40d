package smtpd.log;

import ch.qos.logback.classic.Level;

/** Severities of syslog(3). Warnings count as errors there, as in every earlier smtpd. */
final class Severity {
    static final int CRITICAL = 2;
    static final int WARNING = 3;
    static final int INFO = 6;
    static final int DEBUG = 7;

    private Severity() {}

    static int of(Level level) {
        if (level.isGreaterOrEqual(Level.ERROR)) {
            return CRITICAL;
        }
        if (level.isGreaterOrEqual(Level.WARN)) {
            return WARNING;
        }
        return level.isGreaterOrEqual(Level.INFO) ? INFO : DEBUG;
    }

    static String word(int severity) {
        return switch (severity) {
            case CRITICAL -> "crit ";
            case WARNING -> "warn ";
            case INFO -> "info ";
            default -> "debug ";
        };
    }
}
