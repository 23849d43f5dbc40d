package smtpd.mta.session;

/** What a session asks of and tells to the one who started it; all calls on the session's loop. */
public interface SessionEvents {

    /** How a transaction came back. */
    enum Finish {
        /** Judged; recipients without a result go into another transaction. */
        ANSWERED,
        /** Not judged through no fault of its own: it goes back, and no try is counted. */
        RETURNED,
        /** Larger than this host takes; nothing was sent. */
        TOO_BIG
    }

    /** The connection stands. */
    default void connected(OutboundSession session) {}

    /** The greeting is done, mail can be taken; called once, before the first {@link #next}. */
    default void ready(OutboundSession session) {}

    /** The next mail for this session; null = none now, {@link OutboundSession#wake} later. */
    Transaction next(OutboundSession session);

    void finished(OutboundSession session, Transaction transaction, Finish how);

    /** A host of the administrator's choice wants authentication (530). */
    default void authenticationWanted(OutboundSession session, Reply reply) {}

    /** The last call: nothing comes from this session any more. */
    void closed(OutboundSession session, SessionEnd end);

    /** Bytes that had to be replaced in a content. */
    default void contentFixed(OutboundSession session, Transaction transaction, int count) {}
}
