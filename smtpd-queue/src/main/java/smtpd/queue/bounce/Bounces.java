package smtpd.queue.bounce;

import io.netty.channel.EventLoop;
import java.time.Clock;
import java.time.ZoneId;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.zip.CRC32C;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import smtpd.envelope.BounceType;
import smtpd.envelope.ContentFacts;
import smtpd.envelope.DsnReturn;
import smtpd.envelope.Envelope;
import smtpd.envelope.EnvelopeText;
import smtpd.envelope.EnvelopeType;
import smtpd.envelope.Evpid;
import smtpd.envelope.Msgid;
import smtpd.envelope.Verdict;
import smtpd.imsg.LkaToQueue;
import smtpd.imsg.Need;
import smtpd.imsg.Outcome;
import smtpd.imsg.QueueToLka;
import smtpd.imsg.QueueToScheduler.Origin;
import smtpd.imsg.QueueToScheduler.Plan;
import smtpd.imsg.QueueToScheduler.Result;
import smtpd.imsg.Role;
import smtpd.log.LogLine;
import smtpd.proc.Edge;
import smtpd.proc.Frame;
import smtpd.proc.IdSource;
import smtpd.proc.Pending;
import smtpd.queue.ContentStore;
import smtpd.queue.EnvelopeStore;
import smtpd.queue.OnLoop;
import smtpd.queue.SchedulerFeed;
import smtpd.queue.backend.QueueBackend;
import smtpd.queue.backend.QueueBackend.NewContent;
import smtpd.stat.Stat;
import smtpd.stat.Stats;

/**
 * The agent for bounce envelopes: gathers those of one message, writes one notice for all, and
 * commits it together with their deletion.
 */
public final class Bounces {

    private static final Logger LOG = LoggerFactory.getLogger(Bounces.class);
    private static final long QUIET_MILLIS = 1_000;
    private static final long LONGEST_MILLIS = 10_000;
    private static final int MAX_RECIPIENTS = 1_000;
    private static final int MAX_AT_ONCE = 8;
    private static final long ANSWER_MILLIS = 120_000;
    private static final int LOCAL_DELAY_SECONDS = 300;

    /** Reports that go into one notice. */
    private record Key(
            Msgid msgid,
            String smtpname,
            BounceType kind,
            long delay,
            long expire,
            DsnReturn ret) {}

    /** One bounce envelope of a group. */
    private record Report(Evpid id, Envelope envelope) {}

    private static final class Group {
        final List<Report> reports = new ArrayList<>();
        final long begun;
        long last;

        Group(long now) {
            begun = now;
            last = now;
        }

        /** The message that these are about. */
        Msgid original() {
            return reports.getFirst().id().msgid();
        }

        Envelope any() {
            return reports.getFirst().envelope();
        }
    }

    private final QueueBackend backend;
    private final EnvelopeStore envelopes;
    private final ContentStore contents;
    private final SchedulerFeed scheduler;
    private final Edge<QueueToLka> lka;
    private final OnLoop onLoop;
    private final EventLoop loop;
    private final IdSource ids;
    private final Stats stats;
    private final Clock clock;
    private final NoticeWriter writer;
    private final BounceMaker maker;
    private Supplier<Msgid> draw = () -> Msgid.NONE;
    private Consumer<Msgid> release = _ -> {};

    /** Ordered and not answered: what is ordered again meanwhile has its answer coming. */
    private final Set<Evpid> taken = new HashSet<>();

    private final Map<Key, Group> gathering = new LinkedHashMap<>();
    private final Deque<Group> full = new ArrayDeque<>();
    private final Map<Long, Asked> asked = new HashMap<>();
    private final Pending<Long> pending;
    private boolean timer;
    private int running;

    /** A question to lka, and the parts of its answer. */
    private static final class Asked {
        final Group group;
        final List<byte[]> envelopes = new ArrayList<>();

        Asked(Group group) {
            this.group = group;
        }
    }

    public Bounces(
            QueueBackend backend,
            EnvelopeStore envelopes,
            ContentStore contents,
            SchedulerFeed scheduler,
            Edge<QueueToLka> lka,
            OnLoop onLoop,
            EventLoop loop,
            IdSource ids,
            Stats stats,
            Clock clock,
            String serverName) {
        this.backend = backend;
        this.envelopes = envelopes;
        this.contents = contents;
        this.scheduler = scheduler;
        this.lka = lka;
        this.onLoop = onLoop;
        this.loop = loop;
        this.ids = ids;
        this.stats = stats;
        this.clock = clock;
        this.writer = new NoticeWriter(serverName, ZoneId.systemDefault());
        this.maker = new BounceMaker(clock, stats);
        this.pending = new Pending<>(loop, id -> give(asked.remove(id)));
    }

    /** Where message ids are drawn. */
    public void drawFrom(Supplier<Msgid> source, Consumer<Msgid> giveBack) {
        this.draw = source;
        this.release = giveBack;
    }

    public BounceMaker maker() {
        return maker;
    }

    // ---- gather

    /** Bounce envelopes that are due. */
    public void dispatch(List<Evpid> evpids) {
        for (Evpid id : evpids) {
            if (taken.add(id)) {
                envelopes.load(id, loaded -> loaded(id, loaded));
            }
        }
    }

    private void loaded(Evpid id, EnvelopeStore.Loaded loaded) {
        switch (loaded) {
            case EnvelopeStore.Loaded.Found f -> {
                Envelope envelope = f.stored().envelope();
                if (envelope.type() != EnvelopeType.BOUNCE || envelope.bounce().type() == null) {
                    changedByHand(id, envelope);
                } else if (envelope.bounce().notice().isNone()) {
                    gather(id, envelope);
                } else {
                    lookForNotice(id, envelope);
                }
            }
            case EnvelopeStore.Loaded.Absent _ -> {
                taken.remove(id);
                scheduler.vanished(id, true);
            }
            case EnvelopeStore.Loaded.Unreadable u -> {
                LOG.warn("problem=unreadable evpid={} cause=\"{}\"", id, u.cause());
                localDelay(id);
            }
        }
    }

    /** It is of another kind now: the scheduler learns it anew. */
    private void changedByHand(Evpid id, Envelope envelope) {
        LOG.warn("problem=no-bounce evpid={} type={}", id, envelope.type().text());
        taken.remove(id);
        scheduler.vanished(id, true);
        if (envelope.type() != EnvelopeType.BOUNCE) {
            scheduler.ready(id.msgid(), Origin.FOUND, List.of(scheduler.plan(id, envelope)));
        }
    }

    /** A notice of it was begun: when that message exists, this report was made. */
    private void lookForNotice(Evpid id, Envelope envelope) {
        onLoop.run(
                backend.state(envelope.bounce().notice()),
                state -> {
                    if (state != QueueBackend.CommitState.DURABLE) {
                        gather(id, envelope);
                        return;
                    }
                    onLoop.run(
                            backend.delete(List.of(id)),
                            stored -> {
                                if (stored instanceof QueueBackend.Stored.Temporary) {
                                    localDelay(id);
                                } else {
                                    end(id, Result.OK);
                                }
                            });
                });
    }

    private void localDelay(Evpid id) {
        BounceTrace.ended(id, "local delay " + LOCAL_DELAY_SECONDS + "s");
        taken.remove(id);
        scheduler.localDelay(id, LOCAL_DELAY_SECONDS);
    }

    private void gather(Evpid id, Envelope envelope) {
        Key key =
                new Key(
                        id.msgid(),
                        envelope.smtpname(),
                        envelope.bounce().type(),
                        envelope.bounce().delay().toSeconds(),
                        envelope.bounce().expire().toSeconds(),
                        envelope.dsn().ret());
        long now = millis();
        Group group = gathering.computeIfAbsent(key, _ -> new Group(now));
        group.reports.add(new Report(id, envelope));
        group.last = now;
        stats.increment(Stat.BOUNCE_ENVELOPE);
        BounceTrace.gathered(id, envelope, group.reports.size());
        if (group.reports.size() >= MAX_RECIPIENTS) {
            gathering.remove(key);
            full.add(group);
            start();
        } else if (!timer) {
            timer = true;
            loop.schedule(this::look, QUIET_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    private static long millis() {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime());
    }

    private void look() {
        timer = false;
        long now = millis();
        long wait = LONGEST_MILLIS;
        for (var groups = gathering.values().iterator(); groups.hasNext(); ) {
            Group group = groups.next();
            long due = Math.min(group.last + QUIET_MILLIS, group.begun + LONGEST_MILLIS);
            if (due <= now) {
                groups.remove();
                full.add(group);
            } else {
                wait = Math.min(wait, due - now);
            }
        }
        start();
        if (!gathering.isEmpty() && !timer) {
            timer = true;
            loop.schedule(this::look, Math.max(wait, 1), TimeUnit.MILLISECONDS);
        }
    }

    // ---- ask

    private void start() {
        while (running < MAX_AT_ONCE && !full.isEmpty() && lka.isUp()) {
            Group group = full.poll();
            running++;
            stats.set(Stat.BOUNCE_MESSAGE, running);
            ask(group);
        }
    }

    private void ask(Group group) {
        long id = ids.next();
        Envelope any = group.any();
        BounceTrace.asked(group.original(), any, group.reports.size());
        asked.put(id, new Asked(group));
        pending.add(id, ANSWER_MILLIS, EnumSet.of(Role.LKA), id);
        int needs = 0;
        if (any.needs(smtpd.envelope.Need.EIGHTBITMIME)) {
            needs |= Need.EIGHT_BIT_MIME;
        }
        if (any.needs(smtpd.envelope.Need.SMTPUTF8)) {
            needs |= Need.SMTPUTF8;
        }
        if (any.needs(smtpd.envelope.Need.REQUIRETLS)) {
            needs |= Need.REQUIRE_TLS;
        }
        lka.send(
                id,
                new QueueToLka.ExpandBounce(any.sender(), any.smtpname(), needs, any.version()));
    }

    /** lka died: its questions are asked again when it is back. */
    public void lkaLost() {
        for (Long id : pending.lost(Role.LKA)) {
            Asked lost = asked.remove(id);
            if (lost != null) {
                running--;
                full.addFirst(lost.group);
            }
        }
    }

    public void lkaJoined() {
        start();
    }

    /** The envelopes of a notice, or why there are none. */
    public void expanded(Frame frame, LkaToQueue.BounceExpanded m) {
        Asked question = asked.get(frame.id());
        if (question == null) {
            stats.increment(Stat.IMSG_LATE);
            return;
        }
        question.envelopes.addAll(m.envelopes());
        if (frame.more()) {
            return;
        }
        asked.remove(frame.id());
        pending.take(frame.id());
        BounceTrace.answered(question.group.original(), m.outcome(), question.envelopes.size());
        switch (m.outcome()) {
            case Outcome.Ok _ when !question.envelopes.isEmpty() -> compose(question);
            case Outcome.Temporary _ -> give(question);
            default -> drop(question.group, m.outcome());
        }
    }

    private void give(Asked question) {
        if (question == null) {
            return;
        }
        for (Report report : question.group.reports) {
            Envelope old = report.envelope();
            Envelope changed =
                    old.toBuilder()
                            .retry(Math.min(Envelope.MAX_RETRY, old.retry() + 1))
                            .lastTry(clock.millis() / 1000)
                            .build();
            BounceTrace.ended(report.id(), "retry " + changed.retry());
            envelopes.update(
                    report.id(),
                    changed,
                    stored -> {
                        taken.remove(report.id());
                        if (stored instanceof QueueBackend.Stored.Absent) {
                            scheduler.vanished(report.id(), true);
                        } else {
                            scheduler.retry(report.id(), changed.retry(), changed.lastBounce());
                        }
                    });
        }
        finished(question.group);
    }

    private void drop(Group group, Outcome why) {
        Envelope any = group.any();
        LogLine.of("bounce", "failed")
                .msgid("msgid", group.original().value())
                .address("to", any.sender())
                .add("envelopes", group.reports.size())
                .add("kind", any.bounce().type().text(3))
                .add("result", why instanceof Outcome.Permanent p ? p.reply() : "nobody to tell")
                .warn(LOG);
        List<Evpid> all = group.reports.stream().map(Report::id).toList();
        onLoop.run(
                backend.delete(all),
                stored -> {
                    if (stored instanceof QueueBackend.Stored.Temporary) {
                        all.forEach(this::localDelay);
                    } else {
                        all.forEach(id -> end(id, Result.FAIL));
                    }
                    finished(group);
                });
    }

    private void end(Evpid id, Result result) {
        BounceTrace.ended(id, result.name().toLowerCase(Locale.ROOT));
        taken.remove(id);
        envelopes.drop(id);
        scheduler.done(id, result);
    }

    private void finished(Group group) {
        running--;
        stats.add(Stat.BOUNCE_ENVELOPE, -group.reports.size());
        stats.set(Stat.BOUNCE_MESSAGE, running);
        start();
    }

    // ---- write and commit

    private void compose(Asked question) {
        Group group = question.group;
        contents.get(
                group.original(),
                found -> {
                    switch (found) {
                        case ContentStore.Found.Bytes b ->
                                write(
                                        question,
                                        OriginalMessage.of(
                                                b.content().array(),
                                                b.content().offset(),
                                                b.content().length(),
                                                b.content().length()));
                        case ContentStore.Found.File f ->
                                onLoop.run(OriginalMessage.read(f.fd()), o -> write(question, o));
                        case ContentStore.Found.Missing _ ->
                                write(question, OriginalMessage.missing());
                    }
                });
    }

    private void write(Asked question, OriginalMessage original) {
        Group group = question.group;
        Msgid notice = draw.get();
        if (notice.isNone()) {
            give(question);
            return;
        }
        List<Envelope> reports = group.reports.stream().map(Report::envelope).toList();
        byte[] content = writer.write(notice, group.original(), reports, original, clock.instant());
        BounceTrace.written(group.original(), notice, content.length);
        CRC32C sum = new CRC32C();
        sum.update(content);
        long lines = 0;
        for (byte b : content) {
            if (b == '\n') {
                lines++;
            }
        }
        ContentFacts facts = new ContentFacts(content.length, (int) sum.getValue(), lines);
        List<QueueBackend.Text> texts = new ArrayList<>();
        List<EnvelopeStore.Stored> stored = new ArrayList<>();
        List<Plan> plans = new ArrayList<>();
        for (byte[] text : question.envelopes) {
            if (!(EnvelopeText.parse(text) instanceof Verdict.Usable usable)) {
                LOG.error("event=bad-envelope from=lka kind=bounce");
                release.accept(notice);
                give(question);
                return;
            }
            Evpid id = Evpid.of(notice, maker.drawLow());
            Envelope envelope =
                    usable.envelope().toBuilder()
                            .content(facts)
                            .needs(needs(usable.envelope(), reports, content))
                            .build();
            byte[] whole = EnvelopeText.dump(envelope);
            texts.add(new QueueBackend.Text(id, whole));
            stored.add(new EnvelopeStore.Stored(envelope, whole));
            plans.add(scheduler.plan(id, envelope));
        }
        mark(group, notice, () -> commit(group, notice, content, texts, stored, plans));
    }

    /** What the next hop must be able to do with the notice, beside what lka knows. */
    private static Set<smtpd.envelope.Need> needs(
            Envelope notice, List<Envelope> reports, byte[] content) {
        Set<smtpd.envelope.Need> needs = EnumSet.noneOf(smtpd.envelope.Need.class);
        needs.addAll(notice.needs());
        for (byte b : content) {
            if (b < 0) {
                needs.add(smtpd.envelope.Need.EIGHTBITMIME);
                break;
            }
        }
        String to = notice.dest().toString();
        if (to.chars().anyMatch(c -> c > 127)) {
            needs.add(smtpd.envelope.Need.SMTPUTF8);
        }
        if (reports.stream().anyMatch(r -> r.needs(smtpd.envelope.Need.REQUIRETLS))) {
            needs.add(smtpd.envelope.Need.REQUIRETLS);
        }
        return needs;
    }

    /**
     * The bounces learn the id of their notice first: whoever finds both after a crash knows that
     * the report was made.
     */
    private void mark(Group group, Msgid notice, Runnable then) {
        int[] left = {group.reports.size()};
        boolean[] failed = {false};
        for (Report report : group.reports) {
            Envelope marked = report.envelope().toBuilder().notice(notice).build();
            envelopes.update(
                    report.id(),
                    marked,
                    stored -> {
                        failed[0] |= stored instanceof QueueBackend.Stored.Temporary;
                        if (--left[0] == 0) {
                            if (failed[0]) {
                                release.accept(notice);
                                later(group);
                            } else {
                                then.run();
                            }
                        }
                    });
        }
    }

    private void commit(
            Group group,
            Msgid notice,
            byte[] content,
            List<QueueBackend.Text> texts,
            List<EnvelopeStore.Stored> stored,
            List<Plan> plans) {
        List<Evpid> done = group.reports.stream().map(Report::id).toList();
        onLoop.run(
                backend.commit(
                        new QueueBackend.Commit(
                                notice,
                                new NewContent.Memory(content, 0, content.length),
                                texts,
                                done)),
                result -> {
                    BounceTrace.committed(group.original(), notice, done, result);
                    release.accept(notice);
                    if (!(result instanceof QueueBackend.Stored.Ok)) {
                        LOG.error("problem=no-notice msgid={} cause=\"{}\"", notice, result);
                        later(group);
                        return;
                    }
                    for (int i = 0; i < texts.size(); i++) {
                        envelopes.put(texts.get(i).id(), stored.get(i));
                    }
                    done.forEach(id -> end(id, Result.OK));
                    scheduler.ready(notice, Origin.BOUNCE, plans);
                    Envelope any = group.any();
                    LogLine.of("bounce", "injected")
                            .msgid("msgid", notice.value())
                            .address("to", any.sender())
                            .add("envelopes", done.size())
                            .add("kind", any.bounce().type().text(3))
                            .add("result", "Ok")
                            .info(LOG);
                    finished(group);
                });
    }

    private void later(Group group) {
        group.reports.forEach(r -> localDelay(r.id()));
        finished(group);
    }

    /** Bounce envelopes that are being worked on. */
    public List<Evpid> inWork() {
        return List.copyOf(taken);
    }
}
