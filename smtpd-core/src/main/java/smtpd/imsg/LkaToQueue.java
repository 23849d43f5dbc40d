package smtpd.imsg;

import java.util.List;

/** What lka tells the queue: the only way in which envelopes are made. */
public sealed interface LkaToQueue extends ToQueue {

    /**
     * The envelopes of one RCPT, all or nothing; the set ends with a frame whose flag 2 is clear.
     * The header's id is the smtp session. The texts lack {@code content}, {@code need} and {@code
     * end}, which the queue adds at the commit.
     */
    record EnvelopesSubmit(int no, int rcptNo, List<byte[]> envelopes) implements LkaToQueue {}

    /**
     * Answer to ExpandBounce: the envelopes of the notice. Temporary: try later. Permanent, or
     * none: there is nobody to tell.
     */
    record BounceExpanded(Outcome outcome, List<byte[]> envelopes) implements LkaToQueue {}
}
