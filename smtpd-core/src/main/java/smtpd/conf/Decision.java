package smtpd.conf;

/** What a rule says about mail that fulfils its conditions. */
public sealed interface Decision {

    /** Refused for good. */
    record Reject() implements Decision {}

    /** Accepted. */
    record Accept(Action action) implements Decision {}
}
