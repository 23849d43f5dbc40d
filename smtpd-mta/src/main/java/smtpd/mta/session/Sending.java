package smtpd.mta.session;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.util.concurrent.Executor;

/**
 * Writes transactions: the groups of commands (RFC 2920), the content, and behind its end the
 * commands of the next mail in the same write.
 */
final class Sending {

    /** Recipients of one write. */
    private static final int GROUP = 100;

    /** Where the mails come from. */
    interface Mails {

        /** The next mail, to go out with the end of this one's content; null = none. */
        Attempt following();

        /** So many bytes of the content had to be replaced. */
        void fixed(Attempt attempt, int count);
    }

    private final SessionSpec spec;
    private final Dialogue dialogue;
    private final SessionTrace trace;
    private final Executor contentExecutor;
    private final Mails mails;
    private final Runnable unreadable;
    private Extensions extensions = Extensions.NONE;
    private BodyWriter body;
    private Attempt writing;
    private boolean needsReset;

    /**
     * @param unreadable called when half a mail is out and the rest of it cannot be read
     */
    Sending(
            SessionSpec spec,
            Dialogue dialogue,
            SessionTrace trace,
            Executor contentExecutor,
            Mails mails,
            Runnable unreadable) {
        this.spec = spec;
        this.dialogue = dialogue;
        this.trace = trace;
        this.contentExecutor = contentExecutor;
        this.mails = mails;
        this.unreadable = unreadable;
    }

    /** What the peer offers. */
    void offered(Extensions now) {
        extensions = now;
    }

    /** True while content is being written. */
    boolean isInContent() {
        return body != null;
    }

    /** The peer holds half a transaction: RSET comes before the next. */
    void needsReset() {
        needsReset = true;
    }

    // -- commands

    /** What comes next of a transaction for which no reply is due. */
    void next(Attempt attempt) {
        if (attempt.loneDot) {
            loneDot(attempt);
        } else if (attempt.again) {
            attempt.restart();
            commands(attempt);
        } else if (attempt.go) {
            content(attempt);
        } else {
            commands(attempt);
        }
    }

    /** MAIL, RCPTs and DATA in one write; one at a time where pipelining is not offered. */
    void commands(Attempt attempt) {
        ByteBuf out = dialogue.buffer();
        group(attempt, out);
        dialogue.send(out);
    }

    private void group(Attempt attempt, ByteBuf out) {
        boolean pipelining = extensions.pipelining();
        if (needsReset) {
            needsReset = false;
            Commands.line(out, "RSET", "");
            dialogue.await(Phase.RSET);
            if (!pipelining) {
                return;
            }
        }
        if (!attempt.mailSent) {
            attempt.mailSent = true;
            Commands.mail(out, attempt.mail(), extensions, attempt.plain);
            dialogue.await(Phase.MAIL, attempt, 0, false);
            if (!pipelining) {
                return;
            }
        }
        int count = 0;
        while (count < GROUP && attempt.hasRecipientToSend()) {
            int index = attempt.nextRecipient++;
            Commands.rcpt(out, attempt.recipients().get(index), extensions);
            dialogue.await(Phase.RCPT, attempt, index, false);
            count++;
            if (!pipelining) {
                return;
            }
        }
        if (!attempt.hasRecipientToSend() && !attempt.dataSent) {
            attempt.dataSent = true;
            Commands.line(out, "DATA", "");
            dialogue.await(Phase.DATA, attempt, 0, false);
        }
    }

    /** Nobody is to get it: an empty message to no recipient, the way out of RFC 2920 3.1. */
    private void loneDot(Attempt attempt) {
        attempt.loneDot = false;
        ByteBuf out = dialogue.buffer();
        ByteBufUtil.writeAscii(out, ".\r\n");
        dialogue.await(Phase.EOM, attempt, 0, true);
        dialogue.send(out);
    }

    void quit() {
        ByteBuf out = dialogue.buffer();
        Commands.line(out, "QUIT", "");
        dialogue.send(out);
    }

    // -- content

    /** After 354. */
    private void content(Attempt attempt) {
        attempt.go = false;
        dialogue.arm(Phase.BODY);
        byte[] firstPiece = attempt.firstPiece;
        attempt.firstPiece = null;
        writing = attempt;
        body =
                new BodyWriter(
                        dialogue.channel(),
                        attempt.mail().content(),
                        contentExecutor,
                        new Progress(attempt));
        body.start(firstPiece);
    }

    /** The socket takes more. */
    void writable() {
        if (body != null) {
            body.pump();
        }
    }

    /** No more of the content is written. */
    void stopContent() {
        if (body != null) {
            body.stop();
            body = null;
        }
    }

    /** Sends the last buffer of a content, and with it the commands of the next mail. */
    private void last(Attempt attempt, ByteBuf out) {
        if (body.fixed() > 0) {
            mails.fixed(attempt, body.fixed());
        }
        body = null;
        trace.endOfContent();
        if (spec.lmtp()) {
            for (int i = 0; i < attempt.accepted.length; i++) {
                if (attempt.accepted[i]) {
                    dialogue.await(Phase.EOM, attempt, i, false);
                }
            }
        } else {
            dialogue.await(Phase.EOM, attempt, 0, false);
        }
        dialogue.arm(Phase.BODY);
        if (extensions.pipelining()) {
            join(out);
        }
        dialogue.sendEnd(out);
    }

    /** RFC 2920 3.1: content may be the first of a group, MAIL of the next message its second. */
    private void join(ByteBuf out) {
        Attempt next = mails.following();
        if (next != null) {
            int start = out.writerIndex();
            group(next, out);
            trace.commands(out, start);
        }
    }

    /** Follows a content on its way out. */
    private final class Progress implements BodyWriter.Progress {
        private final Attempt attempt;

        Progress(Attempt attempt) {
            this.attempt = attempt;
        }

        @Override
        public void piece(int length) {
            trace.piece(length);
        }

        @Override
        public void accepted(boolean last) {
            if (body != null && writing == attempt) {
                dialogue.arm(Phase.BODY);
            }
        }

        @Override
        public void last(ByteBuf buffer) {
            Sending.this.last(attempt, buffer);
        }

        @Override
        public void unreadable() {
            unreadable.run();
        }
    }
}
