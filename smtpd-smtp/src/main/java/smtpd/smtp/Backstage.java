package smtpd.smtp;

import smtpd.imsg.ReverseLookup;
import smtpd.imsg.SmtpToLka;
import smtpd.imsg.SmtpToQueue;

/**
 * The processes behind the counter, as a session sees them. Answers come back by methods of {@link
 * Session}. A question that returns false was not asked: its peer is away.
 */
interface Backstage {

    /** Whether mail can be stored now, as the queue last said. */
    enum Storage {
        OK,
        FULL,
        UNAVAILABLE
    }

    boolean lookUp(long sid, ReverseLookup question);

    boolean expand(long sid, SmtpToLka.ExpandRecipient question);

    boolean openContent(long sid, SmtpToQueue.OpenContent question);

    boolean commit(long sid, SmtpToQueue.CommitMessage question);

    /** Tells the queue to forget; lost when the queue is away, which then knows nothing anyway. */
    void abort(long sid, SmtpToQueue.AbortMessage notice);

    /** A commit whose client was told 421: withdrawn when the queue is back. */
    void withdraw(long sid, SmtpToQueue.AbortMessage notice);

    Storage storage();

    /** lka or queue have more than enough to do: begin nothing new. */
    boolean isCongested();

    /** The session is over and waits for no answer. */
    void ended(Session session);
}
