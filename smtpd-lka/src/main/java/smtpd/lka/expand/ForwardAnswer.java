package smtpd.lka.expand;

/** What became of opening and reading {@code ~/.forward}. */
public sealed interface ForwardAnswer {

    /** There is none. */
    record None() implements ForwardAnswer {}

    /**
     * @param bytes all of it, or {@link Expander#MAX_FORWARD_BYTES} when there is more
     */
    record Content(byte[] bytes) implements ForwardAnswer {}

    /**
     * It could not be read, or somebody else could have written it.
     *
     * @param why for the log
     */
    record Unusable(String why) implements ForwardAnswer {}
}
