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
import smtpd.proc.Edge;
import smtpd.proc.Frame;
import smtpd.proc.IdSource;
import smtpd.queue.backend.ContentFile;
import smtpd.queue.backend.QueueBackend;
import smtpd.queue.backend.QueueBackend.CommitState;
import smtpd.queue.backend.QueueBackend.NewContent;
import smtpd.stat.Stat;
import smtpd.stat.Stats;

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
    private final SecureRandom random = new SecureRandom();
    private final Map<Transaction.Key, Transaction> open = new HashMap<>();
    private final Set<Msgid> drawn = new HashSet<>();
    private final Map<Transaction.Key, Closed> closed = new HashMap<>();
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
            Predicate<Msgid> handedOut) {
        this.backend = backend;
        this.smtp = smtp;
        this.envelopes = envelopes;
        this.contents = contents;
        this.scheduler = scheduler;
        this.onLoop = onLoop;
        this.stats = stats;
        this.clock = clock;
        this.handedOut = handedOut;
    }

    int size() {
        return open.size();
    }

    // ---- RCPT

    /** One set of envelopes, or a part of one; the first frame about a transaction opens it. */
    void stage(Frame frame, EnvelopesSubmit m, int smtpGeneration) {
        Transaction.Key key = new Transaction.Key(frame.id(), m.no());
        Closed late = closed.get(key);
        if (late != null) {
            if (!frame.more() && --late.expansionsOut <= 0) {
                closed.remove(key);
            }
            return;
        }
        if (IdSource.generationOf(frame.id()) != (smtpGeneration & 0xffff)) {
            return; // an older smtp asked; nobody waits for this
        }
        Transaction tx = open.get(key);
        if (tx == null) {
            Msgid msgid = draw();
            if (msgid.isNone()) {
                store(key, m.rcptNo(), Msgid.NONE, List.of(), TEMPORARY);
                return;
            }
            tx = new Transaction(key, msgid);
            open.put(key, tx);
        }
        long before = tx.bytes;
        List<byte[]> set = tx.arrive(m.rcptNo(), m.envelopes(), frame.more());
        stagedBytes += tx.bytes - before;
        if (set == null) {
            return;
        }
        if (tx.bytes > MAX_TRANSACTION_BYTES || stagedBytes > MAX_STAGED_BYTES) {
            store(key, m.rcptNo(), tx.msgid, List.of(), FULL);
            return;
        }
        List<Transaction.Staged> staged = read(tx, set);
        if (staged == null) {
            store(key, m.rcptNo(), tx.msgid, List.of(), TEMPORARY);
            return;
        }
        tx.sets.put(m.rcptNo(), staged);
        List<Integer> lows = new ArrayList<>(staged.size());
        staged.forEach(s -> lows.add(s.low()));
        store(
                key,
                m.rcptNo(),
                tx.msgid,
                lows.size() > 1024 ? lows.subList(0, 1024) : lows,
                Outcome.ok());
    }

    private void store(
            Transaction.Key key, int rcptNo, Msgid msgid, List<Integer> lows, Outcome outcome) {
        smtp.send(
                key.sid(), new QueueToSmtp.RecipientStored(key.no(), rcptNo, msgid, lows, outcome));
    }

    private List<Transaction.Staged> read(Transaction tx, List<byte[]> set) {
        Set<Integer> used = new HashSet<>();
        tx.sets.values().forEach(all -> all.forEach(s -> used.add(s.low())));
        List<Transaction.Staged> staged = new ArrayList<>(set.size());
        for (byte[] text : set) {
            if (!(EnvelopeText.parse(text) instanceof Verdict.Usable usable)) {
                LOG.error("event=bad-envelope from=lka msgid={}", tx.msgid);
                return null;
            }
            int low = drawLow(used);
            staged.add(new Transaction.Staged(low, usable.envelope()));
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

    // ---- content and commit

    void openContent(Frame frame, SmtpToQueue.OpenContent m) {
        Transaction tx = open.get(new Transaction.Key(frame.id(), m.no()));
        if (tx == null || tx.file != null) {
            smtp.send(frame.id(), new QueueToSmtp.ContentFile(m.no(), TEMPORARY));
            return;
        }
        onLoop.run(
                backend.newContent(tx.msgid),
                file -> {
                    switch (file) {
                        case ContentFile.Opened o when open.containsKey(tx.key) -> {
                            tx.file = o;
                            smtp.send(
                                    frame.id(),
                                    new QueueToSmtp.ContentFile(m.no(), Outcome.ok()),
                                    o.fd());
                        }
                        case ContentFile.Opened o -> {
                            smtpd.sys.Fd.closeQuietly(o.fd());
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
        onLoop.run(
                backend.commit(new QueueBackend.Commit(tx.msgid, content, texts, List.of())),
                done -> {
                    drawn.remove(tx.msgid);
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
        Set<Envelope> seen = new HashSet<>();
        byte[] accepted = m.accepted();
        for (int rcptNo = 0; rcptNo < accepted.length * 8; rcptNo++) {
            if ((accepted[rcptNo >> 3] & 1 << (rcptNo & 7)) == 0) {
                continue;
            }
            List<Transaction.Staged> set = tx.sets.get(rcptNo);
            if (set == null) {
                return false;
            }
            for (Transaction.Staged s : set) {
                if (!seen.add(s.envelope())) {
                    continue; // the same recipient twice is one envelope
                }
                Envelope envelope = complete(s.envelope(), facts, m.needFlags());
                byte[] text = EnvelopeText.dump(envelope);
                Evpid evpid = Evpid.of(tx.msgid, s.low());
                texts.add(new QueueBackend.Text(evpid, text));
                stored.add(new EnvelopeStore.Stored(envelope, text));
                plans.add(Plans.of(evpid, envelope));
            }
        }
        return true;
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
                            _ -> {
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
        long now = clock.millis() / 1000;
        closed.values().removeIf(c -> c.until < now);
        if (expansionsOut > 0) {
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
            tx.arriving.clear();
        }
    }
}
