package smtpd.conf;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Collects what is wrong with one configuration. */
final class Problems {

    /** After so many errors the rest of the text is not read. */
    static final int MAX_ERRORS = 50;

    private static final int MAX_WARNINGS = 500;

    private final List<ConfigError> all = new ArrayList<>();
    private int errors;
    private int warnings;

    void error(Position at, String message, String cure) {
        if (errors < MAX_ERRORS) {
            errors++;
            all.add(new ConfigError(ConfigError.Severity.ERROR, at, message, cure));
        }
    }

    void error(Position at, String message) {
        error(at, message, "");
    }

    void error(Refusal refusal) {
        error(refusal.at(), refusal.getMessage(), refusal.cure());
    }

    void warn(Position at, String message, String cure) {
        if (warnings < MAX_WARNINGS) {
            warnings++;
            all.add(new ConfigError(ConfigError.Severity.WARNING, at, message, cure));
        }
    }

    void warn(Position at, String message) {
        warn(at, message, "");
    }

    boolean hasErrors() {
        return errors > 0;
    }

    boolean isFull() {
        return errors >= MAX_ERRORS;
    }

    /** By file, in the order the files first appear, and line. */
    List<ConfigError> all() {
        List<String> files = all.stream().map(error -> error.at().file()).distinct().toList();
        List<ConfigError> sorted = new ArrayList<>(all);
        sorted.sort(
                Comparator.comparingInt((ConfigError error) -> files.indexOf(error.at().file()))
                        .thenComparingInt(error -> error.at().line()));
        return List.copyOf(sorted);
    }
}
