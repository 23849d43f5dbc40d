package smtpd.mta.session;

/**
 * The transactions of one session: the one that runs, the one taken behind it, and how each of them
 * came back to who gave it.
 */
final class Transactions implements Sending.Mails {

    private static final int MAX_REJECTED_MAILS = 10;

    private final OutboundSession session;
    private final SessionEvents events;
    private Attempt current;
    private Attempt following;
    private int started;
    private int finished;
    private int rejectedInRow;
    private boolean stopping;

    /**
     * @param session who is named in what is told
     */
    Transactions(OutboundSession session, SessionEvents events) {
        this.session = session;
        this.events = events;
    }

    /** The one that runs; null = none. */
    Attempt current() {
        return current;
    }

    /** None is begun any more. */
    void stop() {
        stopping = true;
    }

    /** False when the session has had all the mails it is to have. */
    boolean mayBegin() {
        int mailMax = session.spec().mailMax();
        int offered = session.extensions().mailMax();
        return !stopping && started < (offered > 0 ? Math.min(mailMax, offered) : mailMax);
    }

    /** Judged so far. */
    int finished() {
        return finished;
    }

    /** Ten in a row, and nobody got any of them. */
    boolean areAllRejected() {
        return rejectedInRow >= MAX_REJECTED_MAILS;
    }

    void begin(Attempt attempt) {
        current = attempt;
        started++;
    }

    @Override
    public Attempt following() {
        SessionSpec spec = session.spec();
        if (!spec.joined() || spec.pauseMillis() > 0 || !mayBegin()) {
            return null;
        }
        Transaction taken = take();
        if (taken == null) {
            return null;
        }
        following = new Attempt(taken, true);
        following.joined =
                taken.mail().content() instanceof Content.InMemory
                        && following.hasRecipientToSend();
        if (!following.joined) {
            return null;
        }
        started++;
        return following;
    }

    @Override
    public void fixed(Attempt attempt, int count) {
        events.contentFixed(session, attempt.transaction, count);
    }

    /** The one taken behind, if it has not been begun; null = none. */
    Attempt takeFollowing() {
        Attempt taken = following;
        following = null;
        return taken;
    }

    /** The next mail that this host can take at all; null = none. */
    Transaction take() {
        long maxSize = session.extensions().size();
        for (; ; ) {
            Transaction next = events.next(session);
            if (next == null || maxSize == 0 || next.mail().size() <= maxSize) {
                return next;
            }
            events.finished(session, next, SessionEvents.Finish.TOO_BIG);
            if (session.isClosed()) {
                return null;
            }
        }
    }

    /** All that is to be said of it is said; one whose commands are out already is current now. */
    void complete(Attempt attempt) {
        finished++;
        rejectedInRow = attempt.isDelivered() ? 0 : rejectedInRow + 1;
        current = null;
        if (following != null && following.joined) {
            current = following;
            following = null;
        }
        events.finished(session, attempt.transaction, SessionEvents.Finish.ANSWERED);
    }

    /** Back to the relay as if it had never been here; deferred when that happened before. */
    private void giveBack(Attempt attempt, String text) {
        if (attempt.transaction.isReturnable() || text.isEmpty()) {
            events.finished(session, attempt.transaction, SessionEvents.Finish.RETURNED);
        } else {
            attempt.refuse(Result.deferred(Reason.IO_ERROR, text));
            events.finished(session, attempt.transaction, SessionEvents.Finish.ANSWERED);
        }
    }

    /** The peer closes without a word about the one that runs. */
    void giveBackCurrent(String text) {
        Attempt open = current;
        current = null;
        giveBack(open, text);
    }

    void returnOpen() {
        Attempt open = current;
        Attempt behind = following;
        current = null;
        following = null;
        if (open != null) {
            giveBack(open, "");
        }
        if (behind != null) {
            giveBack(behind, "");
        }
    }

    /**
     * The connection is of no more use: who is on it is deferred, or goes back when nothing can
     * have happened to it.
     *
     * @param at where it broke
     * @param inContent some of the content is out
     */
    void lost(SessionEnd.Cause cause, Phase at, boolean inContent, Reason reason, String text) {
        Attempt open = current;
        Attempt behind = following;
        current = null;
        following = null;
        if (open != null) {
            if ((at == Phase.RSET || (!inContent && isUnharmed(open, cause, at)))
                    && open.transaction.isReturnable()) {
                events.finished(session, open.transaction, SessionEvents.Finish.RETURNED);
            } else {
                Result result = Result.deferred(reason, text);
                open.refuse(at == Phase.EOM ? result.afterContent() : result);
                events.finished(session, open.transaction, SessionEvents.Finish.ANSWERED);
            }
        }
        if (behind != null) {
            giveBack(behind, text);
        }
    }

    /** A used connection that broke before the peer can have taken anything of this mail. */
    private static boolean isUnharmed(Attempt open, SessionEnd.Cause cause, Phase at) {
        return open.reused
                && at != Phase.EOM
                && (cause == SessionEnd.Cause.NETWORK
                        ? !open.mailAnswered
                        : open.joined && !open.go);
    }
}
