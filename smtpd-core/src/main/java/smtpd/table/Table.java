package smtpd.table;

import java.util.List;

/** A table whose content is in memory, so that a look-up answers at once. */
public interface Table {

    /** Longest key in bytes of UTF-8; a longer one cannot be looked up. */
    int MAX_KEY = 1023;

    TableRef ref();

    TableKind kind();

    /**
     * Searches one key.
     *
     * @param key as {@link Service} says; upper and lower case are the same
     */
    Lookup find(Service service, String key);

    /**
     * The entries (list) or keys (mapping) in the order of the text, for services that take turns.
     */
    List<String> entries();
}
