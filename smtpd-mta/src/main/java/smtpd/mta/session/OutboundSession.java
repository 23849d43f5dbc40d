package smtpd.mta.session;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.ChannelFuture;
import io.netty.channel.EventLoop;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

/**
 * One outgoing connection: greets, takes mail after mail from {@link SessionEvents#next}, quits.
 *
 * <p>Commands that wait for a reply stand in a queue and replies are matched in order (RFC 2920). A
 * reply only changes state; what comes next is sent when all bytes of a read are consumed, so that
 * surplus bytes of the peer are never taken for the answer to something not yet asked.
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

    /** A command whose reply is due. */
    private record Awaited(Phase phase, Attempt attempt, int recipient, boolean dropped) {}

    private static final int GROUP = 100;
    private static final int MAX_REJECTED_MAILS = 10;

    private final SessionSpec spec;
    private final EventLoop loop;
    private final Executor contentExecutor;
    private final SessionEvents events;
    private final SessionTrace trace;
    private final Deadline deadline;
    private final Answers answers;

    private final ReplyParser parser = new ReplyParser();
    private final ArrayDeque<Awaited> awaited = new ArrayDeque<>();

    private Stage stage = Stage.CONNECTING;
    private Phase greeting = Phase.BANNER;
    private Connection connection;
    private Extensions extensions = Extensions.NONE;
    private boolean heloOnly;
    private boolean wasReady;
    private boolean stopping;
    private boolean needsReset;
    private boolean hasIdled;

    private Attempt current;
    private Attempt following;
    private BodyWriter body;

    private int started;
    private int mails;
    private int rejectedInRow;

    public OutboundSession(
            SessionSpec spec, EventLoop loop, Executor contentExecutor, SessionEvents events) {
        this.spec = spec;
        this.loop = loop;
        this.contentExecutor = contentExecutor;
        this.events = events;
        this.answers = new Answers(spec);
        this.trace = new SessionTrace(spec.id());
        this.deadline = new Deadline(loop, trace, this::timeout);
    }

    public SessionSpec spec() {
        return spec;
    }

    /** What the peer offered; empty before {@link SessionEvents#ready}. */
    public Extensions extensions() {
        return extensions;
    }

    /** How many recipients one transaction of this session may have. */
    public int recipientLimit() {
        int limit = answers.recipientLimit();
        return extensions.rcptMax() > 0 ? Math.min(limit, extensions.rcptMax()) : limit;
    }

    /** True when it could take a mail at once. */
    public boolean isIdle() {
        return stage == Stage.READY;
    }

    /** Transactions finished so far. */
    public int mails() {
        return mails;
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
        stopping = true;
        switch (stage) {
            case READY -> quit();
            case CONNECTING, GREETING ->
                    end(
                            SessionEnd.Cause.STOPPED,
                            deadline.phase(),
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
    }

    private void connected() {
        stage = Stage.GREETING;
        greeting = Phase.BANNER;
        events.connected(this);
        if (stage == Stage.GREETING) {
            await(Phase.BANNER);
        }
    }

    private void await(Phase phase) {
        await(phase, null, 0, false);
    }

    private void await(Phase phase, Attempt attempt, int recipient, boolean dropped) {
        awaited.add(new Awaited(phase, attempt, recipient, dropped));
        if (awaited.size() == 1) {
            arm(phase);
        }
    }

    private void send(ByteBuf out) {
        trace.commands(out, out.readerIndex());
        connection.channel().writeAndFlush(out);
    }

    private ByteBuf buffer() {
        return connection.channel().alloc().directBuffer(512);
    }

    // -- replies

    private void read(ByteBuf in) {
        while (in.isReadable() && stage != Stage.CLOSED) {
            if (awaited.isEmpty() && body == null && (current == null || !current.go)) {
                surplus();
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
            if (awaited.isEmpty()) {
                earlyReply(reply);
                return;
            }
            Awaited due = awaited.poll();
            answer(due, reply);
            if (!awaited.isEmpty() && stage != Stage.CLOSED) {
                arm(awaited.peek().phase());
            }
        }
    }

    /** More than was asked for: what stands, stands; nothing of it may touch the next mail. */
    private void surplus() {
        if (stage == Stage.READY || stage == Stage.QUITTING) {
            idleLost();
            return;
        }
        if (current != null && current.mailSent && isSettled(current)) {
            complete(current);
        }
        if (current == null && stage == Stage.SENDING) {
            returnOpen();
            end(
                    SessionEnd.Cause.GARBAGE,
                    Phase.READY,
                    "451 4.5.0 Bad response: surplus reply",
                    null);
            return;
        }
        garbage("surplus reply");
    }

    private void garbage(String why) {
        lost(SessionEnd.Cause.GARBAGE, Reason.IO_ERROR, "451 4.5.0 Bad response: " + why);
    }

    private void answer(Awaited due, Reply reply) {
        if (due.phase() == Phase.QUIT) {
            end(SessionEnd.Cause.QUIT, Phase.QUIT, "", null);
        } else if (!wasReady) {
            greet(due.phase(), reply);
        } else if (reply.code() == 421) {
            closing(due, reply);
        } else {
            Attempt attempt = due.attempt();
            switch (due.phase()) {
                case MAIL -> follow(answers.mail(attempt, reply, extensions), attempt, reply);
                case RCPT -> {
                    int index = due.recipient();
                    follow(answers.rcpt(attempt, index, reply, extensions), attempt, reply);
                }
                case DATA -> follow(answers.data(attempt, reply), attempt, reply);
                case EOM -> eomAnswer(due, reply);
                case RSET -> {
                    if (!reply.isPositive()) {
                        returnOpen();
                        end(SessionEnd.Cause.QUIT, Phase.RSET, "", null);
                    }
                }
                default -> garbage("surplus reply");
            }
        }
    }

    private void greet(Phase phase, Reply reply) {
        if (reply.isPositive()) {
            if (phase == Phase.BANNER) {
                greeting = heloOnly ? Phase.HELO : Phase.EHLO;
                return;
            }
            extensions =
                    phase == Phase.EHLO
                            ? Extensions.parse(parser.rawLines())
                            : Extensions.ofGreeting(secondWord(reply.text()));
            if (extensions.greeting().equalsIgnoreCase(spec.helo())) {
                end(
                        SessionEnd.Cause.OURSELVES,
                        phase,
                        "451 4.4.6 Host greeted us with our own name",
                        null);
                return;
            }
            greeting = Phase.READY;
            return;
        }
        boolean unknownCommand =
                reply.code() == 500
                        || reply.code() == 502
                        || reply.code() == 504
                        || reply.code() == 550;
        if (phase == Phase.EHLO && unknownCommand && !spec.lmtp()) {
            parser.rawLines();
            greeting = Phase.HELO;
            return;
        }
        if (reply.code() < 400) {
            garbage("code out of range");
            return;
        }
        end(SessionEnd.Cause.REFUSED, phase, reply.asTemporary().text(), reply);
    }

    private static String secondWord(String text) {
        int start = text.indexOf(' ') + 1;
        int end = text.indexOf(' ', start);
        return start == 0 ? "" : text.substring(start, end < 0 ? text.length() : end);
    }

    private void tooManyFailures(Attempt attempt) {
        String text = "451 4.5.3 Too many consecutive errors, closing connection";
        attempt.refuse(Result.deferred(Reason.REMOTE_4XX, text));
        boolean polite = awaited.isEmpty();
        complete(attempt);
        returnOpen();
        if (polite) {
            sendQuit();
        }
        // Unread replies stand before us, DATA may be among what they answer: nothing fits but to
        // go.
        end(SessionEnd.Cause.TOO_MANY_FAILURES, Phase.RCPT, text, null);
    }

    private void follow(Answers.Consequence consequence, Attempt attempt, Reply reply) {
        switch (consequence) {
            case NONE -> {}
            case GARBAGE -> garbage("code out of range");
            case DISAGREEMENT -> disagree(reply);
            case TOO_MANY_FAILURES -> tooManyFailures(attempt);
            case AUTHENTICATION_WANTED -> events.authenticationWanted(this, reply);
        }
    }

    /** The peer has another idea of where we are: no reply of it can be trusted any more. */
    private void disagree(Reply reply) {
        lost(
                SessionEnd.Cause.GARBAGE,
                Reason.REMOTE_4XX,
                "451 4.5.0 Bad response: " + reply.text());
    }

    private void eomAnswer(Awaited due, Reply reply) {
        if (due.dropped()) {
            needsReset = true;
            if (!due.attempt().again) {
                complete(due.attempt());
            }
            return;
        }
        if (reply.code() >= 300 && reply.code() < 400) {
            garbage("code out of range");
            return;
        }
        Attempt attempt = due.attempt();
        if (spec.lmtp()) {
            attempt.transaction.set(
                    due.recipient(),
                    reply.isPositive() ? Result.delivered(reply) : Verdict.of(reply, Phase.EOM));
            Awaited next = awaited.peek();
            if (next == null || next.phase() != Phase.EOM) {
                complete(attempt);
            }
            return;
        }
        if (reply.isPositive()) {
            Result delivered = Result.delivered(reply);
            for (int i = 0; i < attempt.accepted.length; i++) {
                if (attempt.accepted[i]) {
                    attempt.transaction.set(i, delivered);
                }
            }
        } else {
            answers.refused(reply);
            attempt.refuse(Verdict.of(reply, Phase.EOM));
        }
        complete(attempt);
    }

    /** 421: as any 4yz of that state, but nothing more is sent (RFC 5321 3.8). */
    private void closing(Awaited due, Reply reply) {
        answers.refused(reply);
        if (current != null) {
            if (due.attempt() == current) {
                Result result = Verdict.of(reply, due.phase());
                current.refuse(
                        due.phase() == Phase.EOM && spec.lmtp() ? result.afterContent() : result);
                complete(current);
            } else {
                giveBack(current, reply.text());
                current = null;
            }
        }
        returnOpen();
        end(SessionEnd.Cause.REFUSED, due.phase(), reply.text(), reply);
    }

    /** A reply while content is still being written: the peer has decided already. */
    private void earlyReply(Reply reply) {
        if (body != null) {
            body.stop();
            body = null;
        }
        if (reply.code() < 400) {
            garbage("code out of range");
            return;
        }
        answers.refused(reply);
        current.refuse(Verdict.of(reply, Phase.EOM));
        complete(current);
        end(
                reply.code() == 421 ? SessionEnd.Cause.REFUSED : SessionEnd.Cause.QUIT,
                Phase.BODY,
                reply.asTemporary().text(),
                reply.code() == 421 ? reply : null);
    }

    // -- what comes next

    private void advance() {
        if (stage == Stage.GREETING && awaited.isEmpty()) {
            greetOn();
        }
        while (stage == Stage.SENDING && awaited.isEmpty() && body == null) {
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
        switch (greeting) {
            case EHLO -> {
                parser.keepLines();
                hello(spec.lmtp() ? "LHLO " : "EHLO ", Phase.EHLO);
            }
            case HELO -> hello("HELO ", Phase.HELO);
            case READY -> {
                wasReady = true;
                stage = Stage.READY;
                events.ready(this);
                if (stage == Stage.READY) {
                    takeNext();
                }
            }
            default -> {}
        }
    }

    private void hello(String verb, Phase phase) {
        ByteBuf out = buffer();
        Commands.line(out, verb, spec.helo());
        await(phase);
        send(out);
    }

    private boolean mustEnd() {
        int mailMax = spec.mailMax();
        if (extensions.mailMax() > 0) {
            mailMax = Math.min(mailMax, extensions.mailMax());
        }
        return stopping || started >= mailMax;
    }

    private void takeNext() {
        stage = Stage.READY;
        if (mustEnd()) {
            returnOpen();
            quit();
            return;
        }
        if (spec.pauseMillis() > 0 && mails > 0 && deadline.phase() != Phase.READY) {
            loop.schedule(this::wake, spec.pauseMillis(), TimeUnit.MILLISECONDS);
            deadline.arm(Phase.READY, spec.keepAliveMillis() + spec.pauseMillis());
            return;
        }
        Attempt next = following;
        following = null;
        if (next == null) {
            Transaction taken = take();
            if (stage != Stage.READY) {
                return;
            }
            if (taken == null) {
                hasIdled = true;
                deadline.arm(Phase.READY, spec.keepAliveMillis());
                return;
            }
            next = new Attempt(taken, mails > 0 || hasIdled);
        }
        begin(next);
    }

    /** The next mail that this host can take at all. */
    private Transaction take() {
        for (; ; ) {
            Transaction next = events.next(this);
            if (next == null || extensions.size() == 0 || next.mail().size() <= extensions.size()) {
                return next;
            }
            events.finished(this, next, SessionEvents.Finish.TOO_BIG);
            if (stage == Stage.CLOSED) {
                return null;
            }
        }
    }

    private void begin(Attempt attempt) {
        stage = Stage.SENDING;
        current = attempt;
        started++;
        if (attempt.mail().content() instanceof Content.OnDisk disk && attempt.firstPiece == null) {
            arm(Phase.BODY);
            attempt.reading = true;
            BodyWriter.read(
                    disk,
                    0,
                    connection.channel(),
                    contentExecutor,
                    bytes -> prefetched(attempt, bytes));
        } else {
            sendOrStep(attempt);
        }
    }

    private void prefetched(Attempt attempt, byte[] bytes) {
        if (stage == Stage.CLOSED || current != attempt) {
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
        sendOrStep(attempt);
    }

    private void sendOrStep(Attempt attempt) {
        if (!attempt.hasRecipientToSend()) {
            complete(attempt);
            advance();
            return;
        }
        ByteBuf out = buffer();
        group(attempt, out);
        send(out);
    }

    /** True when all that was asked has been answered and no content is due. */
    private boolean isSettled(Attempt attempt) {
        return !attempt.again
                && !attempt.loneDot
                && (attempt.mailRefused
                        || (!attempt.hasRecipientToSend() && attempt.acceptedCount == 0)
                        || (attempt.dataSent && !attempt.go));
    }

    /** One step of a transaction that waits for no reply; false when something was sent. */
    private boolean step(Attempt attempt) {
        if (attempt.reading) {
            return false;
        }
        if (attempt.loneDot) {
            // Nobody is to get it: an empty message to no recipient, the way out of RFC 2920 3.1.
            attempt.loneDot = false;
            ByteBuf out = buffer();
            ByteBufUtil.writeAscii(out, ".\r\n");
            await(Phase.EOM, attempt, 0, true);
            send(out);
            return false;
        }
        if (attempt.again) {
            attempt.restart();
        } else if (isSettled(attempt)) {
            needsReset |= !attempt.mailRefused;
            complete(attempt);
            return true;
        } else if (attempt.go) {
            startBody(attempt);
            return false;
        }
        ByteBuf out = buffer();
        group(attempt, out);
        send(out);
        return false;
    }

    /** RFC 2920: MAIL, RCPTs and DATA in one write; one at a time where that is not offered. */
    private void group(Attempt attempt, ByteBuf out) {
        boolean pipelining = extensions.pipelining();
        if (needsReset) {
            needsReset = false;
            Commands.line(out, "RSET", "");
            await(Phase.RSET);
            if (!pipelining) {
                return;
            }
        }
        if (!attempt.mailSent) {
            attempt.mailSent = true;
            Commands.mail(out, attempt.mail(), extensions, attempt.plain);
            await(Phase.MAIL, attempt, 0, false);
            if (!pipelining) {
                return;
            }
        }
        int count = 0;
        while (count < GROUP && attempt.hasRecipientToSend()) {
            int index = attempt.nextRecipient++;
            Commands.rcpt(out, attempt.recipients().get(index), extensions);
            await(Phase.RCPT, attempt, index, false);
            count++;
            if (!pipelining) {
                return;
            }
        }
        if (!attempt.hasRecipientToSend() && !attempt.dataSent) {
            attempt.dataSent = true;
            Commands.line(out, "DATA", "");
            await(Phase.DATA, attempt, 0, false);
        }
    }

    private void startBody(Attempt attempt) {
        attempt.go = false;
        arm(Phase.BODY);
        body =
                new BodyWriter(
                        connection.channel(),
                        attempt.mail().content(),
                        contentExecutor,
                        new BodyProgress(attempt));
        body.start(attempt.firstPiece);
        attempt.firstPiece = null;
    }

    /** Sends the last buffer of a content, and with it the commands of the next mail. */
    private void lastPiece(Attempt attempt, ByteBuf out) {
        if (body.fixed() > 0) {
            events.contentFixed(this, attempt.transaction, body.fixed());
        }
        body = null;
        trace.endOfContent();
        if (spec.lmtp()) {
            for (int i = 0; i < attempt.accepted.length; i++) {
                if (attempt.accepted[i]) {
                    await(Phase.EOM, attempt, i, false);
                }
            }
        } else {
            await(Phase.EOM, attempt, 0, false);
        }
        arm(Phase.BODY);
        if (extensions.pipelining() && spec.joined() && spec.pauseMillis() == 0 && !mustEnd()) {
            join(out);
        }
        connection
                .channel()
                .writeAndFlush(out)
                .addListener(
                        (ChannelFuture written) -> {
                            if (written.isSuccess()
                                    && deadline.phase() == Phase.BODY
                                    && !awaited.isEmpty()) {
                                arm(awaited.peek().phase());
                            }
                        });
    }

    /** RFC 2920 3.1: content may be the first of a group, MAIL of the next message its second. */
    private void join(ByteBuf out) {
        Transaction next = take();
        if (next == null) {
            return;
        }
        following = new Attempt(next, true);
        if (next.mail().content() instanceof Content.InMemory && following.hasRecipientToSend()) {
            following.joined = true;
            started++;
            int start = out.writerIndex();
            group(following, out);
            trace.commands(out, start);
        }
    }

    // -- ends

    private void complete(Attempt attempt) {
        Transaction transaction = attempt.transaction;
        boolean delivered = false;
        for (int i = 0; i < attempt.accepted.length && !delivered; i++) {
            Result result = transaction.result(i);
            delivered = result != null && result.kind() == Result.Kind.DELIVERED;
        }
        mails++;
        rejectedInRow = delivered ? 0 : rejectedInRow + 1;
        current = null;
        if (following != null && following.joined) {
            current = following;
            following = null;
        }
        events.finished(this, transaction, SessionEvents.Finish.ANSWERED);
        if (rejectedInRow >= MAX_REJECTED_MAILS && stage == Stage.SENDING) {
            rejectedInRow = 0;
            rejectsAll();
        }
    }

    private void rejectsAll() {
        if (current == null) {
            sendQuit();
        }
        returnOpen();
        Reply lastRefusal = answers.lastRefusal();
        String text = lastRefusal == null ? "" : lastRefusal.text();
        end(SessionEnd.Cause.REJECTS_ALL, Phase.READY, text, lastRefusal);
    }

    /** Back to the relay as if it had never been here; deferred when that happened before. */
    private void giveBack(Attempt attempt, String text) {
        if (attempt.transaction.isReturnable() || text.isEmpty()) {
            events.finished(this, attempt.transaction, SessionEvents.Finish.RETURNED);
        } else {
            attempt.refuse(Result.deferred(Reason.IO_ERROR, text));
            events.finished(this, attempt.transaction, SessionEvents.Finish.ANSWERED);
        }
    }

    private void returnOpen() {
        for (Attempt open : new Attempt[] {current, following}) {
            if (open != null) {
                giveBack(open, "");
            }
        }
        current = null;
        following = null;
    }

    private void quit() {
        stage = Stage.QUITTING;
        awaited.clear();
        sendQuit();
        await(Phase.QUIT);
    }

    private void sendQuit() {
        ByteBuf out = buffer();
        Commands.line(out, "QUIT", "");
        send(out);
    }

    private void idleLost() {
        end(
                stage == Stage.QUITTING ? SessionEnd.Cause.QUIT : SessionEnd.Cause.IDLE,
                Phase.READY,
                "",
                null);
    }

    /** The connection is of no more use; who is on it is deferred or goes back. */
    private void lost(SessionEnd.Cause cause, Reason reason, String text) {
        switch (stage) {
            case CLOSED -> {}
            case READY, QUITTING -> idleLost();
            case CONNECTING, GREETING -> {
                Phase at = awaited.isEmpty() ? deadline.phase() : awaited.peek().phase();
                if (at == Phase.EHLO
                        && cause == SessionEnd.Cause.NETWORK
                        && !heloOnly
                        && !spec.lmtp()) {
                    reconnectWithHelo();
                } else {
                    end(cause, at, text, null);
                }
            }
            case SENDING -> lostSending(cause, reason, text);
        }
    }

    private void lostSending(SessionEnd.Cause cause, Reason reason, String text) {
        boolean inBody = body != null;
        Phase at =
                inBody ? Phase.BODY : awaited.isEmpty() ? deadline.phase() : awaited.peek().phase();
        if (inBody) {
            body.stop();
            body = null;
        }
        Attempt open = current;
        Attempt behind = following;
        current = null;
        following = null;
        if (open != null) {
            boolean unharmed =
                    open.reused
                            && (cause == SessionEnd.Cause.NETWORK
                                    ? !open.mailAnswered
                                    : open.joined && !open.go)
                            && at != Phase.EOM
                            && !inBody;
            if ((unharmed || at == Phase.RSET) && open.transaction.isReturnable()) {
                events.finished(this, open.transaction, SessionEvents.Finish.RETURNED);
            } else {
                Result result = Result.deferred(reason, text);
                open.refuse(at == Phase.EOM ? result.afterContent() : result);
                events.finished(this, open.transaction, SessionEvents.Finish.ANSWERED);
            }
        }
        if (behind != null) {
            giveBack(behind, text);
        }
        end(cause, at, text, null);
    }

    /** Some old servers hang up on EHLO (RFC 5321 4.1.4): once more, with HELO. */
    private void reconnectWithHelo() {
        heloOnly = true;
        awaited.clear();
        connection.forget();
        connect();
    }

    private void end(SessionEnd.Cause cause, Phase phase, String text, Reply reply) {
        if (stage == Stage.CLOSED) {
            return;
        }
        stage = Stage.CLOSED;
        trace.closed(cause, text);
        awaited.clear();
        deadline.end();
        if (connection != null) {
            connection.close();
        }
        events.closed(this, new SessionEnd(cause, phase, text, reply, wasReady, mails));
    }

    // -- time

    private void arm(Phase phase) {
        deadline.arm(phase, spec.timeouts().of(phase));
    }

    private void timeout() {
        trace.io("IO_TIMEOUT", connection.channel(), 0);
        switch (stage) {
            case READY -> quit();
            case QUITTING -> end(SessionEnd.Cause.QUIT, Phase.QUIT, "", null);
            default ->
                    lost(
                            SessionEnd.Cause.TIMEOUT,
                            Reason.IO_ERROR,
                            "451 4.4.1 Connection timeout (" + deadline.phase().label() + ")");
        }
    }

    /** Follows a content on its way out. */
    private final class BodyProgress implements BodyWriter.Progress {
        private final Attempt attempt;

        BodyProgress(Attempt attempt) {
            this.attempt = attempt;
        }

        @Override
        public void piece(int length) {
            trace.piece(length);
        }

        @Override
        public void accepted(boolean last) {
            if (body != null && current == attempt) {
                arm(Phase.BODY);
            }
        }

        @Override
        public void last(ByteBuf buffer) {
            lastPiece(attempt, buffer);
        }

        @Override
        public void unreadable() {
            if (stage != Stage.CLOSED && current == attempt) {
                // Half a mail is out; only closing keeps the peer from taking it for a whole one.
                lost(
                        SessionEnd.Cause.RESOURCE,
                        Reason.LOCAL_TEMPFAIL,
                        "451 4.3.0 Could not get message fd");
            }
        }
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
            if (body != null) {
                body.pump();
            }
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

    private Phase phase() {
        return body != null
                ? Phase.BODY
                : awaited.isEmpty() ? deadline.phase() : awaited.peek().phase();
    }
}
