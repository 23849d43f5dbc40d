package smtpd.mta.session;

/**
 * What a reply after the greeting does to the transaction it belongs to and to the session: goes
 * on, completes it, or ends everything in the way that harms no other mail.
 */
final class Judgement {

    private final OutboundSession session;
    private final SessionSpec spec;
    private final SessionEvents events;
    private final Dialogue dialogue;
    private final Answers answers;
    private final Transactions transactions;
    private final Sending sending;

    Judgement(
            OutboundSession session,
            SessionEvents events,
            Dialogue dialogue,
            Answers answers,
            Transactions transactions,
            Sending sending) {
        this.session = session;
        this.spec = session.spec();
        this.events = events;
        this.dialogue = dialogue;
        this.answers = answers;
        this.transactions = transactions;
        this.sending = sending;
    }

    /** The reply that was due. */
    void answer(Dialogue.Awaited due, Reply reply) {
        if (reply.code() == 421) {
            closing(due, reply);
            return;
        }
        Attempt attempt = due.attempt();
        Extensions offered = session.extensions();
        switch (due.phase()) {
            case MAIL -> follow(answers.mail(attempt, reply, offered), attempt, reply);
            case RCPT ->
                    follow(answers.rcpt(attempt, due.recipient(), reply, offered), attempt, reply);
            case DATA -> follow(answers.data(attempt, reply), attempt, reply);
            case EOM -> eom(due, reply);
            case RSET -> {
                if (!reply.isPositive()) {
                    transactions.returnOpen();
                    session.end(SessionEnd.Cause.QUIT, Phase.RSET, "", null);
                }
            }
            default -> session.garbage("surplus reply");
        }
    }

    private void eom(Dialogue.Awaited due, Reply reply) {
        Attempt attempt = due.attempt();
        if (due.dropped()) {
            sending.needsReset();
            if (!attempt.again) {
                session.complete(attempt);
            }
        } else if (spec.lmtp()) {
            Dialogue.Awaited next = dialogue.due();
            boolean last = next == null || next.phase() != Phase.EOM;
            follow(answers.eom(attempt, due.recipient(), last, reply), attempt, reply);
        } else {
            follow(answers.eom(attempt, reply), attempt, reply);
        }
    }

    private void follow(Answers.Consequence consequence, Attempt attempt, Reply reply) {
        switch (consequence) {
            case NONE -> {}
            case COMPLETE -> session.complete(attempt);
            case GARBAGE -> session.garbage("code out of range");
            case DISAGREEMENT -> disagree(reply);
            case TOO_MANY_FAILURES -> tooManyFailures(attempt);
            case AUTHENTICATION_WANTED -> events.authenticationWanted(session, reply);
        }
    }

    /** The peer has another idea of where we are: no reply of it can be trusted any more. */
    private void disagree(Reply reply) {
        session.lost(
                SessionEnd.Cause.GARBAGE,
                Reason.REMOTE_4XX,
                "451 4.5.0 Bad response: " + reply.text());
    }

    private void tooManyFailures(Attempt attempt) {
        String text = "451 4.5.3 Too many consecutive errors, closing connection";
        attempt.refuse(Result.deferred(Reason.REMOTE_4XX, text));
        boolean polite = dialogue.isQuiet();
        session.complete(attempt);
        transactions.returnOpen();
        if (polite) {
            sending.quit();
        }
        // Unread replies stand before us, DATA may be among what they answer: nothing fits but to
        // go.
        session.end(SessionEnd.Cause.TOO_MANY_FAILURES, Phase.RCPT, text, null);
    }

    /** 421: as any 4yz of that state, but nothing more is sent (RFC 5321 3.8). */
    private void closing(Dialogue.Awaited due, Reply reply) {
        answers.refused(reply);
        Attempt current = transactions.current();
        if (current != null && due.attempt() == current) {
            Result result = Verdict.of(reply, due.phase());
            current.refuse(
                    due.phase() == Phase.EOM && spec.lmtp() ? result.afterContent() : result);
            session.complete(current);
        } else if (current != null) {
            transactions.giveBackCurrent(reply.text());
        }
        transactions.returnOpen();
        session.end(SessionEnd.Cause.REFUSED, due.phase(), reply.text(), reply);
    }

    /** A reply while content is still being written: the peer has decided already. */
    void earlyReply(Reply reply) {
        sending.stopContent();
        if (reply.code() < 400) {
            session.garbage("code out of range");
            return;
        }
        answers.refused(reply);
        Attempt current = transactions.current();
        current.refuse(Verdict.of(reply, Phase.EOM));
        session.complete(current);
        boolean closing = reply.code() == 421;
        session.end(
                closing ? SessionEnd.Cause.REFUSED : SessionEnd.Cause.QUIT,
                Phase.BODY,
                reply.asTemporary().text(),
                closing ? reply : null);
    }

    /** More than was asked for: what stands, stands; nothing of it may touch the next mail. */
    void surplus() {
        Attempt current = transactions.current();
        if (current != null && current.mailSent && current.isSettled()) {
            session.complete(current);
        }
        if (transactions.current() == null && !session.isClosed()) {
            transactions.returnOpen();
            session.end(
                    SessionEnd.Cause.GARBAGE,
                    Phase.READY,
                    "451 4.5.0 Bad response: surplus reply",
                    null);
            return;
        }
        session.garbage("surplus reply");
    }
}
