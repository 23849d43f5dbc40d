package smtpd.smtp;

import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import smtpd.imsg.ReverseLookup;
import smtpd.imsg.ReverseName;
import smtpd.log.Trace;
import smtpd.stat.Stat;

/**
 * One client (RFC 5321): what it may say now, what it is told, when it has to go. Commands are
 * carried out one after the other; only RCPT may be several at once with lka, and even then replies
 * keep their order. Mails are the business of {@link MailExchange}. Belongs to its event loop.
 */
final class Session extends TimerWheel.Timed {

    /** Where the dialogue stands. */
    enum State {
        /** Not greeted. */
        HELLO,
        /** Greeted, no mail begun. */
        READY,
        MAIL,
        /** At least one recipient accepted. */
        RCPT,
        /** BDAT begun. */
        BDAT,
        /** A BDAT failed: only RSET helps. */
        FAILED,
        DATA,
        /** The queue decides. */
        COMMIT
    }

    /** What the next command waits for. */
    enum Wait {
        NOTHING,
        NAME,
        DELAY,
        FILE_OPEN,
        FILE_ROOM,
        COMMIT
    }

    private static final int IDLE_SECONDS = 300;
    private static final int NAME_SECONDS = 10;
    private static final int CLOSE_SECONDS = 5;
    private static final int COMMANDS_A_TURN = 50;
    private static final int MAX_BAD = 5;
    private static final int MAX_BAD_TRUSTED = 20;

    private final long sid;
    private final SessionLoop shared;
    private final SessionConfig config;
    private final Client client;
    private final Wire wire;
    private final SessionLog log;
    private final MailExchange exchange;
    private final Commands dialogue;
    private final long startedAt;
    private final long startedSecond;

    private State state = State.HELLO;
    private Wait wait = Wait.NOTHING;

    private String hostname = "<unknown>";
    private String fcrdns = "error";
    private boolean named;
    private boolean connectedLogged;
    private boolean early;

    private int bad;
    private long unsent;
    private boolean lineBegun;
    private boolean progressed;
    private boolean running;
    private boolean stopping;
    private boolean gone;
    private boolean counted;
    private boolean ended;
    private String endReason = "";

    Session(long sid, SessionLoop shared, SessionConfig config, Client client, Wire wire) {
        this.sid = sid;
        this.shared = shared;
        this.config = config;
        this.client = client;
        this.wire = wire;
        this.log = new SessionLog(sid, client);
        this.startedAt = shared.clock.millis();
        this.startedSecond = shared.wheel.now();
        this.exchange = new MailExchange(this, shared, config, client, wire);
        this.dialogue = new Commands(this, shared, config, client, wire);
        wire.attach(this);
    }

    // ---- beginning

    /** The connection stands: says who we are, asks who the client is. */
    void begin() {
        wire.trace("IO_CONNECTED");
        if (Trace.SMTP.isOn()) {
            SessionTrace.connected(sid, client, config);
        }
        if (client.isLocal()) {
            named(client.uid() + "@localhost", "pass");
        } else if (!shared.backstage.lookUp(sid, new ReverseLookup(client.address()))) {
            named("<unknown>", "error");
        }
        reply(Reply.of(220, "", config.name() + " ESMTP smtpd"));
        arm(IDLE_SECONDS);
    }

    /** Answers instead of the banner, and closes. */
    void turnAway(Reply reply) {
        named = true;
        connectedLogged = true;
        endReason = "limit";
        reply(reply);
    }

    private void named(String name, String confirmed) {
        hostname = name;
        fcrdns = confirmed;
        named = true;
        logConnected();
        if (wait == Wait.NAME) {
            wait = Wait.NOTHING;
            arm(IDLE_SECONDS);
        }
    }

    private void logConnected() {
        if (!connectedLogged) {
            connectedLogged = true;
            log.connected(hostname, config, fcrdns, early);
        }
    }

    // ---- input

    /** Bytes came, or something that was waited for happened: goes on as far as possible. */
    void input() {
        if (running || wire.isClosing()) {
            return;
        }
        running = true;
        boolean more = turn();
        running = false;
        settle(more);
    }

    /** True when the work of this turn was cut. */
    private boolean turn() {
        progressed = false;
        for (int n = 0; canGoOn(); n++) {
            if (n == COMMANDS_A_TURN) {
                wire.inputLater();
                return true;
            }
            boolean done =
                    state == State.DATA
                            ? exchange.data()
                            : exchange.isInChunk()
                                    ? exchange.chunk()
                                    : !isBusy() && dialogue.next();
            if (!done) {
                return false;
            }
            progressed = true;
        }
        return false;
    }

    private boolean canGoOn() {
        return wire.hasInput() && wait == Wait.NOTHING && !wire.isClosing() && wire.isWritable();
    }

    private boolean isBusy() {
        if (shared.backstage.isCongested()) {
            shared.loop.schedule(this::input, 50, TimeUnit.MILLISECONDS);
            return true;
        }
        return false;
    }

    private void settle(boolean more) {
        if (wire.isClosing()) {
            return;
        }
        boolean free = wait == Wait.NOTHING && !exchange.recipients().hasPending();
        if (stopping && free && !isReceiving()) {
            endReason = "shutdown";
            reply(Reply.closing("4.3.2", config.name(), "Shutting down"));
            return;
        }
        if (free && wire.isEndOfInput() && !more && wire.isWritable()) {
            close("disconnect");
            return;
        }
        wire.read(wait != Wait.DELAY && wait != Wait.FILE_OPEN && wait != Wait.FILE_ROOM);
        if (!free) {
            return;
        }
        // A byte a minute must not keep a command line alive: only a whole one counts.
        if (progressed || !lineBegun) {
            arm(IDLE_SECONDS);
        }
        lineBegun = wire.hasInput() && !isReceiving();
        unsent = wire.isWritable() ? 0 : wire.unsent();
    }

    private boolean isReceiving() {
        return state == State.DATA || state == State.BDAT || exchange.isInChunk();
    }

    // ---- replies

    void reply(Reply reply) {
        reply(reply, null, null);
    }

    /**
     * Queues a reply and draws its consequences: a log line, the count of useless commands, the end
     * of the session after 421.
     *
     * @param reason word of the closed list for the log; null: by the code
     * @param command for the log; null: the command being carried out
     */
    void reply(Reply reply, String reason, String command) {
        if (wire.isClosing()) {
            return;
        }
        Reply said = reply;
        if (reply.code() >= 400) {
            if (reply.isBadCommand() && ++bad >= (client.isLocal() ? MAX_BAD_TRUSTED : MAX_BAD)) {
                shared.stats.increment(Stat.SMTP_KICK);
                endReason = "kick";
                said = Reply.closing("4.7.0", config.name(), "Too many errors");
            }
            logFailed(said, reason, command);
        } else {
            bad = 0;
        }
        wire.write(said.bytes(!dialogue.isHelo()));
        if (said.isClosing()) {
            close(endReason.isEmpty() ? "error" : endReason);
        }
    }

    private void logFailed(Reply reply, String reason, String command) {
        shared.stats.increment(Stat.SMTP_REJECT);
        String why = reason;
        if (why == null) {
            why =
                    switch (reply.code()) {
                        case 421 -> "too-many-errors";
                        case 452 -> "disk-full";
                        case 552 -> "size";
                        default -> reply.isPermanent() ? "syntax" : "error";
                    };
        }
        log.failed(
                command != null ? command : dialogue.lineText(),
                reply,
                dialogue.phase(),
                why,
                hostname);
    }

    // ---- what the exchange of mail needs

    long sid() {
        return sid;
    }

    State state() {
        return state;
    }

    void state(State next) {
        if (Trace.SMTP.isOn()) {
            SessionTrace.state(sid, state, next);
        }
        state = next;
    }

    Wait waitsFor() {
        return wait;
    }

    void waitFor(Wait what) {
        wait = what;
    }

    void arm(int seconds) {
        shared.wheel.arm(this, seconds);
    }

    boolean isEsmtp() {
        return dialogue.isEsmtp();
    }

    /** As the client said it; our own machine needs no name. */
    String heloName() {
        return client.isLocal() ? "localhost" : dialogue.helo();
    }

    String hostname() {
        return hostname;
    }

    boolean isNameConfirmed() {
        return fcrdns.equals("pass");
    }

    void endReason(String reason) {
        endReason = reason;
    }

    SessionLog log() {
        return log;
    }

    /** The client is gone; only an answer of the queue is still waited for. */
    boolean isGone() {
        return gone;
    }

    /** The client's name is known, or known not to come; if not, the next command waits for it. */
    boolean isNamed() {
        if (!named) {
            wait = Wait.NAME;
            long left = NAME_SECONDS - (shared.wheel.now() - startedSecond);
            arm((int) Math.max(1, left));
        }
        return named;
    }

    /** Nonsense is forgiven to whoever greets again. */
    void forgive() {
        bad = 0;
    }

    boolean isTooIdle() {
        return dialogue.isTooIdle();
    }

    /** The command as the client sent it, for a log line to come. */
    String commandText() {
        return dialogue.lineText();
    }

    /** What was waited for is there: it is the client's turn again. */
    void clientsTurn() {
        wait = Wait.NOTHING;
        lineBegun = false;
        arm(IDLE_SECONDS);
    }

    /** A mail was accepted: the client is of use. */
    void useful() {
        dialogue.useful();
    }

    /** What follows is about the mail that just ended, not about the line last read. */
    void replyToMail(Verb about, Reply answer, String reason) {
        dialogue.about(about);
        reply(answer, reason, about.name());
    }

    /** The configuration this session began with. */
    SessionConfig config() {
        return config;
    }

    Client client() {
        return client;
    }

    /** Counts against the limit of its source. */
    void counted() {
        counted = true;
    }

    boolean isCounted() {
        return counted;
    }

    /** Bytes of the client that are not used up. */
    int bufferedInput() {
        return wire.buffered();
    }

    /** The client takes its replies. */
    boolean isClientReading() {
        return wire.isWritable();
    }

    MailExchange exchange() {
        return exchange;
    }

    // ---- news from other processes

    void reverseName(ReverseName answer) {
        if (named) {
            return;
        }
        switch (answer.status()) {
            case OK -> {
                boolean good = answer.forwardConfirmed() && isHostName(answer.name());
                named(good ? answer.name() : "<unknown>", good ? "pass" : "fail");
            }
            case RETRY -> named("<unknown>", "error");
            default -> named("<unknown>", "fail");
        }
        input();
    }

    /** A PTR record may hold anything; it goes into a header and into logs. */
    private static boolean isHostName(String name) {
        byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
        return bytes.length <= DomainName.MAX
                && DomainName.scan(bytes, 0, bytes.length, false) == bytes.length;
    }

    void lkaLost() {
        if (!named) {
            named("<unknown>", "error");
        }
        exchange.lkaLost();
        input();
    }

    // ---- time and end

    @Override
    void expired() {
        if (wire.isClosing() && !gone) {
            wire.drop();
            return;
        }
        switch (wait) {
            case NAME -> {
                shared.stats.increment(Stat.IMSG_TIMEOUT);
                named("<unknown>", "error");
                input();
            }
            case DELAY, FILE_ROOM -> arm(IDLE_SECONDS);
            case FILE_OPEN, COMMIT -> {
                shared.stats.increment(Stat.IMSG_TIMEOUT);
                exchange.timedOut(wait);
            }
            case NOTHING -> {
                if (exchange.recipients().hasPending()) {
                    shared.stats.increment(Stat.IMSG_TIMEOUT);
                    exchange.recipients().timedOut();
                    input();
                } else {
                    silence();
                }
            }
        }
    }

    private void silence() {
        if (!wire.isWritable() && wire.unsent() < unsent) {
            unsent = wire.unsent();
            arm(IDLE_SECONDS);
        } else if (!wire.isWritable()) {
            endReason = "timeout";
            shared.stats.increment(Stat.SMTP_TIMEOUT);
            wire.trace("IO_TIMEOUT");
            wire.drop();
        } else {
            timeout();
        }
    }

    /** The client is silent, or too slow to be honest. */
    void timeout() {
        wire.trace("IO_TIMEOUT");
        shared.stats.increment(Stat.SMTP_TIMEOUT);
        endReason = "timeout";
        reply(Reply.closing("4.4.2", config.name(), "Timeout"), "error", "");
    }

    /** The process stops: what is begun may end, then 421. */
    void stop() {
        stopping = true;
        input();
    }

    /** The time to stop is over. */
    void drop() {
        if (endReason.isEmpty()) {
            endReason = "shutdown";
        }
        wire.drop();
    }

    void close(String reason) {
        if (endReason.isEmpty()) {
            endReason = reason;
        }
        if (!exchange.isCommitting()) {
            exchange.rollback();
        }
        wire.close();
        arm(CLOSE_SECONDS);
    }

    void ioError(String message) {
        if (endReason.isEmpty()) {
            endReason = message.contains("reset") ? "disconnect" : "io-error: " + message;
        }
    }

    /** A defect of ours: this client hears 421, the others nothing. */
    void failed(Throwable cause) {
        log.defect(cause);
        running = false;
        endReason = "io-error: internal";
        reply(Reply.closing("4.3.0", config.name(), "Internal server error"), "error", "");
    }

    /** The connection is closed. A commit under way goes on: the mail stays if it is durable. */
    void gone() {
        if (gone) {
            return;
        }
        gone = true;
        shared.wheel.forget(this);
        if (!exchange.isCommitting()) {
            exchange.rollback();
            end();
        } else {
            exchange.armCommit();
        }
    }

    /** Nothing is waited for any more. */
    void end() {
        if (ended) {
            return;
        }
        ended = true;
        if (Trace.SMTP.isOn()) {
            SessionTrace.ended(sid, endReason.isEmpty() ? "disconnect" : endReason);
        }
        shared.wheel.forget(this);
        logConnected();
        log.disconnected(
                endReason.isEmpty() ? "disconnect" : endReason,
                dialogue.count(),
                exchange.messages(),
                shared.clock.millis() - startedAt);
        shared.backstage.ended(this);
    }
}
