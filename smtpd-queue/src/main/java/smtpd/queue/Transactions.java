package smtpd.queue;

import java.security.SecureRandom;
import java.time.Clock;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import smtpd.envelope.ContentFacts;
import smtpd.envelope.DsnFields;
import smtpd.envelope.Envelope;
import smtpd.envelope.EnvelopeText;
import smtpd.envelope.EnvelopeType;
import smtpd.envelope.Evpid;
import smtpd.envelope.Msgid;
import smtpd.envelope.Need;
import smtpd.envelope.Verdict;
import smtpd.imsg.LkaToQueue.EnvelopesSubmit;
import smtpd.imsg.Outcome;
import smtpd.imsg.QueueToScheduler.Origin;
import smtpd.imsg.QueueToScheduler.Plan;
import smtpd.imsg.QueueToSmtp;
import smtpd.imsg.SmtpToQueue;
import smtpd.mail.MailAddress;
import smtpd.proc.Edge;
import smtpd.proc.Frame;
import smtpd.proc.IdSource;
import smtpd.queue.backend.ContentFile;
import smtpd.queue.backend.QueueBackend;
import smtpd.queue.backend.QueueBackend.CommitState;
import smtpd.queue.backend.QueueBackend.NewContent;
import smtpd.queue.bounce.BounceMaker;
import smtpd.stat.Stat;
import smtpd.stat.Stats;
import smtpd.sys.Fd;

/**
 * Mail on its way in: sets of envelopes staged in memory at RCPT, one commit at the dot. Nothing is
 * on disk before the commit but content too large for a frame; whatever ends a transaction
 * otherwise leaves nothing.
 */
final class Transactions {

    private static final Logger LOG = LoggerFactory.getLogger(Transactions.class);
    private static final long MAX_TRANSACTION_BYTES = 16L << 20;
    private static final long MAX_STAGED_BYTES = 64L << 20;
    private static final int CLOSED_SECONDS = 300;
    private static final int MAX_DRAWS = 1000;
    private static final int MAX_LOWS = 1024;
    private static final Outcome TEMPORARY =
            new Outcome.Temporary("451 4.3.0 Temporary failure", "4.3.0");
    private static final Outcome FULL =
            new Outcome.Temporary("452 4.3.1 Mail system full", "4.3.1");

    private final QueueBackend backend;
    private final Edge<QueueToSmtp> smtp;
    private final EnvelopeStore envelopes;
    private final ContentStore contents;
    private final SchedulerFeed scheduler;
    private final OnLoop onLoop;
    private final Stats stats;
    private final Clock clock;
    private final Predicate<Msgid> handedOut;
    private final BounceMaker maker;
    private final SecureRandom random = new SecureRandom();
    private final Map<Transaction.Key, Transaction> open = new HashMap<>();
    private final Set<Msgid> drawn = new HashSet<>();
    private final Map<Transaction.Key, Closed> closed = new HashMap<>();

    /** Commits under way; true when their client was told meanwhile that they failed. */
    private final Map<Msgid, Boolean> committing = new HashMap<>();

    private long stagedBytes;

    /** A transaction that ended while expansions of it were still out. */
    private static final class Closed {
        int expansionsOut;
        final long until;

        Closed(int expansionsOut, long until) {
            this.expansionsOut = expansionsOut;
            this.until = until;
        }
    }

    Transactions(
            QueueBackend backend,
            Edge<QueueToSmtp> smtp,
            EnvelopeStore envelopes,
            ContentStore contents,
            SchedulerFeed scheduler,
            OnLoop onLoop,
            Stats stats,
            Clock clock,
            Predicate<Msgid> handedOut,
            BounceMaker maker) {
        this.backend = backend;
        this.smtp = smtp;
        this.envelopes = envelopes;
        this.contents = contents;
        this.scheduler = scheduler;
        this.onLoop = onLoop;
        this.stats = stats;
        this.clock = clock;
        this.handedOut = handedOut;
        this.maker = maker;
    }

    int size() {
        return open.size();
    }

    // ---- RCPT

    /** One set of envelopes, or a part of one; the first frame about a transaction opens it. */
    void stage(Frame frame, EnvelopesSubmit m, int smtpGeneration) {
        Transaction.Key key = new Transaction.Key(frame.id(), m.no());
        Closed late = closed.isEmpty() ? null : closed.get(key);
        if (late != null) {
            if (!frame.more() && --late.expansionsOut <= 0) {
                closed.remove(key);
            }
            return;
        }
        if (!smtp.isUp() || IdSource.generationOf(frame.id()) != (smtpGeneration & 0xffff)) {
            return; // an older smtp asked; nobody waits for this
        }
        Transaction tx = open.get(key);
        if (tx == null) {
            tx = new Transaction(key, draw());
            open.put(key, tx);
        }
        Transaction.Arriving set = tx.arriving.get(m.rcptNo());
        if (set == null) {
            set = new Transaction.Arriving();
            tx.arriving.put(m.rcptNo(), set);
        }
        add(tx, set, m.envelopes());
        if (!frame.more()) {
            tx.arriving.remove(m.rcptNo());
            complete(tx, m.rcptNo(), set);
        }
    }

    private void add(Transaction tx, Transaction.Arriving set, List<byte[]> part) {
        long more = 0;
        for (byte[] text : part) {
            more += text.length;
        }
        if (tx.bytes + more > MAX_TRANSACTION_BYTES || stagedBytes + more > MAX_STAGED_BYTES) {
            set.isRefused = true;
            giveBack(tx, set);
        }
        if (!set.isRefused) {
            set.texts.addAll(part);
            set.bytes += more;
            tx.bytes += more;
            stagedBytes += more;
        }
    }

    private void giveBack(Transaction tx, Transaction.Arriving set) {
        set.texts.clear();
        tx.bytes -= set.bytes;
        stagedBytes -= set.bytes;
        set.bytes = 0;
    }

    /** All or nothing, and exactly one answer for each set. */
    private void complete(Transaction tx, int rcptNo, Transaction.Arriving set) {
        Outcome outcome = set.isRefused ? FULL : tx.msgid.isNone() ? TEMPORARY : Outcome.ok();
        List<Transaction.Staged> staged = outcome.isOk() ? read(tx, set.texts) : List.of();
        if (staged.isEmpty()) {
            giveBack(tx, set);
            store(tx.key, rcptNo, tx.msgid, List.of(), outcome.isOk() ? TEMPORARY : outcome);
            return;
        }
        tx.sets.put(rcptNo, staged);
        List<Integer> lows = new ArrayList<>(Math.min(staged.size(), MAX_LOWS));
        for (int i = 0; i < staged.size() && i < MAX_LOWS; i++) {
            lows.add(staged.get(i).low());
        }
        store(tx.key, rcptNo, tx.msgid, lows, outcome);
    }

    private void store(
            Transaction.Key key, int rcptNo, Msgid msgid, List<Integer> lows, Outcome outcome) {
        smtp.send(
                key.sid(), new QueueToSmtp.RecipientStored(key.no(), rcptNo, msgid, lows, outcome));
    }

    /** Empty when one of them cannot be used. */
    private List<Transaction.Staged> read(Transaction tx, List<byte[]> set) {
        List<Transaction.Staged> staged = new ArrayList<>(set.size());
        for (byte[] text : set) {
            if (!(EnvelopeText.parse(text) instanceof Verdict.Usable usable)) {
                LOG.error("event=bad-envelope from=lka msgid={}", tx.msgid);
                return List.of();
            }
            staged.add(new Transaction.Staged(drawLow(tx.lows), usable.envelope(), text));
        }
        return staged;
    }

    private int drawLow(Set<Integer> used) {
        while (true) {
            int low = random.nextInt();
            if (low != 0 && low != -1 && used.add(low)) {
                return low;
            }
        }
    }

    /**
     * A message id that nothing on disk and no open transaction has; NONE when there is no luck.
     */
    Msgid draw() {
        for (int i = 0; i < MAX_DRAWS; i++) {
            Msgid msgid = new Msgid(random.nextInt());
            if (!msgid.isNone()
                    && msgid.value() != -1
                    && !drawn.contains(msgid)
                    && backend.isFree(msgid)) {
                drawn.add(msgid);
                return msgid;
            }
        }
        return Msgid.NONE;
    }

    /** A drawn id is stored, or will not be. */
    void release(Msgid msgid) {
        drawn.remove(msgid);
    }

    int drawnCount() {
        return drawn.size();
    }

    long stagedBytes() {
        return stagedBytes;
    }

    // ---- content and commit

    void openContent(Frame frame, SmtpToQueue.OpenContent m) {
        Transaction tx = open.get(new Transaction.Key(frame.id(), m.no()));
        if (tx == null || tx.msgid.isNone() || tx.isFileAsked) {
            smtp.send(frame.id(), new QueueToSmtp.ContentFile(m.no(), TEMPORARY));
            return;
        }
        tx.isFileAsked = true;
        onLoop.run(
                backend.newContent(tx.msgid),
                file -> {
                    switch (file) {
                        case ContentFile.Opened o when open.get(tx.key) == tx -> {
                            tx.file = o;
                            smtp.send(
                                    frame.id(),
                                    new QueueToSmtp.ContentFile(m.no(), Outcome.ok()),
                                    o.fd());
                        }
                        case ContentFile.Opened o -> {
                            Fd.closeQuietly(o.fd());
                            o.handle().abort();
                        }
                        case ContentFile.Failed f -> {
                            LOG.warn("event=no-content-file cause=\"{}\"", f.cause());
                            smtp.send(
                                    frame.id(),
                                    new QueueToSmtp.ContentFile(
                                            m.no(), f.full() ? FULL : TEMPORARY));
                        }
                    }
                });
    }

    void commit(Frame frame, SmtpToQueue.CommitMessage m) {
        Transaction.Key key = new Transaction.Key(frame.id(), m.no());
        Transaction tx = open.remove(key);
        remember(key, m.expansionsOut());
        if (tx == null) {
            answer(key, Msgid.NONE, TEMPORARY);
            return;
        }
        stagedBytes -= tx.bytes;
        ContentFacts facts = new ContentFacts(m.size(), m.crc32c(), m.lines());
        List<Plan> plans = new ArrayList<>();
        List<QueueBackend.Text> texts = new ArrayList<>();
        List<EnvelopeStore.Stored> stored = new ArrayList<>();
        boolean contentFits =
                m.inFile() ? tx.file != null : tx.file == null && m.content().length() == m.size();
        if (!contentFits || !collect(tx, m, facts, texts, stored, plans) || texts.isEmpty()) {
            LOG.warn("event=commit-refused msgid={} sets={}", tx.msgid, tx.sets.size());
            forget(tx);
            answer(key, tx.msgid, TEMPORARY);
            return;
        }
        NewContent content =
                m.inFile()
                        ? new NewContent.InFile(tx.file, m.size(), m.crc32c(), m.lines())
                        : new NewContent.Memory(
                                m.content().array(), m.content().offset(), m.content().length());
        committing.put(tx.msgid, false);
        onLoop.run(
                backend.commit(new QueueBackend.Commit(tx.msgid, content, texts, List.of())),
                done -> {
                    drawn.remove(tx.msgid);
                    boolean isWithdrawn = committing.remove(tx.msgid);
                    if (isWithdrawn && done instanceof QueueBackend.Stored.Ok) {
                        withdraw(tx.msgid);
                        return;
                    }
                    switch (done) {
                        case QueueBackend.Stored.Ok _ ->
                                committed(key, tx, m, texts, stored, plans);
                        case QueueBackend.Stored.Absent _ -> answer(key, tx.msgid, TEMPORARY);
                        case QueueBackend.Stored.Temporary t -> {
                            LOG.warn(
                                    "event=commit-failed msgid={} cause=\"{}\"",
                                    tx.msgid,
                                    t.cause());
                            answer(key, tx.msgid, t.full() ? FULL : TEMPORARY);
                        }
                    }
                });
    }

    private boolean collect(
            Transaction tx,
            SmtpToQueue.CommitMessage m,
            ContentFacts facts,
            List<QueueBackend.Text> texts,
            List<EnvelopeStore.Stored> stored,
            List<Plan> plans) {
        Map<MailAddress, List<Envelope>> seen = tx.lows.size() == 1 ? Map.of() : new HashMap<>();
        byte[] accepted = m.accepted();
        for (int rcptNo = 0; rcptNo < accepted.length * 8; rcptNo++) {
            if ((accepted[rcptNo >> 3] & 1 << (rcptNo & 7)) == 0) {
                continue;
            }
            List<Transaction.Staged> set = tx.sets.get(rcptNo);
            if (set == null) {
                return false;
            }
            boolean isExpanded =
                    set.size() > 1 && BounceMaker.wantsExpanded(set.getFirst().envelope());
            for (Transaction.Staged s : set) {
                if (tx.lows.size() > 1 && isDouble(seen, s.envelope())) {
                    continue; // the same recipient twice is one envelope
                }
                Envelope envelope = complete(s.envelope(), facts, m.needFlags());
                byte[] text;
                if (isExpanded) {
                    envelope = withoutSuccess(envelope);
                    text = EnvelopeText.dump(envelope);
                } else {
                    text = Completion.text(s, envelope);
                }
                add(Evpid.of(tx.msgid, s.low()), envelope, text, texts, stored, plans);
            }
            if (isExpanded) {
                Envelope staged = set.getFirst().envelope();
                Envelope report = maker.expanded(complete(staged, facts, m.needFlags()));
                Evpid id = Evpid.of(tx.msgid, drawLow(tx.lows));
                add(id, report, EnvelopeText.dump(report), texts, stored, plans);
                maker.created();
            }
        }
        return true;
    }

    private void add(
            Evpid id,
            Envelope envelope,
            byte[] text,
            List<QueueBackend.Text> texts,
            List<EnvelopeStore.Stored> stored,
            List<Plan> plans) {
        texts.add(new QueueBackend.Text(id, text));
        stored.add(new EnvelopeStore.Stored(envelope, text));
        plans.add(scheduler.plan(id, envelope));
    }

    /** Success of the whole is told once; who asked for nothing else hears nothing else. */
    private static Envelope withoutSuccess(Envelope envelope) {
        int bits = envelope.dsn().notifyBits() & ~DsnFields.SUCCESS;
        return envelope.toBuilder().dsnNotify(bits == 0 ? DsnFields.NEVER : bits).build();
    }

    /** Equal but for the second in which its RCPT came. */
    private static boolean isDouble(Map<MailAddress, List<Envelope>> seen, Envelope envelope) {
        List<Envelope> same = seen.computeIfAbsent(envelope.dest(), _ -> new ArrayList<>(1));
        for (Envelope other : same) {
            Envelope then =
                    other.ctime() == envelope.ctime()
                            ? other
                            : other.toBuilder().ctime(envelope.ctime()).build();
            if (then.equals(envelope)) {
                return true;
            }
        }
        same.add(envelope);
        return false;
    }

    private static Envelope complete(Envelope envelope, ContentFacts facts, int needFlags) {
        if (needFlags == 0) {
            return envelope.toBuilder().content(facts).build();
        }
        EnumSet<Need> needs = EnumSet.noneOf(Need.class);
        needs.addAll(envelope.needs());
        if ((needFlags & smtpd.imsg.Need.EIGHT_BIT_MIME) != 0) {
            needs.add(Need.EIGHTBITMIME);
        }
        if ((needFlags & smtpd.imsg.Need.SMTPUTF8) != 0
                || ((needFlags & smtpd.imsg.Need.SMTPUTF8_BY_ADDRESS) != 0
                        && !isAscii(envelope.dest().toString()))) {
            needs.add(Need.SMTPUTF8);
        }
        if ((needFlags & smtpd.imsg.Need.REQUIRE_TLS) != 0) {
            needs.add(Need.REQUIRETLS);
        }
        if ((needFlags & smtpd.imsg.Need.TLS_OPTIONAL) != 0) {
            needs.add(Need.TLSOPTIONAL);
        }
        return envelope.toBuilder().content(facts).needs(needs).build();
    }

    private static boolean isAscii(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) > 127) {
                return false;
            }
        }
        return true;
    }

    private void committed(
            Transaction.Key key,
            Transaction tx,
            SmtpToQueue.CommitMessage m,
            List<QueueBackend.Text> texts,
            List<EnvelopeStore.Stored> stored,
            List<Plan> plans) {
        answer(key, tx.msgid, Outcome.ok());
        stats.add(Stat.QUEUE_MESSAGE_BYTES, m.size());
        if (!m.inFile()) {
            contents.put(tx.msgid, m.content());
        }
        for (int i = 0; i < texts.size(); i++) {
            envelopes.put(texts.get(i).id(), stored.get(i));
        }
        boolean bounces = plans.stream().anyMatch(p -> p.type() == EnvelopeType.BOUNCE);
        scheduler.ready(tx.msgid, bounces ? Origin.BOUNCE : Origin.NEW, plans);
    }

    private void answer(Transaction.Key key, Msgid msgid, Outcome outcome) {
        smtp.send(key.sid(), new QueueToSmtp.MessageCommitted(key.no(), msgid, outcome));
    }

    // ---- ends

    void abort(Frame frame, SmtpToQueue.AbortMessage m) {
        Transaction.Key key = new Transaction.Key(frame.id(), m.no());
        Transaction tx = open.remove(key);
        remember(key, m.expansionsOut());
        if (tx != null) {
            stagedBytes -= tx.bytes;
            forget(tx);
        } else if (committing.containsKey(m.msgid())) {
            committing.put(m.msgid(), true);
        } else if (!m.msgid().isNone()) {
            withdraw(m.msgid());
        }
    }

    /** The client of a durable commit was told 4xx: it comes again, so this copy goes. */
    private void withdraw(Msgid msgid) {
        if (handedOut.test(msgid)) {
            return;
        }
        onLoop.run(
                backend.discover(msgid),
                entries -> {
                    if (entries.isEmpty() || handedOut.test(msgid)) {
                        return;
                    }
                    List<Evpid> ids = entries.stream().map(QueueBackend.Entry::id).toList();
                    onLoop.run(
                            backend.delete(ids),
                            stored -> {
                                if (stored instanceof QueueBackend.Stored.Temporary t) {
                                    LOG.error(
                                            "problem=not-withdrawn msgid={} cause=\"{}\"",
                                            msgid,
                                            t.cause());
                                    scheduler.ready(msgid, Origin.FOUND, plans(entries));
                                    return;
                                }
                                LOG.info(
                                        "0000000000000000 queue remove msgid={} reason=withdrawn",
                                        msgid);
                                contents.drop(msgid);
                                for (Evpid id : ids) {
                                    envelopes.drop(id);
                                    scheduler.vanished(id, false);
                                }
                            });
                });
    }

    private List<Plan> plans(List<QueueBackend.Entry> entries) {
        List<Plan> plans = new ArrayList<>();
        for (QueueBackend.Entry e : entries) {
            if (EnvelopeText.parse(e.text()) instanceof Verdict.Usable usable) {
                plans.add(scheduler.plan(e.id(), usable.envelope()));
            }
        }
        return plans;
    }

    /** After a restart of this process: was that commit made durable? */
    void status(Frame frame, SmtpToQueue.CommitStatus m) {
        Transaction.Key key = new Transaction.Key(frame.id(), m.no());
        if (m.msgid().isNone()) {
            answer(key, Msgid.NONE, TEMPORARY);
            return;
        }
        onLoop.run(
                backend.state(m.msgid()),
                state ->
                        answer(
                                key,
                                m.msgid(),
                                state == CommitState.DURABLE ? Outcome.ok() : TEMPORARY));
    }

    private void remember(Transaction.Key key, int expansionsOut) {
        if (expansionsOut > 0) {
            long now = clock.millis() / 1000;
            closed.values().removeIf(c -> c.until < now);
            closed.put(key, new Closed(expansionsOut, now + CLOSED_SECONDS));
        }
    }

    private void forget(Transaction tx) {
        drawn.remove(tx.msgid);
        if (tx.file != null) {
            tx.file.handle().abort();
        }
    }

    /** Open transactions end with their client; a commit already under way completes and stays. */
    void smtpLost() {
        open.values().forEach(this::forget);
        open.clear();
        closed.clear();
        stagedBytes = 0;
    }

    /** Sets that did not arrive whole never will. */
    void lkaLost() {
        for (Transaction tx : open.values()) {
            tx.arriving.values().forEach(set -> giveBack(tx, set));
            tx.arriving.clear();
        }
        closed.clear();
    }
}
