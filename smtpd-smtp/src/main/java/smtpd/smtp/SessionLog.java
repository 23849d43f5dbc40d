package smtpd.smtp;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import smtpd.log.LogLine;

/** The log lines of one session: one line an event, keys in the order parsers know. */
final class SessionLog {

    private static final Logger LOG = LoggerFactory.getLogger("smtpd.smtp");

    private final long sid;
    private final Client client;

    SessionLog(long sid, Client client) {
        this.sid = sid;
        this.client = client;
    }

    void connected(String host, SessionConfig config, String fcrdns, boolean early) {
        if (!LOG.isInfoEnabled()) {
            return;
        }
        LogLine line = LogLine.of(sid, "smtp", "connected");
        line.add("address", client.text()).add("host", host).add("port", client.address().port());
        line.add("listener", config.label());
        line.add("tag", config.tag().isEmpty() ? null : config.tag()).add("fcrdns", fcrdns);
        line.add("early", early ? "1" : null).info(LOG);
    }

    void message(
            Transaction mail,
            MailContent content,
            String proto,
            String body,
            long now,
            boolean said) {
        if (!LOG.isInfoEnabled()) {
            return;
        }
        LogLine line = LogLine.of(sid, "smtp", "message").msgid("msgid", mail.msgid().value());
        line.add("size", content.stored()).add("nrcpt", mail.accepted().size()).add("proto", proto);
        line.address("from", mail.sender());
        line.add("mid", content.messageId().isEmpty() ? null : content.messageId());
        line.add("address", client.text()).add("duration_ms", now - mail.startedAt());
        line.add("body", body).add("need", content.need(mail));
        line.add("unsaid", said ? null : "1").info(LOG);
        for (Transaction.Accepted rcpt : mail.accepted()) {
            envelopes(mail, rcpt);
        }
    }

    private void envelopes(Transaction mail, Transaction.Accepted rcpt) {
        for (int low : rcpt.lows()) {
            long evpid = ((long) mail.msgid().value() << 32) | (low & 0xffffffffL);
            LogLine line = LogLine.of(sid, "smtp", "envelope").id("evpid", evpid);
            line.address("from", mail.sender()).address("to", rcpt.address()).info(LOG);
        }
    }

    void failed(String command, Reply reply, String phase, String reason, String host) {
        if (LOG.isInfoEnabled()) {
            LogLine line = LogLine.of(sid, "smtp", "failed-command").quoted("command", command);
            line.quoted("result", reply).add("phase", phase).add("reason", reason);
            line.add("address", client.text()).add("host", host).info(LOG);
        }
    }

    void badInput(Reply reply) {
        LogLine line = LogLine.of(sid, "smtp", "bad-input").quoted("result", reply);
        line.add("address", client.text()).info(LOG);
    }

    void disconnected(String reason, int commands, int messages, long millis) {
        LogLine line = LogLine.of(sid, "smtp", "disconnected").add("reason", reason);
        line.add("commands", commands).add("messages", messages).add("duration_ms", millis);
        line.add("address", client.text()).info(LOG);
    }

    /** A defect of ours that one session met; the others go on. */
    void defect(Throwable cause) {
        LOG.error("{}", LogLine.of(sid, "smtp", "defect").add("error", cause), cause);
    }
}
