package smtpd.mta.session;

import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoop;
import java.net.InetSocketAddress;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

/**
 * One outgoing connection: greets, takes mail after mail from {@link SessionEvents#next}, quits.
 *
 * <p>The states, and what moves it from one to the next. A reply only changes state; what comes
 * next is sent when all bytes of a read are consumed, so that surplus bytes of the peer are never
 * taken for the answer to something not yet asked.
 */
public final class OutboundSession {

    private enum Stage {
        CONNECTING,
        GREETING,
        READY,
        SENDING,
        QUITTING,
        CLOSED
    }

    private final SessionSpec spec;
    private final EventLoop loop;
    private final Executor contentExecutor;
    private final SessionEvents events;
    private final SessionTrace trace;
    private final ReplyParser parser = new ReplyParser();
    private final Dialogue dialogue;
    private final Greeting greeting;
    private final Answers answers;
    private final Transactions transactions;
    private final Sending sending;
    private final Judgement judgement;

    private Stage stage = Stage.CONNECTING;
    private Connection connection;
    private boolean wasReady;
    private boolean hasIdled;

    public OutboundSession(
            SessionSpec spec, EventLoop loop, Executor contentExecutor, SessionEvents events) {
        this.spec = spec;
        this.loop = loop;
        this.contentExecutor = contentExecutor;
        this.events = events;
        this.trace = new SessionTrace(spec.id());
        this.dialogue = new Dialogue(spec.timeouts(), loop, trace, this::timeout);
        this.greeting = new Greeting(spec);
        this.answers = new Answers(spec);
        this.transactions = new Transactions(this, events);
        this.sending =
                new Sending(spec, dialogue, trace, contentExecutor, transactions, this::unreadable);
        this.judgement = new Judgement(this, events, dialogue, answers, transactions, sending);
    }

    public SessionSpec spec() {
        return spec;
    }

    /** What the peer offered; empty before {@link SessionEvents#ready}. */
    public Extensions extensions() {
        return greeting.extensions();
    }

    /** How many recipients one transaction of this session may have. */
    public int recipientLimit() {
        int limit = answers.recipientLimit();
        int offered = extensions().rcptMax();
        return offered > 0 ? Math.min(limit, offered) : limit;
    }

    /** True when it could take a mail at once. */
    public boolean isIdle() {
        return stage == Stage.READY;
    }

    boolean isClosed() {
        return stage == Stage.CLOSED;
    }

    /** Transactions finished so far. */
    public int mails() {
        return transactions.finished();
    }

    /** The address our end is bound to; null while not connected. */
    public InetSocketAddress localAddress() {
        return connection == null ? null : (InetSocketAddress) connection.channel().localAddress();
    }

    public void start() {
        loop.execute(this::connect);
    }

    /** Looks for mail again when idle. */
    public void wake() {
        if (stage == Stage.READY) {
            takeNext();
        }
    }

    /** Ends after the transaction that runs; an idle session quits at once. */
    public void stop() {
        transactions.stop();
        switch (stage) {
            case READY -> quit();
            case CONNECTING, GREETING ->
                    end(
                            SessionEnd.Cause.STOPPED,
                            dialogue.timed(),
                            "451 4.3.2 Shutting down",
                            null);
            default -> {}
        }
    }

    /** Ends at once, whatever runs; an open transaction is deferred. */
    public void abort() {
        if (stage != Stage.CLOSED) {
            lost(SessionEnd.Cause.STOPPED, Reason.LOCAL_TEMPFAIL, "451 4.3.2 Shutting down");
        }
    }

    // -- connection

    private void connect() {
        if (stage == Stage.CLOSED) {
            return;
        }
        stage = Stage.CONNECTING;
        trace.connecting(spec);
        connection = new Connection(loop, trace, new Network());
        connection.open(spec);
        dialogue.over(connection.channel());
    }

    private void connected() {
        stage = Stage.GREETING;
        greeting.begin();
        events.connected(this);
        if (stage == Stage.GREETING) {
            dialogue.await(Phase.BANNER);
        }
    }

    // -- replies

    private void read(ByteBuf in) {
        while (in.isReadable() && stage != Stage.CLOSED) {
            if (dialogue.isQuiet() && !isContentDue()) {
                if (stage == Stage.SENDING) {
                    judgement.surplus();
                } else {
                    surplus();
                }
                return;
            }
            Reply reply = parser.read(in);
            if (parser.garbage() != null) {
                garbage(parser.garbage());
                return;
            }
            if (reply == null) {
                return;
            }
            trace.reply(reply);
            if (dialogue.isQuiet()) {
                judgement.earlyReply(reply);
                return;
            }
            answer(dialogue.answered(), reply);
            if (stage != Stage.CLOSED) {
                dialogue.armNext();
            }
        }
    }

    /** True from the 354 to the end of the content. */
    private boolean isContentDue() {
        Attempt current = transactions.current();
        return sending.isInContent() || (current != null && current.go);
    }

    /** Nothing was asked for: who sends a line now is of no use, and no mail suffers. */
    private void surplus() {
        if (stage == Stage.READY || stage == Stage.QUITTING) {
            idleLost();
        } else {
            garbage("surplus reply");
        }
    }

    void garbage(String why) {
        lost(SessionEnd.Cause.GARBAGE, Reason.IO_ERROR, "451 4.5.0 Bad response: " + why);
    }

    private void answer(Dialogue.Awaited due, Reply reply) {
        if (due.phase() == Phase.QUIT) {
            end(SessionEnd.Cause.QUIT, Phase.QUIT, "", null);
        } else if (!wasReady) {
            greeted(due.phase(), reply);
        } else {
            judgement.answer(due, reply);
        }
    }

    private void greeted(Phase phase, Reply reply) {
        switch (greeting.answer(phase, reply, parser)) {
            case ON -> {}
            case GARBAGE -> garbage("code out of range");
            case REFUSED -> end(SessionEnd.Cause.REFUSED, phase, reply.asTemporary().text(), reply);
            case OURSELVES ->
                    end(
                            SessionEnd.Cause.OURSELVES,
                            phase,
                            "451 4.4.6 Host greeted us with our own name",
                            null);
        }
    }

    // -- what comes next

    private void advance() {
        if (stage == Stage.GREETING && dialogue.isQuiet()) {
            greetOn();
        }
        while (stage == Stage.SENDING && dialogue.isQuiet() && !sending.isInContent()) {
            Attempt current = transactions.current();
            if (current == null) {
                takeNext();
                return;
            }
            if (!step(current)) {
                return;
            }
        }
    }

    private void greetOn() {
        if (greeting.next() != Phase.READY) {
            greeting.say(dialogue, parser);
            return;
        }
        wasReady = true;
        stage = Stage.READY;
        sending.offered(extensions());
        events.ready(this);
        if (stage == Stage.READY) {
            takeNext();
        }
    }

    private void takeNext() {
        stage = Stage.READY;
        if (!transactions.mayBegin()) {
            transactions.returnOpen();
            quit();
            return;
        }
        boolean hasSent = transactions.finished() > 0;
        if (spec.pauseMillis() > 0 && hasSent && dialogue.timed() != Phase.READY) {
            loop.schedule(this::wake, spec.pauseMillis(), TimeUnit.MILLISECONDS);
            dialogue.arm(Phase.READY, spec.keepAliveMillis() + spec.pauseMillis());
            return;
        }
        Attempt next = transactions.takeFollowing();
        if (next == null) {
            Transaction taken = transactions.take();
            if (stage != Stage.READY) {
                return;
            }
            if (taken == null) {
                hasIdled = true;
                dialogue.arm(Phase.READY, spec.keepAliveMillis());
                return;
            }
            next = new Attempt(taken, hasSent || hasIdled);
        }
        begin(next);
    }

    private void begin(Attempt attempt) {
        stage = Stage.SENDING;
        transactions.begin(attempt);
        if (attempt.mail().content() instanceof Content.OnDisk disk && attempt.firstPiece == null) {
            // Nothing is said of a mail whose content cannot be read.
            dialogue.arm(Phase.BODY);
            attempt.reading = true;
            BodyWriter.read(
                    disk,
                    0,
                    connection.channel(),
                    contentExecutor,
                    bytes -> prefetched(attempt, bytes));
        } else {
            sendOrFinish(attempt);
        }
    }

    private void prefetched(Attempt attempt, byte[] bytes) {
        if (stage == Stage.CLOSED || transactions.current() != attempt) {
            return;
        }
        if (bytes == null) {
            attempt.refuse(
                    Result.deferred(Reason.LOCAL_TEMPFAIL, "451 4.3.0 Could not get message fd"));
            complete(attempt);
            advance();
            return;
        }
        attempt.reading = false;
        attempt.firstPiece = bytes;
        sendOrFinish(attempt);
    }

    private void sendOrFinish(Attempt attempt) {
        if (attempt.hasRecipientToSend()) {
            sending.commands(attempt);
        } else {
            complete(attempt);
            advance();
        }
    }

    /** One step of a transaction that waits for no reply; false when something was sent. */
    private boolean step(Attempt attempt) {
        if (attempt.reading) {
            return false;
        }
        if (attempt.isSettled()) {
            if (!attempt.mailRefused) {
                sending.needsReset();
            }
            complete(attempt);
            return true;
        }
        sending.next(attempt);
        return false;
    }

    // -- ends

    void complete(Attempt attempt) {
        transactions.complete(attempt);
        if (transactions.areAllRejected() && stage == Stage.SENDING) {
            rejectsAll();
        }
    }

    private void rejectsAll() {
        if (transactions.current() == null) {
            sending.quit();
        }
        transactions.returnOpen();
        Reply lastRefusal = answers.lastRefusal();
        String text = lastRefusal == null ? "" : lastRefusal.text();
        end(SessionEnd.Cause.REJECTS_ALL, Phase.READY, text, lastRefusal);
    }

    private void quit() {
        stage = Stage.QUITTING;
        dialogue.forget();
        sending.quit();
        dialogue.await(Phase.QUIT);
    }

    private void idleLost() {
        SessionEnd.Cause cause =
                stage == Stage.QUITTING ? SessionEnd.Cause.QUIT : SessionEnd.Cause.IDLE;
        end(cause, Phase.READY, "", null);
    }

    /** The connection is of no more use; who is on it is deferred or goes back. */
    void lost(SessionEnd.Cause cause, Reason reason, String text) {
        switch (stage) {
            case CLOSED -> {}
            case READY, QUITTING -> idleLost();
            case CONNECTING, GREETING -> {
                Phase at = dialogue.phase();
                if (at == Phase.EHLO
                        && cause == SessionEnd.Cause.NETWORK
                        && greeting.withoutEhlo()) {
                    reconnect();
                } else {
                    end(cause, at, text, null);
                }
            }
            case SENDING -> {
                boolean inContent = sending.isInContent();
                Phase at = phase();
                sending.stopContent();
                transactions.lost(cause, at, inContent, reason, text);
                end(cause, at, text, null);
            }
        }
    }

    private void reconnect() {
        dialogue.forget();
        parser.forget();
        connection.forget();
        connect();
    }

    void end(SessionEnd.Cause cause, Phase phase, String text, Reply reply) {
        if (stage == Stage.CLOSED) {
            return;
        }
        stage = Stage.CLOSED;
        trace.closed(cause, text);
        dialogue.end();
        if (connection != null) {
            connection.close();
        }
        events.closed(this, new SessionEnd(cause, phase, text, reply, wasReady, mails()));
    }

    private void timeout() {
        trace.io("IO_TIMEOUT", connection.channel(), 0);
        switch (stage) {
            case READY -> quit();
            case QUITTING -> end(SessionEnd.Cause.QUIT, Phase.QUIT, "", null);
            default -> {
                String text = "451 4.4.1 Connection timeout (" + dialogue.timed().label() + ")";
                lost(SessionEnd.Cause.TIMEOUT, Reason.IO_ERROR, text);
            }
        }
    }

    private Phase phase() {
        return sending.isInContent() ? Phase.BODY : dialogue.phase();
    }

    /** Half a mail is out; only closing keeps the peer from taking it for a whole one. */
    private void unreadable() {
        lost(
                SessionEnd.Cause.RESOURCE,
                Reason.LOCAL_TEMPFAIL,
                "451 4.3.0 Could not get message fd");
    }

    /** What happens to the connection. */
    private final class Network implements Connection.Events {
        @Override
        public void connected() {
            if (stage == Stage.CLOSED) {
                connection.close();
            } else {
                OutboundSession.this.connected();
            }
        }

        @Override
        public void refused(Throwable cause) {
            ConnectFailure failure = ConnectFailure.of(cause);
            end(failure.cause(), Phase.CONNECT, failure.text(), null);
        }

        @Override
        public void read(ByteBuf in) {
            OutboundSession.this.read(in);
        }

        @Override
        public void readComplete() {
            advance();
        }

        @Override
        public void writable() {
            sending.writable();
        }

        @Override
        public void closed() {
            String text = "451 4.4.2 Connection closed unexpectedly (" + phase().label() + ")";
            lost(SessionEnd.Cause.NETWORK, Reason.IO_ERROR, text);
        }

        @Override
        public void broken(Throwable cause) {
            String text = "451 4.4.2 IO Error: " + ConnectFailure.plain(cause);
            lost(SessionEnd.Cause.NETWORK, Reason.IO_ERROR, text);
        }
    }
}
