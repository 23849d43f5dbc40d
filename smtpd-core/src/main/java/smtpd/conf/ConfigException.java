package smtpd.conf;

import java.util.List;

/** A configuration that cannot be used, with everything that is wrong with it. */
public final class ConfigException extends Exception {

    private static final long serialVersionUID = 1L;

    private final transient List<ConfigError> errors;

    public ConfigException(List<ConfigError> errors) {
        super(text(errors));
        this.errors = List.copyOf(errors);
    }

    /** Errors and warnings in the order of the text. */
    public List<ConfigError> errors() {
        return errors;
    }

    private static String text(List<ConfigError> errors) {
        StringBuilder all = new StringBuilder();
        for (ConfigError error : errors) {
            if (error.isError()) {
                all.append(all.isEmpty() ? "" : "\n").append(error);
            }
        }
        return all.toString();
    }
}
