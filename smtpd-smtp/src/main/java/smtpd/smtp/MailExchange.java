package smtpd.smtp;

import smtpd.imsg.Outcome;
import smtpd.imsg.QueueToSmtp.MessageCommitted;
import smtpd.imsg.SmtpToQueue;
import smtpd.log.Trace;
import smtpd.smtp.Session.State;
import smtpd.smtp.Session.Wait;
import smtpd.stat.Stat;
import smtpd.sys.Fd;

/**
 * The mails of one session, one after the other: MAIL, RCPT, DATA or BDAT, the commit, and what lka
 * and the queue say to them. A refused recipient touches no other; what could not be found out is
 * 4yz; 250 after the end only when the queue said durable.
 */
final class MailExchange {

    private static final int FILE_SECONDS = 30;
    private static final int COMMIT_SECONDS = 300;
    private static final int HELD_SECONDS = 30;
    private static final int RATE_SECONDS = 600;
    private static final long RATE_OCTETS = 1024L * RATE_SECONDS;

    private final Session session;
    private final SessionLoop shared;
    private final SessionConfig config;
    private final Client client;
    private final Wire wire;
    private final Recipients recipients;

    private Transaction mail;
    private MailContent content;
    private int mailNo;
    private int committedNo;
    private int messages;
    private long chunkSize;
    private long chunkLeft;
    private boolean chunkLast;
    private boolean chunkDropped;
    private long droppedOctets;
    private boolean dotted;
    private boolean committing;
    private boolean held;
    private long rateFrom;
    private long rateOctets;

    MailExchange(
            Session session, SessionLoop shared, SessionConfig config, Client client, Wire wire) {
        this.session = session;
        this.shared = shared;
        this.config = config;
        this.client = client;
        this.wire = wire;
        this.recipients = new Recipients(session, shared, config, client);
    }

    // ---- MAIL

    boolean isOpen() {
        return mail != null;
    }

    int messages() {
        return messages;
    }

    Recipients recipients() {
        return recipients;
    }

    /** The checks in the order that the strictest reader of RFC 5321 4.1.4 would make them. */
    void mailFrom(byte[] a, int from, int to) {
        boolean lost = mail != null && mail.isLost();
        Reply reply = null;
        if (session.state() == State.HELLO) {
            reply = Reply.SAY_EHLO;
        } else if (session.state() == State.FAILED) {
            reply = Reply.SEND_RSET;
        } else if (session.state() != State.READY && !lost) {
            reply = Reply.MAIL_GIVEN;
        } else if (messages >= config.maxMails()) {
            session.reply(Reply.TOO_MANY_MESSAGES, "rate-limit", null);
            return;
        }
        if (reply == null) {
            reply = mailArgument(a, from, to);
        }
        session.reply(reply);
    }

    private Reply mailArgument(byte[] a, int from, int to) {
        if (!Ascii.startsWith(a, from, to, "from:") || to - from == 5) {
            return Verb.MAIL.syntax();
        }
        PathParser path = shared.paths;
        if (!path.parse(a, from + 5, to, config.name(), true)) {
            return Reply.SENDER_SYNTAX;
        }
        MailParameters.Reader reader = new MailParameters.Reader();
        MailParameters parameters = MailParameters.NONE;
        if (path.next() < to) {
            parameters =
                    reader.read(
                            a,
                            path.next(),
                            to,
                            new MailParameters.Offered(
                                    session.isEsmtp(), config.dsn(), client.isLocal(), false));
            if (parameters == null) {
                return reader.fault();
            }
        }
        if (path.isNonAscii() && !parameters.smtpUtf8()) {
            return Reply.NEEDS_SMTPUTF8;
        }
        if (parameters.size() > config.maxMessageBytes()) {
            return Reply.TOO_BIG;
        }
        switch (shared.backstage.storage()) {
            case FULL -> {
                return Reply.FULL;
            }
            case UNAVAILABLE -> {
                return Reply.TEMPORARY;
            }
            case OK -> {}
        }
        rollback();
        mailNo = mailNo == 0xffff ? 1 : mailNo + 1;
        mail =
                new Transaction(
                        mailNo,
                        path.address(),
                        path.isNonAscii(),
                        parameters,
                        shared.clock.millis());
        recipients.of(mail);
        session.state(State.MAIL);
        return Reply.MAIL_OK;
    }

    // ---- content

    /** Why no content may come now; null when it may. */
    private Reply contentFault() {
        return switch (session.state()) {
            case HELLO -> Reply.SAY_EHLO;
            case READY -> Reply.NEED_MAIL;
            case FAILED -> Reply.SEND_RSET;
            default -> {
                if (mail.isLost()) {
                    yield Reply.TRANSACTION_LOST;
                } else if (session.state() == State.MAIL) {
                    yield mail.recipients() > 0 ? Reply.NO_VALID_RECIPIENTS : Reply.NEED_RCPT;
                }
                yield null;
            }
        };
    }

    void dataCommand(boolean bare) {
        Reply fault = bare ? contentFault() : Verb.DATA.syntax();
        if (fault == null && session.state() == State.BDAT) {
            fault = Reply.NOT_AFTER_BDAT;
        }
        if (fault != null) {
            session.reply(fault);
            return;
        }
        beginContent(true);
        session.state(State.DATA);
        session.reply(Reply.START_INPUT);
    }

    private void beginContent(boolean data) {
        dotted = data;
        content = new MailContent(shared, config, data, received());
        rateFrom = shared.wheel.now();
        rateOctets = 0;
    }

    private byte[] received() {
        return new ReceivedField(
                        config.maskSource() ? "" : session.heloName(),
                        session.hostname(),
                        client.tagged(),
                        config.name(),
                        protocol(),
                        mail.msgid().toString(),
                        "",
                        "",
                        mail.accepted().size() == 1
                                ? mail.accepted().getFirst().address().toString()
                                : "",
                        shared.date.at(shared.clock.millis() / 1000))
                .bytes();
    }

    /** RFC 3848, RFC 6531 4.3. */
    private String protocol() {
        if (mail.parameters().smtpUtf8()) {
            return "UTF8SMTP";
        }
        return session.isEsmtp() || client.isLocal() ? "ESMTP" : "SMTP";
    }

    boolean data() {
        wire.consume(content.take(wire.array(), wire.head(), wire.tail()));
        if (isTooSlow() || isHopeless()) {
            return false;
        }
        if (content.needsFile()) {
            askForFile();
        }
        if (content.isEnded() && session.waitsFor() == Wait.NOTHING) {
            endOfData();
        } else if (session.waitsFor() == Wait.NOTHING && content.isStalled()) {
            session.waitFor(Wait.FILE_ROOM);
        }
        return true;
    }

    private boolean isHopeless() {
        if (!content.isHopeless()) {
            return false;
        }
        session.reply(Reply.TOO_BIG, "size", null);
        session.close("size");
        return true;
    }

    /** At least 1 KiB/s over ten minutes: a mail sent byte by byte holds a session for hours. */
    private boolean isTooSlow() {
        long now = shared.wheel.now();
        if (now - rateFrom < RATE_SECONDS) {
            return false;
        }
        boolean slow = content.octets() - rateOctets < RATE_OCTETS;
        rateFrom = now;
        rateOctets = content.octets();
        if (slow) {
            session.timeout();
        }
        return slow;
    }

    private void askForFile() {
        content.asked();
        if (shared.backstage.openContent(session.sid(), new SmtpToQueue.OpenContent(mail.no()))) {
            mail.opened();
            session.waitFor(Wait.FILE_OPEN);
            session.arm(FILE_SECONDS);
        } else {
            content.refuse(Reply.TEMPORARY);
        }
    }

    private void roomInFile() {
        if (session.waitsFor() == Wait.FILE_ROOM) {
            session.waitFor(Wait.NOTHING);
            rateFrom = shared.wheel.now();
            rateOctets = content.octets();
            session.input();
        }
    }

    private void goOnAfterFile() {
        session.clientsTurn();
        if (content.isEnded()) {
            endOfData();
        } else if (chunkLeft == 0 && session.state() == State.BDAT) {
            endOfChunk();
        }
        session.input();
    }

    private void endOfData() {
        if (Trace.SMTP.isOn()) {
            SessionTrace.content(session.sid(), content.octets());
        }
        Reply fault = content.fault();
        if (fault != null) {
            endOfMail(fault, reasonOf(fault));
        } else if (content.isInFile()) {
            Transaction ending = mail;
            session.state(State.COMMIT);
            session.waitFor(Wait.COMMIT);
            content.closeFile(
                    error -> {
                        if (mail != ending) {
                            return;
                        }
                        if (error == null) {
                            commit();
                        } else {
                            endOfMail(error, reasonOf(error));
                        }
                        session.input();
                    });
        } else {
            commit();
        }
    }

    private static String reasonOf(Reply fault) {
        return switch (fault.code()) {
            case 552 -> "size";
            case 554 -> "loop";
            case 452 -> "disk-full";
            case 451 -> null;
            default -> "syntax";
        };
    }

    private void commit() {
        session.state(State.COMMIT);
        if (mail.isLost() || !shared.backstage.commit(session.sid(), content.commit(mail))) {
            endOfMail(Reply.TEMPORARY, null);
            return;
        }
        session.waitFor(Wait.COMMIT);
        committing = true;
        session.arm(COMMIT_SECONDS);
        content.drop();
    }

    /** The answer to the whole mail; a new one may begin. */
    private void endOfMail(Reply answer, String reason) {
        committing = false;
        held = false;
        session.clientsTurn();
        if (answer.isPositive()) {
            committedNo = mail.no();
            messages++;
            session.useful();
            shared.stats.increment(Stat.SMTP_MESSAGE);
            shared.stats.add(Stat.SMTP_BYTES, content.stored());
            session.log()
                    .message(
                            mail,
                            content,
                            protocol(),
                            dotted ? "data" : "bdat",
                            shared.clock.millis(),
                            !session.isGone());
            forgetMail();
        } else {
            rollback();
        }
        session.state(State.READY);
        if (session.isGone()) {
            session.end();
        } else {
            session.replyToMail(dotted ? Verb.DATA : Verb.BDAT, answer, reason);
        }
    }

    private void forgetMail() {
        mail = null;
        recipients.of(null);
        if (content != null) {
            content.drop();
            content = null;
        }
    }

    /** Drops the mail; the queue is told what it may have heard of. */
    void rollback() {
        if (mail != null && mail.isKnownToQueue()) {
            shared.backstage.abort(session.sid(), abortion());
        }
        forgetMail();
    }

    private SmtpToQueue.AbortMessage abortion() {
        return new SmtpToQueue.AbortMessage(mail.no(), mail.msgid(), mail.expansionsOut());
    }

    // ---- BDAT (RFC 3030)

    boolean isInChunk() {
        return chunkLeft > 0;
    }

    void bdat(byte[] a, int from, int to) {
        int end = Ascii.indexOf(a, from, to, ' ');
        int word = Ascii.skipBlanks(a, end, to);
        long size = size(a, from, end);
        boolean last = Ascii.is(a, word, to, "last");
        if (size < 0 || (word < to && !last)) {
            // Where the chunk ends nobody knows now.
            session.reply(Verb.BDAT.syntax());
            session.close("bad-input");
            return;
        }
        if (size == 0 && !last && session.isTooIdle()) {
            return;
        }
        chunkSize = size;
        chunkLeft = size;
        chunkLast = last;
        Reply fault = session.isEsmtp() ? contentFault() : Reply.SAY_EHLO;
        chunkDropped = fault != null;
        if (chunkDropped) {
            session.reply(fault);
            return;
        }
        if (session.state() != State.BDAT) {
            beginContent(false);
            session.state(State.BDAT);
        }
        if (chunkLeft == 0) {
            endOfChunk();
        }
    }

    private static long size(byte[] a, int from, int to) {
        if (to == from || to - from > 20) {
            return -1;
        }
        long size = 0;
        for (int i = from; i < to; i++) {
            if (!Ascii.isDigit(a[i])) {
                return -1;
            }
            size = Math.min(Long.MAX_VALUE / 16, size * 10 + a[i] - '0');
        }
        return size;
    }

    /** Payload is counted, so it is taken whatever was answered. */
    boolean chunk() {
        int from = wire.head();
        int count = (int) Math.min(chunkLeft, wire.tail() - from);
        chunkLeft -= count;
        if (chunkDropped) {
            wire.consume(from + count);
            droppedOctets += count;
            if (droppedOctets > config.maxMessageBytes() + (64L << 20)) {
                session.reply(Reply.TOO_BIG, "size", "BDAT");
                session.close("size");
            }
            return true;
        }
        content.take(wire.array(), from, from + count);
        wire.consume(from + count);
        if (isTooSlow() || isHopeless()) {
            return false;
        }
        if (content.needsFile()) {
            askForFile();
        }
        if (session.waitsFor() == Wait.NOTHING) {
            if (chunkLeft == 0) {
                endOfChunk();
            } else if (content.isStalled()) {
                session.waitFor(Wait.FILE_ROOM);
            }
        }
        return true;
    }

    private void endOfChunk() {
        if (mail.isLost()) {
            session.replyToMail(Verb.BDAT, Reply.TRANSACTION_LOST, "error");
            session.state(State.MAIL);
            return;
        }
        if (content.isTooBig()) {
            session.replyToMail(Verb.BDAT, Reply.TOO_BIG, "size");
            rollback();
            session.state(State.FAILED);
        } else if (chunkLast) {
            content.finish();
            endOfData();
        } else {
            session.reply(Reply.chunk(chunkSize));
        }
    }

    // ---- answers

    /** A set of envelopes for a mail that was just committed: the queue has taken or dropped it. */
    boolean isCommitted(int no) {
        return no == committedNo;
    }

    void contentFile(int no, Outcome outcome, int fd) {
        if (session.waitsFor() != Wait.FILE_OPEN || mail == null || mail.no() != no) {
            Fd.closeQuietly(fd);
            return;
        }
        if (outcome.isOk() && fd >= 0) {
            content.file(fd, this::roomInFile);
        } else {
            Fd.closeQuietly(fd);
            content.refuse(PeerReplies.isFull(outcome) ? Reply.FULL : Reply.TEMPORARY);
        }
        goOnAfterFile();
    }

    /**
     * The answer to the commit.
     *
     * @return false when nobody waits for it
     */
    boolean messageCommitted(MessageCommitted answer) {
        if (!committing || mail.no() != answer.no()) {
            return false;
        }
        if (answer.outcome().isOk()) {
            mail.msgid(answer.msgid());
            endOfMail(Reply.accepted(answer.msgid().toString()), null);
        } else {
            // The queue has dropped it, or never had it.
            mail.lose();
            boolean full = PeerReplies.isFull(answer.outcome());
            endOfMail(full ? Reply.FULL : Reply.TEMPORARY, full ? "disk-full" : "error");
        }
        session.input();
        return true;
    }

    // ---- lost peers, lost time

    void lkaLost() {
        if (mail != null) {
            mail.expansionsLost();
            recipients.lost("table");
        }
    }

    void queueLost() {
        if (committing) {
            held = true;
            session.arm(HELD_SECONDS);
        } else if (mail != null) {
            mail.lose();
            recipients.lost("error");
            if (mail != null && content != null) {
                content.refuse(Reply.TEMPORARY);
                if (session.waitsFor() == Wait.FILE_OPEN) {
                    goOnAfterFile();
                }
            }
        }
        session.input();
    }

    /** What became of this commit is asked of the queue that came back; null: nothing to ask. */
    SmtpToQueue.CommitStatus heldCommit() {
        return held ? new SmtpToQueue.CommitStatus(mail.no(), mail.msgid()) : null;
    }

    void timedOut(Wait what) {
        if (what == Wait.FILE_OPEN) {
            content.refuse(Reply.TEMPORARY);
            goOnAfterFile();
        } else if (held) {
            // RFC 1047: nobody knows; the client will try again, so this one must not stay.
            shared.backstage.withdraw(session.sid(), abortion());
            committing = false;
            held = false;
            mail.lose();
            forgetMail();
            if (session.isGone()) {
                session.end();
            } else {
                session.endReason("error");
                session.replyToMail(
                        dotted ? Verb.DATA : Verb.BDAT,
                        Reply.closing("4.3.0", config.name(), "Result unknown, try again"),
                        "error");
            }
        } else {
            endOfMail(Reply.TEMPORARY, "error");
            session.input();
        }
    }

    boolean isCommitting() {
        return committing;
    }

    /** The client is gone, the answer is still of interest. */
    void armCommit() {
        session.arm(held ? HELD_SECONDS : COMMIT_SECONDS);
    }
}
