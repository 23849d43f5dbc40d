package smtpd.smtp;

import java.util.concurrent.TimeUnit;
import smtpd.imsg.LkaToSmtp.RecipientRefused;
import smtpd.imsg.QueueToSmtp.RecipientStored;
import smtpd.imsg.SmtpToLka;
import smtpd.mail.MailAddress;
import smtpd.smtp.Session.State;
import smtpd.smtp.Session.Wait;
import smtpd.stat.Stat;

/**
 * The recipients of the present mail: asks lka about up to 16 at once, gives the replies in the
 * order of the commands. A refusal touches no other recipient; whoever only guesses is slowed and
 * sent away.
 */
final class Recipients {

    private static final int EXPAND_SECONDS = 120;
    private static final int AT_ONCE = 16;
    private static final int MAX_PENDING = 64;
    private static final int MAX_REFUSED = 50;
    private static final int REFUSED_BEFORE_DELAY = 10;

    /** RCPT commands of one mail, refused ones included, as a multiple of what may be accepted. */
    private static final int ATTEMPTS = 10;

    private final Session session;
    private final SessionLoop shared;
    private final SessionConfig config;
    private final Client client;

    private Transaction mail;
    private int refusals;
    private boolean delayServed;

    Recipients(Session session, SessionLoop shared, SessionConfig config, Client client) {
        this.session = session;
        this.shared = shared;
        this.config = config;
        this.client = client;
    }

    /** A mail begins, or none is there any more (null). */
    void of(Transaction present) {
        mail = present;
    }

    boolean hasPending() {
        return mail != null && mail.pending() > 0;
    }

    /**
     * A command may be carried out now: nothing is pending, or it is one more RCPT beside others.
     */
    boolean mayBegin(Verb said) {
        return !hasPending()
                || (said == Verb.RCPT
                        && mail.unanswered() < AT_ONCE
                        && mail.pending() < MAX_PENDING);
    }

    /** RCPT, which may stand beside others that are with lka. */
    void rcptTo(byte[] a, int from, int to) {
        Reply reply =
                switch (session.state()) {
                    case HELLO -> Reply.SAY_EHLO;
                    case READY -> Reply.NEED_MAIL;
                    case FAILED -> Reply.SEND_RSET;
                    case BDAT -> Reply.NOT_AFTER_BDAT;
                    default -> mail.isLost() ? Reply.TRANSACTION_LOST : null;
                };
        if (reply != null) {
            session.reply(reply);
            return;
        }
        String command = session.commandText();
        if (isUsedUp()) {
            decide(command, Reply.TOO_MANY_RECIPIENTS, "too-many-rcpt");
            return;
        }
        reply = recipientArgument(a, from, to, command);
        if (reply != null) {
            decide(command, reply, "syntax");
        }
    }

    private boolean isUsedUp() {
        int max = config.maxRecipients();
        return mail.accepted().size() + mail.unanswered() >= max
                || mail.recipients() >= ATTEMPTS * (long) max;
    }

    /** A RCPT refused without asking anybody; its reply still waits for those before it. */
    private void decide(String command, Reply reply, String reason) {
        mail.decide(mail.begin(MailAddress.NULL, command), reply, reason);
        giveReplies();
    }

    /** Asks lka about a recipient that is well formed; else the reason why it is not. */
    private Reply recipientArgument(byte[] a, int from, int to, String command) {
        if (!Ascii.startsWith(a, from, to, "to:") || to - from == 3) {
            return Verb.RCPT.syntax();
        }
        PathParser path = shared.paths;
        if (!path.parse(a, from + 3, to, config.name(), false)) {
            return Reply.RECIPIENT_SYNTAX;
        }
        RecipientParameters parameters = RecipientParameters.NONE;
        boolean utf8 = mail.parameters().smtpUtf8();
        if (path.next() < to) {
            RecipientParameters.Reader reader = new RecipientParameters.Reader();
            parameters = reader.read(a, path.next(), to, session.isEsmtp() && config.dsn(), utf8);
            if (parameters == null) {
                return reader.fault();
            }
        }
        if (path.isNonAscii()) {
            if (!utf8) {
                return Reply.NEEDS_SMTPUTF8;
            }
            mail.nonAsciiRecipient();
        }
        Transaction.Recipient recipient = mail.begin(path.address(), command);
        if (shared.backstage.expand(session.sid(), question(recipient, parameters))) {
            if (mail.unanswered() == 1) {
                session.arm(EXPAND_SECONDS);
            }
            mail.asked();
        } else {
            mail.decide(recipient, PeerReplies.forRecipient(Reply.TEMPORARY, recipient), "table");
            giveReplies();
        }
        return null;
    }

    private SmtpToLka.ExpandRecipient question(
            Transaction.Recipient recipient, RecipientParameters parameters) {
        MailParameters of = mail.parameters();
        return new SmtpToLka.ExpandRecipient(
                mail.no(),
                recipient.rcptNo,
                config.configId(),
                config.tag(),
                config.name(),
                session.heloName(),
                session.hostname(),
                client.address(),
                mail.sender(),
                recipient.address,
                "",
                client.isLocal(),
                parameters.dsnNotify(),
                of.dsnRet(),
                of.dsnEnvid(),
                parameters.orcpt(),
                false,
                false,
                session.isNameConfirmed(),
                false);
    }

    private void giveReplies() {
        Transaction of = mail;
        while (mail == of && mail != null && session.waitsFor() != Wait.DELAY) {
            Transaction.Recipient next = mail.firstDecided();
            if (next == null) {
                return;
            }
            if (next.reply.isPermanent() && !client.isLocal()) {
                if (refusals + 1 >= REFUSED_BEFORE_DELAY && !delayServed) {
                    delay();
                    return;
                }
                delayServed = false;
                if (++refusals >= MAX_REFUSED) {
                    mail.takeFirst();
                    session.endReason("too-many-rcpt");
                    session.reply(
                            Reply.closing("4.7.0", config.name(), "Too many rejected recipients"),
                            "too-many-rcpt",
                            next.command);
                    return;
                }
            }
            mail.takeFirst();
            if (next.reply.isPositive()) {
                mail.accept(next);
                session.state(State.RCPT);
                shared.stats.increment(Stat.SMTP_RECIPIENT);
            }
            session.reply(next.reply, next.reason, next.command);
        }
    }

    /** Whoever guesses recipients waits for each refusal. */
    private void delay() {
        session.waitFor(Wait.DELAY);
        shared.loop.schedule(
                () -> {
                    if (session.waitsFor() == Wait.DELAY) {
                        session.waitFor(Wait.NOTHING);
                        delayServed = true;
                        giveReplies();
                        session.input();
                    }
                },
                1,
                TimeUnit.SECONDS);
    }

    // ---- answers

    /**
     * The queue holds the envelopes of one RCPT, or could not.
     *
     * @return false when it is about a mail that was dropped
     */
    boolean stored(RecipientStored answer) {
        if (mail == null || mail.no() != answer.no() || mail.isLost()) {
            return false;
        }
        if (!answer.msgid().isNone()) {
            mail.msgid(answer.msgid());
        }
        Transaction.Recipient recipient = mail.answered(answer.rcptNo());
        if (recipient != null) {
            if (answer.outcome().isOk()) {
                recipient.lows = answer.lows();
                decided(recipient, Reply.RCPT_OK, "");
            } else {
                boolean full = PeerReplies.isFull(answer.outcome());
                Reply reply = PeerReplies.notStored(answer, recipient);
                decided(recipient, reply, full ? "disk-full" : "error");
            }
        }
        return true;
    }

    void refused(RecipientRefused answer) {
        if (mail == null || mail.no() != answer.no() || mail.isLost()) {
            return;
        }
        Transaction.Recipient recipient = mail.answered(answer.rcptNo());
        if (recipient != null) {
            decided(recipient, PeerReplies.refusal(answer, recipient), PeerReplies.reason(answer));
        }
    }

    private void decided(Transaction.Recipient recipient, Reply reply, String reason) {
        mail.decide(recipient, reply, reason);
        giveReplies();
        if (!hasPending() && session.waitsFor() == Wait.NOTHING) {
            session.clientsTurn();
        }
        session.input();
    }

    void timedOut() {
        mail.decideAll(Reply.TEMPORARY, "table");
        giveReplies();
    }

    /** A peer that owed answers died. */
    void lost(String reason) {
        mail.decideAll(Reply.TEMPORARY, reason);
        giveReplies();
    }
}
