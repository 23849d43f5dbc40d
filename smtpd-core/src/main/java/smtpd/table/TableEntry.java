package smtpd.table;

import java.util.Optional;

/**
 * One line of a table.
 *
 * @param key the key, or the whole entry of a list
 * @param value present in a mapping only
 */
public record TableEntry(String key, Optional<String> value) {

    public static TableEntry item(String text) {
        return new TableEntry(text, Optional.empty());
    }

    public static TableEntry pair(String key, String value) {
        return new TableEntry(key, Optional.of(value));
    }
}
