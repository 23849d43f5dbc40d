package smtpd.imsg;

import smtpd.mail.MailAddress;

/** What the queue asks lka. */
public sealed interface QueueToLka extends ToLka {

    /**
     * Expand the return path of failed mail into envelopes of a notice from the null sender.
     *
     * @param smtpname our name when the failed mail came in
     * @param needFlags bits of Need
     * @param version envelope version of the original (2 or 3)
     */
    record ExpandBounce(
            MailAddress returnPath, @Max(255) String smtpname, int needFlags, int version)
            implements QueueToLka {}
}
