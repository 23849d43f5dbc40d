package smtpd.mta.session;

import io.netty.buffer.ByteBuf;

/** From the banner to the answer to EHLO, LHLO or HELO: who the peer is and what it offers. */
final class Greeting {

    /** What an answer means for the session. */
    enum Step {
        ON,
        /** The peer refused us. */
        REFUSED,
        /** It has our own name. */
        OURSELVES,
        /** A code that has no place here. */
        GARBAGE
    }

    private final SessionSpec spec;
    private Phase next = Phase.BANNER;
    private Extensions extensions = Extensions.NONE;
    private boolean heloOnly;

    Greeting(SessionSpec spec) {
        this.spec = spec;
    }

    /** A new connection. */
    void begin() {
        next = Phase.BANNER;
    }

    /** What to say when nothing is waited for; READY = all is said. */
    Phase next() {
        return next;
    }

    Extensions extensions() {
        return extensions;
    }

    /**
     * Some old servers hang up on EHLO (RFC 5321 4.1.4): once more, with HELO.
     *
     * @return false when that is no way out
     */
    boolean withoutEhlo() {
        if (heloOnly || spec.lmtp()) {
            return false;
        }
        heloOnly = true;
        return true;
    }

    /** Says what is next. */
    void say(Dialogue dialogue, ReplyParser parser) {
        if (next == Phase.EHLO) {
            parser.keepLines();
        }
        ByteBuf out = dialogue.buffer();
        Commands.line(out, verb(), spec.helo());
        dialogue.await(next);
        dialogue.send(out);
    }

    private String verb() {
        if (next == Phase.HELO) {
            return "HELO ";
        }
        return spec.lmtp() ? "LHLO " : "EHLO ";
    }

    Step answer(Phase phase, Reply reply, ReplyParser parser) {
        if (reply.isPositive()) {
            return positive(phase, reply, parser);
        }
        if (phase == Phase.EHLO && isUnknown(reply.code()) && !spec.lmtp()) {
            parser.rawLines();
            next = Phase.HELO;
            return Step.ON;
        }
        return reply.code() < 400 ? Step.GARBAGE : Step.REFUSED;
    }

    private Step positive(Phase phase, Reply reply, ReplyParser parser) {
        if (phase == Phase.BANNER) {
            next = heloOnly ? Phase.HELO : Phase.EHLO;
            return Step.ON;
        }
        extensions =
                phase == Phase.EHLO
                        ? Extensions.parse(parser.rawLines())
                        : Extensions.ofGreeting(secondWord(reply.text()));
        if (extensions.greeting().equalsIgnoreCase(spec.helo())) {
            return Step.OURSELVES;
        }
        next = Phase.READY;
        return Step.ON;
    }

    private static boolean isUnknown(int code) {
        return code == 500 || code == 502 || code == 504 || code == 550;
    }

    private static String secondWord(String text) {
        int start = text.indexOf(' ') + 1;
        int end = text.indexOf(' ', start);
        return start == 0 ? "" : text.substring(start, end < 0 ? text.length() : end);
    }
}
