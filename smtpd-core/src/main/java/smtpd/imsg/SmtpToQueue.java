package smtpd.imsg;

import smtpd.envelope.Msgid;

/** What smtp tells the queue. The header's id is the session; {@code no} the transaction. */
public sealed interface SmtpToQueue extends ToQueue {

    /** A file for content too large for a frame. Answered by ContentFile. */
    record OpenContent(int no) implements SmtpToQueue {}

    /**
     * End of data: make it durable and answer MessageCommitted.
     *
     * @param accepted bit {@code rcptNo} is set for each RCPT that got its 250 (bit n is bit n%8 of
     *     byte n/8)
     * @param expansionsOut expansions of this transaction still under way (normally 0)
     * @param size bytes of the stored content
     * @param crc32c CRC-32C of it
     * @param lines number of LF in it
     * @param needFlags bits of Need
     * @param inFile the content is in the file of ContentFile; else in {@code content}
     */
    record CommitMessage(
            int no,
            byte[] accepted,
            int expansionsOut,
            long size,
            int crc32c,
            long lines,
            int needFlags,
            boolean inFile,
            Content content)
            implements SmtpToQueue {}

    /** Forget a transaction: RSET, lost client, refusal, or a commit whose client was told 4xx. */
    record AbortMessage(int no, Msgid msgid, int expansionsOut) implements SmtpToQueue {}

    /** After a restart of the queue: was this commit made durable? Answered by MessageCommitted. */
    record CommitStatus(int no, Msgid msgid) implements SmtpToQueue {}

    record CommitStatusEnd() implements SmtpToQueue {}
}
