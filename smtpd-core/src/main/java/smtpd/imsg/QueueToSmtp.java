package smtpd.imsg;

import java.util.List;
import smtpd.envelope.Msgid;

/** What the queue answers smtp. */
public sealed interface QueueToSmtp extends ToSmtp {

    enum StorageReason {
        NONE,
        SPACE,
        INODES,
        IO,
        LOADING,
        STORAGE
    }

    /** The envelopes of one RCPT are staged, or could not be. */
    record RecipientStored(
            int no, int rcptNo, Msgid msgid, @Max(1024) List<Integer> lows, Outcome outcome)
            implements QueueToSmtp {}

    /** Answer to OpenContent; a descriptor, write-only, comes along when it is Ok. */
    record ContentFile(int no, Outcome outcome) implements QueueToSmtp {}

    /** Ok: durable, say 250. */
    record MessageCommitted(int no, Msgid msgid, Outcome outcome) implements QueueToSmtp {}

    /** Lets smtp answer MAIL without a hop. */
    record StateNote(boolean accepting, StorageReason reason) implements QueueToSmtp {}
}
