package smtpd.imsg;

/**
 * The end of a request, as it crosses a process edge. No exception and no boolean success does.
 * Storage trouble and lost peers are never permanent.
 */
public sealed interface Outcome permits Outcome.Ok, Outcome.Temporary, Outcome.Permanent {

    static Ok ok() {
        return new Ok();
    }

    record Ok() implements Outcome {}

    /**
     * Try again later.
     *
     * @param reply one SMTP reply line without CR, LF, NUL, starting with its 4yz code; may be
     *     empty where the asker has the text
     * @param esc enhanced status code, {@code 4.x.y} (RFC 3463); may be empty
     */
    record Temporary(@Max(2047) String reply, @Max(255) String esc) implements Outcome {}

    /**
     * Proven to fail for good.
     *
     * @param reply one SMTP reply line, starting with its 5yz code; may be empty
     * @param esc enhanced status code, {@code 5.x.y}; may be empty
     */
    record Permanent(@Max(2047) String reply, @Max(255) String esc) implements Outcome {}

    default boolean isOk() {
        return this instanceof Ok;
    }
}
