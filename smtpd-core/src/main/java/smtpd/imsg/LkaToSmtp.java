package smtpd.imsg;

/** What lka answers smtp. */
public sealed interface LkaToSmtp extends ToSmtp permits LkaToSmtp.RecipientRefused, ReverseName {

    enum Refusal {
        RELAY_DENIED,
        UNKNOWN_USER,
        EXPANSION,
        TABLE,
        CONFIG,
        /** The text of an {@code error:} entry, in the outcome. */
        ERROR
    }

    /** No envelope was made for this recipient. */
    record RecipientRefused(int no, int rcptNo, Refusal reason, Outcome outcome)
            implements LkaToSmtp {}
}
