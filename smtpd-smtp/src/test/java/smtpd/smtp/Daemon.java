package smtpd.smtp;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import smtpd.conf.Config;
import smtpd.conf.ConfigBundle;
import smtpd.conf.ConfigException;
import smtpd.conf.ConfigParser;
import smtpd.conf.Instance;
import smtpd.envelope.Msgid;
import smtpd.imsg.DnsStatus;
import smtpd.imsg.LkaToSmtp;
import smtpd.imsg.Outcome;
import smtpd.imsg.ParentToSmtp;
import smtpd.imsg.QueueToSmtp;
import smtpd.imsg.ReverseLookup;
import smtpd.imsg.ReverseName;
import smtpd.imsg.Role;
import smtpd.imsg.SmtpToLka;
import smtpd.imsg.SmtpToQueue;
import smtpd.imsg.SocketAddr;
import smtpd.proc.Harness;
import smtpd.sys.At;
import smtpd.sys.Open;
import smtpd.sys.Sockets;
import smtpd.sys.SysException;

/**
 * The smtp process on real sockets, with an lka and a queue that answer by the local part of the
 * recipient: {@code bad} is unknown, {@code relay} denied, {@code temp} fails for now, {@code mute}
 * gets no answer, anything else is fine.
 */
final class Daemon implements AutoCloseable {

    /** A mail the queue was asked to keep. */
    record Mail(SmtpToQueue.CommitMessage commit, byte[] content) {
        String text() {
            return new String(content, ISO_8859_1);
        }

        /** The content behind our Received field. */
        String body() {
            String text = text();
            int end = text.indexOf(";\n\t");
            return text.substring(text.indexOf('\n', end + 2) + 1);
        }
    }

    final Harness<SmtpProcess> harness;
    final Path dir;
    final Config config;
    final InetSocketAddress address;
    final BlockingQueue<Mail> mails = new LinkedBlockingQueue<>();
    final BlockingQueue<SmtpToQueue.AbortMessage> aborts = new LinkedBlockingQueue<>();
    final BlockingQueue<SmtpToLka.ExpandRecipient> questions = new LinkedBlockingQueue<>();
    final BlockingQueue<SmtpToQueue> statuses = new LinkedBlockingQueue<>();
    final AtomicInteger filesOpened = new AtomicInteger();
    volatile Outcome commitOutcome = Outcome.ok();
    volatile Outcome fileOutcome = Outcome.ok();
    volatile boolean queueMute;

    private final ConcurrentHashMap<Long, Path> files = new ConcurrentHashMap<>();
    private final AtomicInteger msgids = new AtomicInteger(0x10000000);
    private final ConcurrentHashMap<Long, Integer> msgidOf = new ConcurrentHashMap<>();
    private volatile boolean running = true;

    Daemon(Path dir, String... configuration) {
        this(dir, "127.0.0.1", configuration);
    }

    Daemon(Path dir, String host, String... configuration) {
        this.dir = dir;
        String text =
                configuration.length == 0
                        ? "listen on localhost port 2525\naccept for any relay\n"
                        : String.join("\n", configuration) + "\n";
        harness = new Harness<>(Role.SMTP, SmtpProcess::new);
        try {
            config =
                    ConfigParser.parse(
                            ConfigBundle.ofText(
                                    1, Instance.at(dir), "mx.example", "smtpd.conf", text));
            harness.configure(config);
            harness.peer(Role.LKA);
            harness.peer(Role.QUEUE);
            Thread.ofVirtual().start(this::lka);
            Thread.ofVirtual().start(this::queue);
            // The first queue hears that there is nothing to ask about.
            if (statuses.poll(20, TimeUnit.SECONDS) == null) {
                throw new IllegalStateException("no CommitStatusEnd");
            }
            say(true, QueueToSmtp.StorageReason.NONE);
            int fd = Sockets.listenTcp(new InetSocketAddress(InetAddress.getByName(host), 0), 1024);
            address = Sockets.localAddress(fd);
            harness.parent()
                    .send(0, new ParentToSmtp.ListenerSocket(1, 0, SocketAddr.of(address)), fd);
        } catch (ConfigException | InterruptedException | java.io.IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The submission socket; gives its path. */
    Path submission() {
        Path path = dir.resolve("submit");
        try {
            int fd = Sockets.listenUnix(path.toString(), 0666, 64);
            harness.parent().send(0, new ParentToSmtp.ListenerSocket(1, -1, SocketAddr.LOCAL), fd);
        } catch (SysException e) {
            throw new IllegalStateException(e);
        }
        return path;
    }

    void say(boolean accepting, QueueToSmtp.StorageReason reason) {
        harness.peer(Role.QUEUE).send(0, new QueueToSmtp.StateNote(accepting, reason));
    }

    Talk talk() {
        return Talk.to(address);
    }

    /** A client that has read the banner and said EHLO. */
    Talk greeted() {
        Talk talk = talk();
        talk.expect("220 ");
        talk.send("EHLO client.example\r\n").readReply();
        return talk;
    }

    Mail mail() throws InterruptedException {
        Mail mail = mails.poll(10, TimeUnit.SECONDS);
        if (mail == null) {
            throw new AssertionError("no mail came");
        }
        return mail;
    }

    private void lka() {
        while (running) {
            Harness.Received received = next(Role.LKA);
            if (received == null) {
                continue;
            }
            long id = received.frame().id();
            switch ((smtpd.imsg.ToLka) received.message()) {
                case ReverseLookup _ ->
                        answer(Role.LKA, id, new ReverseName(DnsStatus.OK, "client.example", true));
                case SmtpToLka.ExpandRecipient m -> expand(id, m);
                default -> {}
            }
        }
    }

    private void expand(long id, SmtpToLka.ExpandRecipient m) {
        questions.add(m);
        String local = m.rcpt().local();
        if (local.startsWith("bad")) {
            refuse(id, m, LkaToSmtp.Refusal.UNKNOWN_USER, new Outcome.Permanent("", ""));
        } else if (local.startsWith("relay")) {
            refuse(id, m, LkaToSmtp.Refusal.RELAY_DENIED, new Outcome.Permanent("", ""));
        } else if (local.startsWith("temp")) {
            refuse(id, m, LkaToSmtp.Refusal.TABLE, new Outcome.Temporary("", ""));
        } else if (!local.startsWith("mute")) {
            stored(id, m, m.rcptNo());
        }
    }

    void stored(long id, SmtpToLka.ExpandRecipient m, int rcptNo) {
        int msgid = msgidOf.computeIfAbsent(id * 31 + m.no(), _ -> msgids.incrementAndGet());
        answer(
                Role.QUEUE,
                id,
                new QueueToSmtp.RecipientStored(
                        m.no(), rcptNo, new Msgid(msgid), List.of(rcptNo), Outcome.ok()));
    }

    private void refuse(
            long id, SmtpToLka.ExpandRecipient m, LkaToSmtp.Refusal why, Outcome outcome) {
        answer(Role.LKA, id, new LkaToSmtp.RecipientRefused(m.no(), m.rcptNo(), why, outcome));
    }

    private void answer(Role role, long id, smtpd.imsg.Message message) {
        try {
            harness.peer(role).send(id, message);
        } catch (AssertionError e) {
            // killed by the test
        }
    }

    private void queue() {
        while (running) {
            Harness.Received received = next(Role.QUEUE);
            if (received == null) {
                continue;
            }
            long id = received.frame().id();
            switch ((smtpd.imsg.ToQueue) received.message()) {
                case SmtpToQueue.OpenContent m -> open(id, m);
                case SmtpToQueue.CommitMessage m -> commit(id, m);
                case SmtpToQueue.AbortMessage m -> aborts.add(m);
                case SmtpToQueue.CommitStatus m -> statuses.add(m);
                case SmtpToQueue.CommitStatusEnd m -> statuses.add(m);
                default -> {}
            }
        }
    }

    private Harness.Received next(Role role) {
        try {
            return harness.peer(role).next();
        } catch (AssertionError e) {
            return null; // silence
        }
    }

    private void open(long id, SmtpToQueue.OpenContent m) {
        filesOpened.incrementAndGet();
        if (queueMute) {
            return;
        }
        if (!fileOutcome.isOk()) {
            answer(Role.QUEUE, id, new QueueToSmtp.ContentFile(m.no(), fileOutcome));
            return;
        }
        try {
            Path file = Files.createTempFile(dir, "content", "");
            files.put(id, file);
            int fd = At.open(At.CWD, file.toString(), Open.WRONLY);
            harness.peer(Role.QUEUE)
                    .send(id, new QueueToSmtp.ContentFile(m.no(), Outcome.ok()), fd);
        } catch (java.io.IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private void commit(long id, SmtpToQueue.CommitMessage m) {
        try {
            byte[] content = m.inFile() ? Files.readAllBytes(files.get(id)) : m.content().toBytes();
            mails.add(new Mail(m, content));
        } catch (java.io.IOException e) {
            throw new IllegalStateException(e);
        }
        if (!queueMute) {
            int msgid = msgidOf.getOrDefault(id * 31 + m.no(), 1);
            answer(
                    Role.QUEUE,
                    id,
                    new QueueToSmtp.MessageCommitted(m.no(), new Msgid(msgid), commitOutcome));
        }
    }

    @Override
    public void close() {
        running = false;
        harness.close();
    }
}
