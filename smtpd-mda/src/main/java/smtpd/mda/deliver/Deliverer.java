package smtpd.mda.deliver;

import java.net.InetSocketAddress;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * Carries out one delivery from its description to its verdict.
 *
 * <p>{@link #deliver} blocks, on a session thread with mda's own rights: it looks through the
 * header, works out the target, and has a {@link RecipientThread} write it.
 */
public final class Deliverer {

    private final Settings settings;
    private final Rights rights;
    private final InstantSource clock;
    private final Semaphore writers;
    private final Sweeps sweeps = new Sweeps();
    private final LmtpPool lmtp;
    private final Commands commands;

    public Deliverer(Settings settings, Rights rights, InstantSource clock) {
        this.settings = settings;
        this.rights = rights;
        this.clock = clock;
        this.writers = new Semaphore(settings.writers());
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

    /**
     * @param hosts of an LMTP destination by TCP, best first; empty otherwise
     */
    public Ended deliver(Job job, Content content, List<InetSocketAddress> hosts)
            throws InterruptedException {
        Verdict refused = refuse(job);
        if (refused != null) {
            return Ended.with(refused);
        }
        long deadline = System.nanoTime() + settings.timeout().toNanos();
        try (Posix posix = new Posix()) {
            HeaderScan scan = new HeaderScan(job.dest(), job.rcpt());
            int r = scan(scan, content, posix);
            if (r < 0) {
                return Ended.with(Fault.verdict(-r, "content"));
            }
            if (scan.isLooped()) {
                return Ended.with(new Verdict.Looped());
            }
            return switch (job.method()) {
                case Method.Maildir m -> maildir(job, m, content, scan.isSpam(), deadline);
                case Method.Mbox _ -> mbox(job, content, posix, deadline);
                case Method.Filename m -> file(job, m, content, posix, deadline);
                case Method.Command m -> command(job, m, content, posix, deadline);
                case Method.Lmtp m -> lmtp(job, m, content, hosts, posix, deadline);
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

    private static int scan(HeaderScan scan, Content content, Posix posix) {
        if (content.inline() != null) {
            scan.feed(content.inline(), content.offset(), (int) content.size());
            scan.end();
            return 0;
        }
        byte[] chunk = new byte[Content.CHUNK];
        long at = 0;
        int n;
        do {
            n = posix.pread(content.fd(), posix.buffer(), at);
            if (n < 0) {
                return -Fault.BODY;
            }
            java.lang.foreign.MemorySegment.copy(
                    posix.buffer(), java.lang.foreign.ValueLayout.JAVA_BYTE, 0, chunk, 0, n);
            at += n;
        } while (n > 0 && scan.feed(chunk, 0, n));
        scan.end();
        return 0;
    }

    // ---- maildir

    private Ended maildir(
            Job job, Method.Maildir method, Content content, boolean spam, long deadline)
            throws InterruptedException, Specifiers.BadFormat {
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
                                root,
                                job.runAs().home(),
                                job.runAs().uid(),
                                folder,
                                junk,
                                Maildir.fileName(
                                        job.created(),
                                        HexFormat.of().toHexDigits(job.evpid()),
                                        settings.serverName()),
                                job.again(),
                                Preamble.headers(job),
                                content,
                                sweeps.isDue(root, now),
                                now));
        return write(job, job.runAs(), maildir, Reach.ofUser(job.runAs(), root), deadline);
    }

    // ---- mbox, filename

    private Ended mbox(Job job, Content content, Posix posix, long deadline)
            throws InterruptedException {
        MboxAppend append = append(job, content);
        return whileLocked(
                deadline,
                () -> {
                    Mbox.Prepare prepare =
                            new Mbox.Prepare(posix, settings.mailFolder(), job.account());
                    Verdict refused = prepare.open();
                    if (refused != null) {
                        return Ended.with(refused);
                    }
                    Ended ended =
                            write(
                                    job,
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

    private Ended file(Job job, Method.Filename method, Content content, Posix posix, long deadline)
            throws InterruptedException, Specifiers.BadFormat {
        String path = new Specifiers(job, null).expand(method.path(), Specifiers.Use.PATH);
        if (path.equals("/dev/null")) {
            return Ended.with(FileDelivery.discard(content, posix));
        }
        Verdict refused = Targets.refusePath(path);
        if (refused != null) {
            return Ended.with(refused);
        }
        FileDelivery delivery =
                new FileDelivery(path, fromLine(job), Preamble.headers(job), content);
        Reach reach = Reach.ofUser(job.runAs(), path.substring(0, path.lastIndexOf('/') + 1));
        return whileLocked(deadline, () -> write(job, job.runAs(), delivery, reach, deadline));
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

    /** Has a thread become the account and write. */
    private Ended write(Job job, Account account, Backend backend, Reach reach, long deadline)
            throws InterruptedException {
        Rights.Recipient recipient = rights.of(account);
        RecipientThread<Verdict> thread =
                new RecipientThread<>(
                        "dlv-" + HexFormat.of().toHexDigits(job.evpid()),
                        () -> {
                            reach.confine();
                            recipient.becomeWriter();
                        },
                        backend::deliver);
        if (!writers.tryAcquire(deadline - System.nanoTime(), TimeUnit.NANOSECONDS)) {
            return Ended.with(Verdict.temporary("4.3.0", "delivery timed out"));
        }
        try {
            if (!thread.runUntil(deadline)) {
                return new Ended(Verdict.temporary("4.3.0", "delivery timed out"), thread.thread());
            }
        } catch (OutOfMemoryError e) {
            return Ended.with(noThread()); // the kernel gave no thread
        } finally {
            writers.release();
        }
        if (thread.refused() != null) {
            return Ended.with(cannotBecome(account, thread.refused()));
        }
        return Ended.with(thread.result());
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
            Job job, Method.Command method, Content content, Posix posix, long deadline)
            throws Specifiers.BadFormat {
        String text = Targets.command(job, method);
        String inner = method.wrapper() == null ? null : method.text().value();
        Rights.Recipient recipient = rights.of(job.runAs());
        return Ended.with(commands.run(job, recipient, text, inner, content, posix, deadline));
    }

    private Ended lmtp(
            Job job,
            Method.Lmtp method,
            Content content,
            List<InetSocketAddress> hosts,
            Posix posix,
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
                        posix,
                        deadline));
    }
}
