package smtpd.smtp;

import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import smtpd.imsg.ReverseLookup;
import smtpd.imsg.ReverseName;
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

    private static final byte[] EMPTY = {};
    private static final int IDLE_SECONDS = 300;
    private static final int NAME_SECONDS = 10;
    private static final int CLOSE_SECONDS = 5;
    private static final int COMMANDS_A_TURN = 50;
    private static final int MAX_BAD = 5;
    private static final int MAX_BAD_TRUSTED = 20;
    private static final int MAX_IDLE_COMMANDS = 50;

    private final long sid;
    private final SessionLoop shared;
    private final SessionConfig config;
    private final Client client;
    private final Wire wire;
    private final SessionLog log;
    private final LineScanner scanner = new LineScanner();
    private final MailExchange exchange;
    private final long startedAt;
    private final long startedSecond;

    private State state = State.HELLO;
    private Wait wait = Wait.NOTHING;

    private String helo = "";
    private boolean esmtp;
    private String hostname = "<unknown>";
    private String fcrdns = "error";
    private boolean named;
    private boolean connectedLogged;
    private boolean early;

    private int commands;
    private int bad;
    private int idle;
    private long unsent;
    private boolean lineBegun;
    private boolean progressed;
    private boolean running;
    private boolean stopping;
    private boolean gone;
    private boolean counted;
    private boolean ended;
    private String endReason = "";

    // The command being carried out, for its log line.
    private byte[] line = EMPTY;
    private int lineFrom;
    private int lineTo;
    private Verb verb = Verb.UNKNOWN;

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
        wire.attach(this);
    }

    // ---- beginning

    /** The connection stands: says who we are, asks who the client is. */
    void begin() {
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
                            : exchange.isInChunk() ? exchange.chunk() : !isBusy() && command();
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
        boolean free = wait == Wait.NOTHING && !exchange.hasPendingRecipients();
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

    private boolean command() {
        byte[] a = wire.array();
        int from = wire.head();
        int to = wire.tail();
        if (commands == 0 && to - from > 1 && a[from] == 0x16 && a[from + 1] == 0x03) {
            endReason = "tls on plain port";
            wire.drop();
            return false;
        }
        LineScanner.Found found = scanner.scan(a, from, to);
        if (found == LineScanner.Found.INCOMPLETE) {
            wire.consume(scanner.next());
            return false;
        }
        int end = found == LineScanner.Found.LINE ? scanner.end() : from;
        int word = Ascii.indexOf(a, from, end, ' ');
        Verb said = Verb.of(a, from, word);
        if (mustWait(said)) {
            return false;
        }
        scanner.taken();
        wire.consume(scanner.next());
        commands++;
        line = a;
        lineFrom = from;
        lineTo = end;
        verb = said;
        if (found == LineScanner.Found.LINE) {
            execute(a, from, word, end);
        } else {
            badLine(found);
        }
        line = EMPTY;
        lineFrom = 0;
        lineTo = 0;
        return true;
    }

    /** RCPT may join those that are with lka; everything else waits for them. */
    private boolean mustWait(Verb said) {
        if (said == Verb.RCPT && exchange.isOpen() && !named) {
            wait = Wait.NAME;
            long left = NAME_SECONDS - (shared.wheel.now() - startedSecond);
            arm((int) Math.max(1, left));
            return true;
        }
        return !exchange.mayBegin(said);
    }

    private void badLine(LineScanner.Found found) {
        Reply reply =
                switch (found) {
                    case BARE_LF -> Reply.NOT_CRLF;
                    case TOO_LONG, FLOODED -> Reply.LINE_TOO_LONG;
                    default -> Reply.INVALID_CHARACTER;
                };
        log.badInput(reply);
        reply(reply);
        switch (found) {
            case BARE_LF -> close("bare-lf");
            case NUL, BARE_CR, FLOODED -> close("bad-input");
            default -> {}
        }
    }

    private void execute(byte[] a, int from, int word, int end) {
        if (from == end) {
            reply(Reply.EMPTY_COMMAND);
            return;
        }
        if ((commands == 1 && isForeign(a, from, end)) || Ascii.startsWith(a, from, end, "host:")) {
            reply(Reply.MAIL_SERVER);
            close("bad-input");
            return;
        }
        if (scanner.hasHighBit() && !mayBeUtf8()) {
            log.badInput(Reply.INVALID_CHARACTER);
            reply(Reply.INVALID_CHARACTER);
            return;
        }
        int arg = Ascii.skipBlanks(a, word, end);
        boolean bare = word == end;
        switch (verb) {
            case HELO, EHLO -> hello(a, word, end);
            case MAIL -> exchange.mailFrom(a, arg, end);
            case RCPT -> exchange.rcptTo(a, arg, end);
            case DATA -> exchange.dataCommand(bare);
            case BDAT -> exchange.bdat(a, arg, end);
            case RSET -> rset(bare);
            case NOOP -> idleCommand(Reply.OK);
            case QUIT -> quit(bare);
            case VRFY -> idleCommand(bare ? verb.syntax() : Reply.CANNOT_VERIFY);
            case EXPN -> idleCommand(Reply.NO_EXPN);
            case HELP -> idleCommand(Reply.HELP);
            case STARTTLS -> reply(orOutOfPlace(bare ? Reply.NO_STARTTLS : verb.syntax()));
            case AUTH -> auth();
            case NOT_IMPLEMENTED -> reply(Reply.NOT_IMPLEMENTED);
            case UNKNOWN -> reply(Reply.UNRECOGNIZED);
        }
    }

    private boolean mayBeUtf8() {
        return switch (verb) {
            case MAIL, RCPT, VRFY, HELO, EHLO -> true;
            default -> false;
        };
    }

    private static boolean isForeign(byte[] a, int from, int end) {
        return Ascii.startsWith(a, from, end, "get ")
                || Ascii.startsWith(a, from, end, "post ")
                || Ascii.startsWith(a, from, end, "put ")
                || Ascii.startsWith(a, from, end, "head ")
                || Ascii.startsWith(a, from, end, "options ")
                || Ascii.startsWith(a, from, end, "connect ")
                || Ascii.startsWith(a, from, end, "pri ");
    }

    // ---- commands without a mail

    private void hello(byte[] a, int word, int end) {
        if (word == end) {
            reply(verb == Verb.EHLO ? Reply.EHLO_SYNTAX : Reply.HELO_SYNTAX);
            return;
        }
        String name = heloArgument(a, word + 1, end);
        if (name == null) {
            reply(Reply.HELO_NAME);
            return;
        }
        if (state != State.HELLO && isTooIdle()) {
            return;
        }
        exchange.rollback();
        helo = name;
        esmtp = verb == Verb.EHLO;
        state = State.READY;
        bad = 0;
        String greeting = " Hello " + name + " [" + client.tagged() + "], pleased to meet you\r\n";
        wire.write(
                ((esmtp ? "250-" : "250 ") + config.name() + greeting)
                        .getBytes(StandardCharsets.US_ASCII));
        if (esmtp) {
            wire.write(config.extensions());
        }
    }

    private String heloArgument(byte[] a, int from, int to) {
        if (!client.isLocal()) {
            return DomainName.helo(a, from, to);
        }
        boolean printable =
                to - from <= DomainName.MAX
                        && !Ascii.hasHighBit(a, from, to)
                        && Ascii.indexOf(a, from, to, ' ') == to;
        return printable ? Ascii.text(a, from, to) : null;
    }

    private void rset(boolean bare) {
        if (!bare) {
            reply(verb.syntax());
            return;
        }
        if (isTooIdle()) {
            return;
        }
        exchange.rollback();
        state = state == State.HELLO ? State.HELLO : State.READY;
        reply(Reply.RESET);
    }

    private void idleCommand(Reply reply) {
        if (!isTooIdle()) {
            reply(reply);
        }
    }

    /** Commands that bring no mail nearer are free, but not for ever. */
    boolean isTooIdle() {
        if (client.isLocal() || ++idle <= MAX_IDLE_COMMANDS) {
            return false;
        }
        kick("Too many commands without a mail");
        return true;
    }

    private void kick(String text) {
        shared.stats.increment(Stat.SMTP_KICK);
        endReason = "kick";
        reply(Reply.closing("4.7.0", config.name(), text));
    }

    private void quit(boolean bare) {
        if (!bare) {
            reply(verb.syntax());
            return;
        }
        reply(Reply.BYE);
        close("quit");
    }

    private void auth() {
        Reply answer = client.isLocal() ? Reply.ALREADY_AUTHENTICATED : Reply.NO_AUTH;
        boolean greeted = state != State.HELLO && esmtp;
        reply(greeted ? orOutOfPlace(answer) : Reply.SAY_EHLO);
    }

    /** What STARTTLS and AUTH are told where they may not stand. */
    private Reply orOutOfPlace(Reply inPlace) {
        return switch (state) {
            case HELLO -> Reply.SAY_EHLO;
            case READY -> inPlace;
            case FAILED -> Reply.SEND_RSET;
            default -> Reply.NOT_IN_TRANSACTION;
        };
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
        wire.write(said.bytes(esmtp || helo.isEmpty()));
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
        log.failed(command != null ? command : lineText(), reply, phase(), why, hostname);
    }

    /** What a client sent behind AUTH may be a password. */
    private String lineText() {
        return verb == Verb.AUTH ? "AUTH ********" : Ascii.printable(line, lineFrom, lineTo);
    }

    /** The command as the client sent it, for a log line to come. */
    String commandText() {
        return Ascii.printable(line, lineFrom, lineTo);
    }

    private String phase() {
        return switch (verb) {
            case HELO, EHLO -> "helo";
            case MAIL -> "mail";
            case RCPT -> "rcpt";
            case DATA, BDAT -> "data";
            case AUTH -> "auth";
            case STARTTLS -> "starttls";
            default -> "command";
        };
    }

    // ---- what the exchange of mail needs

    long sid() {
        return sid;
    }

    State state() {
        return state;
    }

    void state(State next) {
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
        return esmtp;
    }

    /** As the client said it; our own machine needs no name. */
    String heloName() {
        return client.isLocal() ? "localhost" : helo;
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

    /** What was waited for is there: it is the client's turn again. */
    void clientsTurn() {
        wait = Wait.NOTHING;
        lineBegun = false;
        arm(IDLE_SECONDS);
    }

    /** A mail was accepted: the client is of use. */
    void useful() {
        idle = 0;
    }

    /** What follows is about the mail that just ended, not about the line last read. */
    void replyToMail(Verb about, Reply answer, String reason) {
        verb = about;
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
                if (exchange.hasPendingRecipients()) {
                    shared.stats.increment(Stat.IMSG_TIMEOUT);
                    exchange.recipientsTimedOut();
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
            wire.drop();
        } else {
            timeout();
        }
    }

    /** The client is silent, or too slow to be honest. */
    void timeout() {
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
        shared.wheel.forget(this);
        logConnected();
        log.disconnected(
                endReason.isEmpty() ? "disconnect" : endReason,
                commands,
                exchange.messages(),
                shared.clock.millis() - startedAt);
        shared.backstage.ended(this);
    }
}
