package smtpd.mta.route;

import java.util.List;
import java.util.function.Consumer;
import smtpd.envelope.Evpid;
import smtpd.imsg.LkaToMta;
import smtpd.imsg.MtaToLka;
import smtpd.mta.session.OutboundSession;
import smtpd.mta.session.Result;
import smtpd.mta.session.SessionEvents;
import smtpd.mta.session.SessionSpec;

/** What the routing needs of the rest of the process. */
public interface Outside {

    /**
     * How one attempt for some envelopes of a task ended.
     *
     * @param task null when it never came to one
     * @param session null = no host was talked to
     * @param source our address towards the host; empty = none
     */
    record Outcome(
            Task task,
            List<Letter> letters,
            Result result,
            SessionSpec session,
            boolean dsnCapable,
            String source) {}

    /** Asks lka; null is answered when it cannot be asked for now. */
    void ask(MtaToLka question, Consumer<LkaToMta> answer);

    /** A result to be kept until the queue has stored it; session null = no host was talked to. */
    void result(Outcome outcome);

    /** Gives envelopes back unjudged. */
    void hold(long relay, List<Evpid> evpids);

    /** Wants held envelopes: a number, 0 = all, -1 = all as if deferred. */
    void release(long relay, int count);

    /** A host works again. */
    void scheduleNow(List<Evpid> evpids);

    /** The content of a message is needed; {@link Relays#contentArrived} or Failed answers. */
    void contentWanted(Message message);

    /** No task needs the content any more. */
    void contentDone(Message message);

    OutboundSession start(SessionSpec spec, SessionEvents events);

    /** So many results wait to be stored that no more are to be made. */
    default boolean isFull() {
        return false;
    }

    /** One session less. */
    default void sessionEnded() {}

    long nextSessionId();
}
