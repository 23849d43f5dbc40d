package smtpd.conf;

/** The message for what the language knows and this version does not carry out. */
final class NotYet {

    private NotYet() {}

    /** Refused, never ignored: whoever wrote it relies on it. */
    static Refusal refusal(Position at, String what) {
        return new Refusal(
                at, "\"" + what + "\" is not effective yet in this version", "remove it");
    }
}
