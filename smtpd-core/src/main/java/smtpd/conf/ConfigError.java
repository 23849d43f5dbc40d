package smtpd.conf;

/**
 * One problem of a configuration.
 *
 * @param severity errors refuse the configuration, warnings do not
 * @param at where
 * @param message what is wrong
 * @param cure what to write instead; empty when there is nothing to say
 */
public record ConfigError(Severity severity, Position at, String message, String cure) {

    /** How bad it is. */
    public enum Severity {
        ERROR,
        WARNING
    }

    public boolean isError() {
        return severity == Severity.ERROR;
    }

    /** {@code FILE:LINE: [warning: ]message[; cure]}, one line. */
    @Override
    public String toString() {
        StringBuilder line = new StringBuilder(96).append(at).append(": ");
        if (!isError()) {
            line.append("warning: ");
        }
        line.append(message);
        if (!cure.isEmpty()) {
            line.append("; ").append(cure);
        }
        return line.toString();
    }
}
