package smtpd.imsg;

import java.util.List;
import smtpd.envelope.Msgid;

/** What the queue tells mta and mda alike. */
public sealed interface QueueToAgent extends QueueToMta, QueueToMda {

    /** Where the content of a hand-over is. */
    enum ContentForm {
        /** In this frame. */
        INLINE,
        /** A fresh read-only descriptor comes with this frame. */
        DESCRIPTOR,
        /** Came with an earlier hand-over that this agent still holds. */
        KNOWN,
        /** Ask with OpenMessage when the session starts. */
        ASK
    }

    /**
     * Envelopes of one message, to be delivered.
     *
     * @param size bytes of the content
     * @param crc32c CRC-32C of it
     * @param lines number of LF in it
     */
    record Transfer(
            Msgid msgid,
            List<StoredEnvelope> envelopes,
            ContentForm form,
            Content content,
            long size,
            int crc32c,
            long lines)
            implements QueueToAgent {}

    /** Answer to OpenMessage: Ok with the bytes, or with a descriptor that comes along. */
    record MessageFile(Msgid msgid, Outcome outcome, ContentForm form, Content content)
            implements QueueToAgent {}

    /** How much content this agent may hold at once. */
    record HandoverCredit(int descriptors, long bytes) implements QueueToAgent {}

    /** Results up to and with {@code seq} are stored. */
    record ResultsStored(long seq) implements QueueToAgent {}

    /** Say what you hold: answered by InFlightReport. */
    record InFlightQuery() implements QueueToAgent {}
}
