package smtpd.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import smtpd.envelope.EnvelopeType;
import smtpd.imsg.QueueToScheduler.Plan;

/** Random events on the real schedule and on a naive one, compared after every step. */
class ScheduleModelTest {

    private static final Backoff MTA = new Backoff(400_000, Backoff.MAX_GAP, 0);
    private static final Backoff LOCAL = new Backoff(10_000, Backoff.MAX_GAP, 0);
    private static final long START = 1_800_000_000L;

    enum State {
        PENDING,
        SCHEDULED,
        INFLIGHT,
        HELD
    }

    /** An envelope of the naive schedule. */
    private static final class E {
        final long id;
        final EnvelopeType type;
        final long ctime;
        final long expire;
        State state = State.PENDING;
        long next;
        int retry;
        boolean suspended;
        boolean removed;
        boolean expired;
        boolean ending;
        String hold;

        E(long id, EnvelopeType type, long ctime, long expire) {
            this.id = id;
            this.type = type;
            this.ctime = ctime;
            this.expire = expire;
        }

        Kind kind() {
            return removed ? Kind.REMOVED : expired ? Kind.EXPIRED : Kind.valueOf(type.name());
        }

        long key() {
            return state == State.HELD ? expire : Math.min(next, expire);
        }

        boolean isWaiting() {
            return (state == State.PENDING && !suspended) || state == State.HELD;
        }

        long step(long now) {
            long base = type == EnvelopeType.MTA ? 400 : 10;
            long cap = 6 * 3600;
            long t = 0;
            for (int s = 0; s < retry || t <= now - ctime; s++) {
                t += Math.min(base * (2L * s + 1), cap);
            }
            return ctime + t;
        }
    }

    private final Random random;
    private final long seed = Long.getLong("seed", 1);
    private final Tuning tuning;
    private final Schedule schedule;
    private final Map<Long, E> model = new HashMap<>();
    private final Map<Kind, List<E>> ready = new HashMap<>();
    private final Map<String, List<E>> holds = new LinkedHashMap<>();
    private final Map<Kind, List<Long>> left = new TreeMap<>();
    private final Batches batches;
    private long now = START;

    ScheduleModelTest() {
        random = new Random(seed);
        tuning = new Tuning(60, 10, 64, 12, 256, 1024, Integer.MAX_VALUE, new long[] {14_400});
        schedule = new Schedule(tuning, MTA, LOCAL);
        batches = new Batches(schedule);
        for (Kind kind : Kind.values()) {
            ready.put(kind, new ArrayList<>());
        }
    }

    @Test
    void noRowIsLostOrInTwoPlacesAndEachGoesWhereTheRulesSay() {
        for (int step = 0; step < 12_000; step++) {
            String what = event();
            if (step % 5 == 0) {
                compare("seed " + seed + " step " + step + " after " + what);
            }
        }
        // Then everything ends, and nothing may be left anywhere.
        model.values().stream().map(e -> e.id).toList().forEach(this::vanish);
        compare("seed " + seed + " at the end");
        assertThat(schedule.inFlight()).isZero();
        assertThat(schedule.table().size()).isZero();
        assertThat(schedule.routes().size()).isZero();
        assertThat(schedule.holds().queues()).isZero();
    }

    private String event() {
        int dice = random.nextInt(100);
        if (dice < 22) {
            insert();
            return "insert";
        } else if (dice < 40) {
            now += random.nextInt(10) == 0 ? random.nextInt(20_000) : random.nextInt(30);
            due();
            return "due";
        } else if (dice < 60) {
            pick();
            return "pick";
        } else if (dice < 64) {
            String key = "h" + random.nextInt(3);
            release(key, 1 + random.nextInt(5), random.nextBoolean());
            return "release " + key;
        }
        E e = any(dice < 88);
        if (e == null) {
            return "nothing";
        }
        if (dice < 88 && e.state == State.INFLIGHT) {
            return "result " + result(e, random.nextInt(6));
        }
        return switch (random.nextInt(6)) {
            case 0 -> {
                assertThat(schedule.suspend(row(e), now)).as("seed %d", seed).isEqualTo(suspend(e));
                yield "suspend";
            }
            case 1, 2 -> {
                assertThat(schedule.resume(row(e))).as("seed %d", seed).isEqualTo(resume(e));
                yield "resume";
            }
            case 3 -> {
                assertThat(schedule.remove(row(e), 7, now))
                        .as("seed %d", seed)
                        .isEqualTo(remove(e));
                yield "remove";
            }
            case 4 -> {
                assertThat(schedule.scheduleNow(row(e), now))
                        .as("seed %d", seed)
                        .isEqualTo(scheduleNow(e));
                yield "schedule";
            }
            default -> {
                vanish(e.id);
                yield "vanish";
            }
        };
    }

    private E any(boolean inFlight) {
        List<E> all =
                model.values().stream()
                        .filter(e -> !inFlight || e.state == State.INFLIGHT)
                        .sorted(Comparator.comparingLong(e -> e.id))
                        .toList();
        return all.isEmpty() ? null : all.get(random.nextInt(all.size()));
    }

    private int row(E e) {
        return schedule.table().find(e.id);
    }

    private void insert() {
        if (model.size() > 400) {
            return;
        }
        int msgid = random.nextInt(60) * 0x03030303;
        int low = random.nextInt(30);
        long id = (long) msgid << 32 | low;
        EnvelopeType type = EnvelopeType.values()[random.nextInt(3)];
        long ctime = now - random.nextInt(3000);
        long life = random.nextInt(40_000);
        int retry = random.nextInt(4);
        boolean suspended = random.nextInt(10) == 0;
        boolean inFlight = random.nextInt(10) == 0;
        Plan plan =
                new Plan(low, type, ctime, life, retry, 0, random.nextInt(5), suspended, inFlight);
        boolean isNew = !model.containsKey(id);
        assertThat(schedule.insert(msgid, plan, false, now) >= 0)
                .as("seed %d", seed)
                .isEqualTo(isNew);
        if (isNew) {
            E e = new E(id, type, ctime, ctime + life);
            e.retry = retry;
            e.next = e.step(0);
            e.suspended = suspended;
            e.state = inFlight ? State.INFLIGHT : State.PENDING;
            model.put(id, e);
        }
    }

    private void due() {
        int moved = schedule.due(now, tuning.maxDue());
        List<E> due =
                model.values().stream()
                        .filter(E::isWaiting)
                        .filter(e -> e.key() <= now)
                        .sorted(
                                Comparator.comparingLong(E::key)
                                        .thenComparing((a, b) -> Long.compareUnsigned(a.id, b.id)))
                        .limit(tuning.maxDue())
                        .toList();
        assertThat(moved).as("seed %d", seed).isEqualTo(due.size());
        for (E e : due) {
            unlink(e);
            e.expired = e.expire <= now;
            makeReady(e);
        }
    }

    private void makeReady(E e) {
        e.state = State.SCHEDULED;
        ready.get(e.kind()).add(e);
    }

    private void unlink(E e) {
        if (e.state == State.SCHEDULED) {
            assertThat(ready.get(e.kind()).remove(e)).isTrue();
        } else if (e.state == State.HELD) {
            List<E> queue = holds.get(e.hold);
            assertThat(queue.remove(e)).isTrue();
            if (queue.isEmpty()) {
                holds.remove(e.hold);
            }
        }
    }

    /** Checks a batch against the rules, not against the order in which kinds took their turns. */
    private void pick() {
        int allowed = random.nextInt(1 << Kind.COUNT);
        int before = schedule.inFlight();
        int upkeepBefore = upkeep();
        batches.pick(allowed, now);
        left.clear();
        int taken = 0;
        for (Kind kind : Kind.values()) {
            Batches.Batch batch = batches.batch(kind);
            taken += batch.size();
            List<Long> ids = new ArrayList<>();
            for (int i = 0; i < batch.size(); i++) {
                ids.add(batch.evpid(i));
            }
            left.put(kind, ids);
        }
        assertThat(taken).as("seed %d", seed).isLessThanOrEqualTo(tuning.maxSchedule());
        assertThat(before + taken).as("seed %d", seed).isEqualTo(schedule.inFlight());
        if (taken > 0) {
            assertThat(schedule.inFlight()).as("seed %d", seed).isLessThanOrEqualTo(60);
        }
        if (taken == 0 && before < 60) {
            for (Kind kind : List.of(Kind.MDA, Kind.MTA)) {
                if ((allowed & kind.bit()) != 0) {
                    assertThat(ready.get(kind).stream().filter(e -> e.expire > now || e.suspended))
                            .as("seed %d", seed)
                            .isEmpty();
                }
            }
        }
        // The expired ones last: others may have joined them in this very pick.
        for (Kind kind : List.of(Kind.REMOVED, Kind.BOUNCE, Kind.MDA, Kind.MTA, Kind.EXPIRED)) {
            List<Long> ids = left.get(kind);
            if (!ids.isEmpty()) {
                assertThat(allowed & kind.bit()).as("seed %d", seed).isNotZero();
            }
            if (kind == Kind.MDA || kind == Kind.MTA || kind == Kind.BOUNCE) {
                // What expired while it waited in the ready list has been moved aside.
                List<E> list = ready.get(kind);
                while (!list.isEmpty()
                        && !ids.contains(list.getFirst().id)
                        && kindOf(list.getFirst()) == Kind.EXPIRED) {
                    E e = list.removeFirst();
                    e.expired = true;
                    ready.get(Kind.EXPIRED).add(e);
                }
            }
            for (int i = 0; i < ids.size(); i++) {
                List<E> list = ready.get(kind);
                while (kindOf(list.getFirst()) == Kind.EXPIRED && kind != Kind.EXPIRED) {
                    E e = list.removeFirst();
                    e.expired = true;
                    ready.get(Kind.EXPIRED).add(e);
                }
                E e = list.getFirst();
                if (kind == Kind.EXPIRED) {
                    e = model.get(ids.get(i));
                }
                assertThat(list.remove(e)).as("seed %d %s", seed, kind).isTrue();
                assertThat(ids).as("seed %d %s", seed, kind).contains(e.id);
                e.state = State.INFLIGHT;
                e.ending = kind == Kind.REMOVED || kind == Kind.EXPIRED;
            }
            List<E> list = ready.get(kind);
            while (!list.isEmpty() && kindOf(list.getFirst()) != kind) {
                E e = list.removeFirst();
                e.expired = true;
                ready.get(Kind.EXPIRED).add(e);
            }
        }
        if (upkeep() > upkeepBefore) {
            assertThat(upkeep()).as("seed %d", seed).isLessThanOrEqualTo(15);
        }
    }

    private int upkeep() {
        return schedule.flight(Schedule.ENDINGS).size()
                + schedule.flight(EnvelopeType.BOUNCE.ordinal()).size();
    }

    /** Where the real one says this row stands. */
    private Kind kindOf(E e) {
        EnvelopeTable table = schedule.table();
        int row = row(e);
        if (table.has(row, EnvelopeTable.REMOVED)) {
            return Kind.REMOVED;
        }
        return table.has(row, EnvelopeTable.EXPIRED) ? Kind.EXPIRED : Kind.valueOf(e.type.name());
    }

    private String result(E e, int dice) {
        int row = row(e);
        assertThat(schedule.isWithAgent(row)).as("seed %d", seed).isEqualTo(!e.ending);
        if (e.ending) {
            if (dice < 4) {
                vanish(e.id);
                return "gone";
            }
            schedule.lost(row, now);
            land(e);
            return "ending lost";
        }
        switch (dice) {
            case 0 -> vanish(e.id);
            case 1, 2 -> {
                int retry = e.retry + 1;
                schedule.retry(row, retry, now);
                e.retry = retry;
                land(e);
                e.next = e.step(now);
            }
            case 3 -> {
                schedule.lost(row, now);
                land(e);
                e.next = now + 1 + Hash.below(5, e.id);
            }
            case 4 -> {
                schedule.comeBack(row, now + 77, now);
                land(e);
                e.next = now + 77;
            }
            default -> {
                int key = random.nextInt(3);
                schedule.hold(row, key(key), now);
                hold(e, "h" + key);
            }
        }
        return "dice " + dice;
    }

    private static Holds.Key key(int n) {
        return new Holds.Key(1, 1, n);
    }

    private void land(E e) {
        e.ending = false;
        if (e.removed || e.expired) {
            makeReady(e);
        } else {
            e.state = State.PENDING;
        }
    }

    private void hold(E e, String key) {
        land(e);
        e.next = now;
        if (e.state == State.SCHEDULED || e.suspended) {
            return;
        }
        List<E> queue = holds.computeIfAbsent(key, _ -> new ArrayList<>());
        if (queue.size() >= tuning.maxHoldQueue()) {
            e.next = now + 3 + Hash.below(58, e.id);
            return;
        }
        e.state = State.HELD;
        e.hold = key;
        queue.add(e);
    }

    private void release(String key, int count, boolean asDeferred) {
        Holds.Hold hold = schedule.holds().find(key(key.charAt(1) - '0'));
        List<E> queue = holds.get(key);
        assertThat(hold == null).as("seed %d", seed).isEqualTo(queue == null);
        if (hold == null) {
            return;
        }
        int before = queue.size();
        int released = schedule.release(hold, count, asDeferred, now);
        assertThat(released).as("seed %d", seed).isGreaterThanOrEqualTo(Math.min(count, before));
        assertThat(released).as("seed %d", seed).isLessThanOrEqualTo(count + 20);
        for (int i = 0; i < released; i++) {
            E e = queue.removeFirst();
            e.state = State.PENDING;
            if (asDeferred) {
                e.next = e.step(now);
            }
        }
        if (queue.isEmpty()) {
            holds.remove(key);
        }
    }

    private boolean suspend(E e) {
        if (e.suspended || e.removed || e.expired) {
            return false;
        }
        if (e.state == State.SCHEDULED || e.state == State.HELD) {
            unlink(e);
            e.state = State.PENDING;
            e.next = Math.min(e.next, now);
        }
        e.suspended = true;
        return true;
    }

    private boolean resume(E e) {
        if (!e.suspended || e.removed || e.expired) {
            return false;
        }
        e.suspended = false;
        return true;
    }

    private boolean remove(E e) {
        if (e.removed || e.ending) {
            return false;
        }
        if (e.state == State.INFLIGHT) {
            e.removed = true;
            return true;
        }
        unlink(e);
        e.removed = true;
        e.suspended = false;
        e.expired = false;
        makeReady(e);
        return true;
    }

    private boolean scheduleNow(E e) {
        if (e.state == State.INFLIGHT || e.removed || e.expired) {
            return false;
        }
        if (e.state != State.SCHEDULED) {
            unlink(e);
            makeReady(e);
        }
        return true;
    }

    private void vanish(long id) {
        E e = model.remove(id);
        schedule.forget(schedule.table().find(id), now);
        if (e.state != State.INFLIGHT) {
            unlink(e);
        }
    }

    private void compare(String where) {
        Invariants.check(schedule, where);
        EnvelopeTable table = schedule.table();
        assertThat(table.size()).as(where).isEqualTo(model.size());
        for (E e : model.values()) {
            int row = row(e);
            String as = where + " evpid " + Long.toHexString(e.id);
            assertThat(row).as(as).isGreaterThanOrEqualTo(0);
            assertThat(table.state(row)).as(as).isEqualTo(e.state.ordinal() + 1);
            assertThat(table.has(row, EnvelopeTable.SUSPENDED)).as(as).isEqualTo(e.suspended);
            assertThat(table.has(row, EnvelopeTable.REMOVED)).as(as).isEqualTo(e.removed);
            assertThat(table.has(row, EnvelopeTable.EXPIRED)).as(as).isEqualTo(e.expired);
            assertThat(table.has(row, EnvelopeTable.ENDING)).as(as).isEqualTo(e.ending);
            assertThat(table.retry(row)).as(as).isEqualTo(e.retry);
            if (!e.removed) {
                assertThat(table.next(row)).as(as).isEqualTo(e.next);
            }
        }
        for (Kind kind : Kind.values()) {
            List<Long> real = new ArrayList<>();
            RowList list = schedule.ready(kind);
            for (int row = list.first(); row >= 0; row = list.after(row)) {
                real.add(table.evpid(row));
            }
            List<Long> expected = ready.get(kind).stream().map(e -> e.id).toList();
            if (kind == Kind.EXPIRED) {
                assertThat(real).as(where).containsExactlyInAnyOrderElementsOf(expected);
            } else {
                assertThat(real).as(where + " " + kind).isEqualTo(expected);
            }
        }
    }
}
