package smtpd.mta.session;

/**
 * What the replies from MAIL to the end of the content mean for a transaction: notes it there, and
 * says what the session has to do about it. Remembers what one transaction teaches for the next.
 */
final class Answers {

    /** What follows for the session. */
    enum Consequence {
        NONE,
        /** A code that has no place here. */
        GARBAGE,
        /** 503: the peer has another idea of where we are. */
        DISAGREEMENT,
        /** The transaction is over. */
        COMPLETE,
        /** So many recipients were refused in a row that more would look like a search. */
        TOO_MANY_FAILURES,
        AUTHENTICATION_WANTED
    }

    private final SessionSpec spec;
    private int recipientLimit;
    private int failuresInRow;
    private Reply lastRefusal;

    Answers(SessionSpec spec) {
        this.spec = spec;
        this.recipientLimit = spec.rcptMax();
    }

    /** How many recipients the peer is known to take in one transaction. */
    int recipientLimit() {
        return recipientLimit;
    }

    /** The last word of a peer that refused; null while it has not. */
    Reply lastRefusal() {
        return lastRefusal;
    }

    void refused(Reply reply) {
        lastRefusal = reply;
    }

    Consequence mail(Attempt attempt, Reply reply, Extensions extensions) {
        attempt.mailAnswered = true;
        if (reply.isPositive()) {
            return Consequence.NONE;
        }
        if (reply.code() < 400) {
            return Consequence.GARBAGE;
        }
        attempt.mailRefused = true;
        if ((reply.code() == 555 || reply.code() == 501)
                && !attempt.plain
                && Commands.hasOptional(attempt.mail(), extensions)) {
            attempt.again = true;
        } else if (reply.code() == 530 && spec.smarthost()) {
            // The configuration lacks a password: the user's mail is not at fault.
            attempt.refuse(
                    Result.deferred(
                            Reason.AUTH_FAILED,
                            "451 4.7.0 Authentication required: " + reply.text()));
            return Consequence.AUTHENTICATION_WANTED;
        } else {
            refused(reply);
            attempt.refuse(Verdict.of(reply, Phase.MAIL));
        }
        return Consequence.NONE;
    }

    Consequence rcpt(Attempt attempt, int index, Reply reply, Extensions extensions) {
        if (attempt.mailRefused) {
            return Consequence.NONE;
        }
        if (reply.isPositive()) {
            attempt.accepted[index] = true;
            attempt.acceptedCount++;
            failuresInRow = 0;
            return Consequence.NONE;
        }
        if (reply.code() < 400) {
            return Consequence.GARBAGE;
        }
        if (reply.code() == 503) {
            return Consequence.DISAGREEMENT;
        }
        if (isEnough(reply) && attempt.acceptedCount > 0) {
            recipientLimit = Math.max(1, Math.min(recipientLimit, attempt.acceptedCount));
            if (!extensions.pipelining()) {
                attempt.nextRecipient = attempt.accepted.length;
            }
            return Consequence.NONE;
        }
        refused(reply);
        attempt.transaction.set(index, Verdict.of(reply, Phase.RCPT));
        failuresInRow++;
        if (spec.maxFailures() > 0 && failuresInRow >= spec.maxFailures()) {
            return Consequence.TOO_MANY_FAILURES;
        }
        return Consequence.NONE;
    }

    Consequence data(Attempt attempt, Reply reply) {
        if (reply.code() == 354) {
            if (attempt.mailRefused || attempt.acceptedCount == 0) {
                attempt.loneDot = true;
            } else {
                attempt.go = true;
            }
        } else if (reply.code() < 400) {
            return Consequence.GARBAGE;
        } else if (!attempt.mailRefused && attempt.acceptedCount > 0) {
            if (reply.code() == 503) {
                return Consequence.DISAGREEMENT;
            }
            refused(reply);
            attempt.refuse(Verdict.of(reply, Phase.DATA));
        }
        return Consequence.NONE;
    }

    /** The reply to the end of the content. */
    Consequence eom(Attempt attempt, Reply reply) {
        if (isIntermediate(reply)) {
            return Consequence.GARBAGE;
        }
        if (reply.isPositive()) {
            Result delivered = Result.delivered(reply);
            for (int i = 0; i < attempt.accepted.length; i++) {
                if (attempt.accepted[i]) {
                    attempt.transaction.set(i, delivered);
                }
            }
        } else {
            refused(reply);
            attempt.refuse(Verdict.of(reply, Phase.EOM));
        }
        return Consequence.COMPLETE;
    }

    /**
     * LMTP: a reply for each recipient (RFC 2033 4.2).
     *
     * @param last no other recipient's is due
     */
    Consequence eom(Attempt attempt, int index, boolean last, Reply reply) {
        if (isIntermediate(reply)) {
            return Consequence.GARBAGE;
        }
        attempt.transaction.set(
                index, reply.isPositive() ? Result.delivered(reply) : Verdict.of(reply, Phase.EOM));
        return last ? Consequence.COMPLETE : Consequence.NONE;
    }

    private static boolean isIntermediate(Reply reply) {
        return reply.code() >= 300 && reply.code() < 400;
    }

    /** RFC 5321 4.5.3.1.10: the peer takes no more recipients in this transaction. */
    private static boolean isEnough(Reply reply) {
        return reply.code() == 452
                || (reply.code() == 552 && (reply.esc().isEmpty() || reply.esc().equals("5.5.3")));
    }
}
