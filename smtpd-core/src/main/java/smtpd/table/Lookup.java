package smtpd.table;

/** The answer of a table. */
public sealed interface Lookup {

    Lookup NOT_FOUND = new NotFound();

    /**
     * @param value the value as written; the entry itself for a list
     */
    record Found(String value) implements Lookup {}

    /** A clean no: false condition, unknown user. */
    record NotFound() implements Lookup {}

    /**
     * No answer could be had, which is temporary for mail and never a no.
     *
     * @param why text for the log
     */
    record Failed(String why) implements Lookup {}
}
