package smtpd.mta.session;

import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Runs one real session on a real loop, feeds it mails and keeps what it told. */
final class Conversation implements SessionEvents, AutoCloseable {

    /** One transaction that came back. */
    record Ended(Transaction transaction, Finish how) {
        List<String> texts() {
            List<String> texts = new ArrayList<>();
            for (int i = 0; i < transaction.recipients().size(); i++) {
                Result result = transaction.result(i);
                texts.add(result == null ? "-" : result.kind() + " " + result.text());
            }
            return texts;
        }

        Result.Kind kind(int index) {
            return transaction.result(index).kind();
        }
    }

    static final Timeouts QUICK = new Timeouts(500, 300, 300, 300, 300, 300, 300, 300, 300, 100);

    private final EventLoopGroup group =
            new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    private final ExecutorService files = Executors.newSingleThreadExecutor();
    private final ArrayDeque<Transaction> mails = new ArrayDeque<>();
    final List<Ended> ended = new CopyOnWriteArrayList<>();
    final CompletableFuture<SessionEnd> end = new CompletableFuture<>();
    private OutboundSession session;

    Timeouts timeouts = Timeouts.STANDARD;
    long keepAlive = 0;
    boolean lmtp;
    boolean smarthost;
    boolean joined = true;
    int mailMax = 100;
    int maxFailures = 25;
    String helo = "client.test";
    InetAddress source;
    final AtomicInteger fixed = new AtomicInteger();

    EventLoop loop() {
        return group.next();
    }

    Conversation mail(Transaction transaction) {
        mails.add(transaction);
        return this;
    }

    Conversation mail(String sender, String content, String... recipients) {
        return mail(transaction(sender, content, recipients));
    }

    static Transaction transaction(String sender, String content, String... recipients) {
        byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
        return transaction(
                sender, new Content.InMemory(bytes, 0, bytes.length), bytes.length, recipients);
    }

    static Transaction transaction(
            String sender, Content content, long size, String... recipients) {
        List<Recipient> list = new ArrayList<>();
        long evpid = 1;
        for (String recipient : recipients) {
            list.add(new Recipient(evpid++, recipient, "", ""));
        }
        return new Transaction(
                new Mail(sender, size, false, false, "", "", content), list, null, true);
    }

    Conversation start(InetSocketAddress remote) {
        SessionSpec spec =
                new SessionSpec(
                        7,
                        remote,
                        source,
                        "mx.test",
                        helo,
                        lmtp,
                        smarthost,
                        mailMax,
                        100,
                        keepAlive,
                        0,
                        maxFailures,
                        joined,
                        timeouts);
        session = new OutboundSession(spec, loop(), files, this);
        session.start();
        return this;
    }

    OutboundSession session() {
        return session;
    }

    SessionEnd await() {
        return end.orTimeout(20, TimeUnit.SECONDS).join();
    }

    List<List<String>> texts() {
        return ended.stream().map(Ended::texts).toList();
    }

    @Override
    public Transaction next(OutboundSession session) {
        Transaction next = mails.poll();
        if (next == null || next.recipients().size() <= session.recipientLimit()) {
            return next;
        }
        int limit = session.recipientLimit();
        mails.addFirst(
                new Transaction(
                        next.mail(),
                        next.recipients().subList(limit, next.recipients().size()),
                        null,
                        true));
        return new Transaction(next.mail(), next.recipients().subList(0, limit), null, true);
    }

    @Override
    public void finished(OutboundSession session, Transaction transaction, Finish how) {
        ended.add(new Ended(transaction, how));
        List<Recipient> open = new ArrayList<>();
        for (int i = 0; i < transaction.recipients().size(); i++) {
            if (transaction.result(i) == null) {
                open.add(transaction.recipients().get(i));
            }
        }
        if (how == Finish.ANSWERED && !open.isEmpty()) {
            mails.addFirst(new Transaction(transaction.mail(), open, null, true));
        }
    }

    @Override
    public void contentFixed(OutboundSession session, Transaction transaction, int count) {
        fixed.addAndGet(count);
    }

    @Override
    public void closed(OutboundSession session, SessionEnd how) {
        if (!end.complete(how)) {
            throw new AssertionError("closed twice");
        }
    }

    @Override
    public void close() {
        loop().execute(
                        () -> {
                            if (session != null) {
                                session.abort();
                            }
                        });
        files.shutdownNow();
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }

    static String[] recipients(int count) {
        String[] all = new String[count];
        Arrays.setAll(all, i -> "r" + i + "@dest.test");
        return all;
    }
}
