package smtpd.conf;

import smtpd.table.TableRef;

/** What replaces a recipient of a local action. */
public sealed interface Expansion {

    /** Nothing: the local part is the user. */
    record None() implements Expansion {}

    /**
     * Maps users; a user that is not in it stays.
     *
     * @param table mapping
     */
    record Alias(TableRef table) implements Expansion {}

    /**
     * Maps addresses; one that is not in it is refused.
     *
     * @param table mapping
     */
    record Virtual(TableRef table) implements Expansion {}
}
