package smtpd.mda.deliver;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetSocketAddress;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import smtpd.sys.Fd;

/**
 * Carries out one delivery from its description to its verdict.
 *
 * <p>{@link #deliver} runs on a session thread with mda's own rights: it looks through the header,
 * works out the target, and has a thread of {@link Writers} write it. For a maildir it does not
 * wait for that; all else blocks.
 */
public final class Deliverer {

    private final Settings settings;
    private final Rights rights;
    private final InstantSource clock;
    private final Writers writers;
    private final Sweeps sweeps = new Sweeps();
    private final LmtpPool lmtp;
    private final Commands commands;

    /**
     * @param writers of those rights; they outlive a deliverer that a new configuration replaces
     */
    public Deliverer(Settings settings, Rights rights, Writers writers, InstantSource clock) {
        this.settings = settings;
        this.rights = rights;
        this.clock = clock;
        this.writers = writers;
        this.lmtp = new LmtpPool(settings.serverName());
        this.commands = new Commands(settings.grace());
    }

    /**
     * How a delivery ended.
     *
     * @param stuck a thread that is still inside the kernel with it; null normally. Until it ends,
     *     the content must stay open, and its user gets no other delivery
     */
    public record Ended(Verdict verdict, Thread stuck) {
        public static Ended with(Verdict verdict) {
            return new Ended(verdict, null);
        }
    }

    /** Whether {@link #deliver} is back before the mail is written. */
    public static boolean isShort(Job job) {
        return job.method() instanceof Method.Maildir;
    }

    /**
     * @param hosts of an LMTP destination by TCP, best first; empty otherwise
     * @param told called once, here or on another thread that must not be held up
     */
    public void deliver(
            Job job, Content content, List<InetSocketAddress> hosts, Consumer<Ended> told)
            throws InterruptedException {
        Ended ended = begin(job, content, hosts, told);
        if (ended != null) {
            told.accept(ended);
        }
    }

    /** Null when a writing thread will tell. */
    private Ended begin(
            Job job, Content content, List<InetSocketAddress> hosts, Consumer<Ended> told)
            throws InterruptedException {
        Verdict refused = refuse(job);
        if (refused != null) {
            return Ended.with(refused);
        }
        long deadline = System.nanoTime() + settings.timeout().toNanos();
        try (CopyBuffer copy = new CopyBuffer()) {
            HeaderScan scan = new HeaderScan(job.dest(), job.rcpt());
            int r = scan(scan, content, copy);
            if (r < 0) {
                return Ended.with(Fault.verdict(-r, "content"));
            }
            if (scan.isLooped()) {
                return Ended.with(new Verdict.Looped());
            }
            return switch (job.method()) {
                case Method.Maildir m -> maildir(job, m, content, scan.isSpam(), deadline, told);
                case Method.Mbox _ -> mbox(job, content, copy, deadline);
                case Method.Filename m -> file(job, m, content, copy, deadline);
                case Method.Command m -> command(job, m, content, copy, deadline);
                case Method.Lmtp m -> lmtp(job, m, content, hosts, copy, deadline);
            };
        } catch (Specifiers.BadFormat e) {
            return Ended.with(Verdict.temporary("4.3.5", e.getMessage()));
        }
    }

    /** A command that runs gets TERM, later KILL; mailbox writes end by themselves. */
    public void stopCommands() {
        commands.stop();
    }

    /** Closes LMTP connections that nobody took up again; true when others are kept still. */
    public boolean expireConnections() {
        return lmtp.expire();
    }

    /** Ends idle LMTP connections. */
    public void close() {
        lmtp.close();
    }

    private Verdict refuse(Job job) {
        if (Preamble.breaksLine(job.sender())
                || Preamble.breaksLine(job.rcpt())
                || Preamble.breaksLine(job.dest())) {
            return new Verdict.Permanent("5.6.0", "address breaks a header line");
        }
        if (job.runAs().isRoot() && !(job.method() instanceof Method.Mbox)) {
            return new Verdict.Permanent("5.7.1", "not allowed to deliver to: root");
        }
        if (!rights.covers(job.runAs().uid())) {
            return new Verdict.Permanent(
                    "5.7.1", "this instance does not deliver to: " + job.runAs().name());
        }
        String flaw = job.account().flaw();
        flaw = flaw == null ? job.runAs().flaw() : flaw;
        return flaw == null ? null : Verdict.temporary("4.3.5", flaw);
    }

    private static int scan(HeaderScan scan, Content content, CopyBuffer copy) {
        if (content.inline() != null) {
            scan.feed(content.inline(), content.offset(), (int) content.size());
            scan.end();
            return 0;
        }
        byte[] chunk = new byte[Content.CHUNK];
        long at = 0;
        int n;
        do {
            n = Fd.tryPread(content.fd(), copy.first(), at);
            if (n < 0) {
                return -Fault.BODY;
            }
            MemorySegment.copy(copy.first(), ValueLayout.JAVA_BYTE, 0, chunk, 0, n);
            at += n;
        } while (n > 0 && scan.feed(chunk, 0, n));
        scan.end();
        return 0;
    }

    // ---- maildir

    private Ended maildir(
            Job job,
            Method.Maildir method,
            Content content,
            boolean spam,
            long deadline,
            Consumer<Ended> told)
            throws Specifiers.BadFormat {
        String root = Targets.maildirRoot(job, method);
        Verdict refused = Targets.refusePath(root);
        if (refused != null) {
            return Ended.with(refused);
        }
        boolean junk = method.junk() && spam;
        String folder = junk ? ".Junk" : Maildir.folderOfTag(job.subAddress());
        long now = clock.instant().getEpochSecond();
        Maildir maildir =
                Maildir.of(
                        new Maildir.Order(
                                new MaildirPlace(
                                        root, job.runAs().home(), job.runAs().uid(), folder, junk),
                                Maildir.fileName(
                                        job.created(),
                                        HexFormat.of().toHexDigits(job.evpid()),
                                        settings.serverName()),
                                job.again(),
                                Preamble.headers(job),
                                content,
                                sweeps.isDue(root, now),
                                now));
        Reach reach = Reach.ofUser(job.runAs(), root);
        writers.submit(new Write(job.runAs(), reach, maildir, deadline, told));
        return null;
    }

    // ---- mbox, filename

    private Ended mbox(Job job, Content content, CopyBuffer copy, long deadline)
            throws InterruptedException {
        MboxAppend append = append(job, content);
        return whileLocked(
                deadline,
                () -> {
                    Mbox.Prepare prepare =
                            new Mbox.Prepare(copy, settings.mailFolder(), job.account());
                    Verdict refused = prepare.open();
                    if (refused != null) {
                        return Ended.with(refused);
                    }
                    Ended ended =
                            write(
                                    job.account(),
                                    new Mbox(prepare.fd(), append),
                                    Reach.NOTHING,
                                    deadline);
                    if (ended.stuck() == null) {
                        prepare.close();
                    }
                    return ended;
                });
    }

    private Ended file(
            Job job, Method.Filename method, Content content, CopyBuffer copy, long deadline)
            throws InterruptedException, Specifiers.BadFormat {
        String path = new Specifiers(job, null).expand(method.path(), Specifiers.Use.PATH);
        if (path.equals("/dev/null")) {
            return Ended.with(FileDelivery.discard(content, copy));
        }
        Verdict refused = Targets.refusePath(path);
        if (refused != null) {
            return Ended.with(refused);
        }
        FileDelivery delivery =
                new FileDelivery(path, fromLine(job), Preamble.headers(job), content);
        Reach reach = Reach.ofUser(job.runAs(), path.substring(0, path.lastIndexOf('/') + 1));
        return whileLocked(deadline, () -> write(job.runAs(), delivery, reach, deadline));
    }

    private MboxAppend append(Job job, Content content) {
        return new MboxAppend(fromLine(job), Preamble.headers(job), content);
    }

    private byte[] fromLine(Job job) {
        return Preamble.fromLine(job.sender(), clock.instant(), settings.zone());
    }

    /** One try at a mailbox that may be locked. */
    private interface Try {
        Ended run() throws InterruptedException;
    }

    /** Tries again after 50 ms, doubling to a second, while the only trouble is a lock. */
    private Ended whileLocked(long deadline, Try once) throws InterruptedException {
        long until = Math.min(deadline, System.nanoTime() + settings.lockPatience().toNanos());
        long pauseMillis = 50;
        while (true) {
            Ended ended = once.run();
            boolean locked =
                    ended.verdict() instanceof Verdict.Temporary t
                            && t.cause() == Verdict.Cause.LOCKED;
            if (!locked || System.nanoTime() + pauseMillis * 1_000_000 - until > 0) {
                return ended;
            }
            TimeUnit.MILLISECONDS.sleep(pauseMillis);
            pauseMillis = Math.min(2 * pauseMillis, 1000);
        }
    }

    /** Has a thread that is the account write, and waits for it. */
    private Ended write(Account account, Backend backend, Reach reach, long deadline)
            throws InterruptedException {
        BlockingQueue<Ended> answer = new ArrayBlockingQueue<>(1);
        writers.submit(new Write(account, reach, backend, deadline, answer::add));
        return answer.take(); // at the deadline at the latest
    }

    static Verdict noThread() {
        return new Verdict.Temporary("4.3.2", "out of threads", Verdict.Cause.RESOURCES);
    }

    static Verdict cannotBecome(Account account, smtpd.sys.SysException e) {
        return Verdict.temporary(
                "4.3.5", "cannot become " + account.name() + ": " + e.getMessage());
    }

    // ---- command, LMTP

    private Ended command(
            Job job, Method.Command method, Content content, CopyBuffer copy, long deadline)
            throws Specifiers.BadFormat {
        String text = Targets.command(job, method);
        String inner = method.wrapper() == null ? null : method.text().value();
        Rights.Recipient recipient = rights.of(job.runAs());
        return Ended.with(commands.run(job, recipient, text, inner, content, copy, deadline));
    }

    private Ended lmtp(
            Job job,
            Method.Lmtp method,
            Content content,
            List<InetSocketAddress> hosts,
            CopyBuffer copy,
            long deadline)
            throws InterruptedException, Specifiers.BadFormat {
        String destination =
                new Specifiers(job, null).expand(method.destination(), Specifiers.Use.PATH);
        String rcptTo = method.rcptTo() == null ? job.account().name() : method.rcptTo();
        return Ended.with(
                lmtp.deliver(
                        job,
                        destination,
                        rcptTo,
                        content,
                        hosts,
                        rights.of(job.runAs()),
                        copy,
                        deadline));
    }
}
