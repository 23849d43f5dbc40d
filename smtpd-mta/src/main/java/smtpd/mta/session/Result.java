package smtpd.mta.session;

/**
 * What became of one recipient.
 *
 * @param esc enhanced status code
 * @param text the error line: {@code CODE ESC text}, the peer's own words where it spoke
 * @param sent true when the content was sent and its reply lost: the peer may have taken it
 */
public record Result(Kind kind, Reason reason, String esc, String text, boolean sent) {

    /** The four ends of an attempt. */
    public enum Kind {
        DELIVERED,
        DEFERRED,
        FAILED,
        LOOPED
    }

    public static final Result LOOP =
            new Result(Kind.LOOPED, Reason.NONE, "5.4.6", "554 5.4.6 Loop detected", false);

    static Result delivered(Reply reply) {
        return new Result(Kind.DELIVERED, Reason.NONE, reply.status(), reply.text(), false);
    }

    /**
     * @param text {@code CODE ESC text}; the status code is taken from it
     */
    public static Result deferred(Reason reason, String text) {
        return new Result(Kind.DEFERRED, reason, esc(text), text, false);
    }

    /**
     * @param text {@code CODE ESC text}; the status code is taken from it
     */
    public static Result failed(String text) {
        return new Result(Kind.FAILED, Reason.NONE, esc(text), text, false);
    }

    Result afterContent() {
        return new Result(kind, reason, esc, text, true);
    }

    private static String esc(String text) {
        int end = text.indexOf(' ', 4);
        return end < 0 ? text.charAt(0) + ".0.0" : text.substring(4, end);
    }
}
