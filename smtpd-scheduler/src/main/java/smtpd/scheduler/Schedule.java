package smtpd.scheduler;

import static smtpd.scheduler.EnvelopeTable.ENDING;
import static smtpd.scheduler.EnvelopeTable.EXPIRED;
import static smtpd.scheduler.EnvelopeTable.HELD;
import static smtpd.scheduler.EnvelopeTable.INFLIGHT;
import static smtpd.scheduler.EnvelopeTable.PENDING;
import static smtpd.scheduler.EnvelopeTable.REMOVED;
import static smtpd.scheduler.EnvelopeTable.SCHEDULED;
import static smtpd.scheduler.EnvelopeTable.SUSPENDED;

import smtpd.envelope.EnvelopeType;
import smtpd.imsg.QueueToScheduler.Plan;

/**
 * The life of an envelope in the scheduler: every state a row can have, and every way from one to
 * another. A row is at each moment in exactly one place: the heap (pending), a ready list
 * (scheduled), a flight list (in flight), a hold queue and the heap (held), or nowhere (suspended).
 * No method walks the rows; those that concern many take a limit.
 *
 * <p>Rows that are released "as if deferred" get their new time at once, so there is no kind of
 * batch for it.
 */
final class Schedule {

    /** Index of the flight list of rows that are with the queue as Expire or Discard. */
    static final int ENDINGS = 3;

    private static final int MTA = EnvelopeType.MTA.ordinal();
    private static final int MDA = EnvelopeType.MDA.ordinal();
    private static final int BOUNCE = EnvelopeType.BOUNCE.ordinal();
    private static final int SAME_MESSAGE = 20;

    private final EnvelopeTable table = new EnvelopeTable();
    private final DueHeap heap = new DueHeap(table);
    private final Routes routes = new Routes();
    private final Holds holds = new Holds(table);
    private final RowList[] ready = new RowList[Kind.COUNT];
    private final RowList[] flight = new RowList[4];
    private final Backoff[] backoff = new Backoff[3];
    private Tuning tuning;
    private int inFlight;
    private int suspended;
    private long holdOverflows;
    private long spread;

    /**
     * @param tuning what is in force at first
     * @param mta spacing of tries at other hosts
     * @param local spacing of local tries and notices
     */
    Schedule(Tuning tuning, Backoff mta, Backoff local) {
        this.tuning = tuning;
        backoff[MTA] = mta;
        backoff[MDA] = local;
        backoff[BOUNCE] = local;
        for (int i = 0; i < ready.length; i++) {
            ready[i] = table.newList();
        }
        for (int i = 0; i < flight.length; i++) {
            flight[i] = table.newList();
        }
    }

    // ---- arrival

    /**
     * An envelope that is durable. Known ones are left alone, row by row.
     *
     * @param isLoaded told again after a restart: what is overdue is spread, so that the peers are
     *     not flooded
     * @return its row, or -1 when it was known
     */
    int insert(int msgid, Plan plan, boolean isLoaded, long now) {
        long evpid = ((long) msgid << 32) | (plan.low() & 0xffffffffL);
        if (table.find(evpid) >= 0) {
            return -1;
        }
        int type = plan.type().ordinal();
        int route = routes.acquire(plan.routeKey());
        long expire = plan.ctime() + plan.expire();
        int row = table.add(evpid, type, plan.ctime(), expire, plan.retry(), route);
        Backoff times = routes.backoff(route, backoff[type]);
        long next = times.first(msgid, plan.routeKey(), table.ctime(row), table.retry(row));
        if (isLoaded && plan.retry() > 0 && next <= now) {
            long together = ((long) msgid << 32) ^ plan.routeKey();
            next = now + Hash.below(times.spread() + 1, together);
            spread++;
        }
        table.next(row, next);
        if (plan.suspended()) {
            table.flag(row, SUSPENDED);
            suspended++;
        }
        if (plan.inFlight()) {
            depart(row, type, now);
        } else {
            pend(row);
        }
        return row;
    }

    /** Pending, in the heap unless suspended. The next try is set. */
    private void pend(int row) {
        table.state(row, PENDING);
        if (!table.has(row, SUSPENDED)) {
            heap.add(row);
        }
    }

    // ---- due

    /** Moves rows whose moment has come to the ready lists; returns how many. */
    int due(long now, int limit) {
        int moment = EnvelopeTable.pack(now);
        int moved = 0;
        while (moved < limit) {
            int row = heap.first();
            if (row < 0 || Integer.compareUnsigned(table.key(row), moment) > 0) {
                break;
            }
            heap.remove(row);
            if (table.state(row) == HELD) {
                holds.remove(holds.numbered(table.hold(row)), row);
            }
            if (table.expire(row) <= now) {
                table.flag(row, EXPIRED);
            }
            makeReady(row, now);
            moved++;
        }
        return moved;
    }

    /** The moment of the first row in the heap, Unix seconds, or -1. */
    long nextMoment() {
        int row = heap.first();
        return row < 0 ? -1 : EnvelopeTable.unpack(table.key(row));
    }

    private void makeReady(int row, long now) {
        table.state(row, SCHEDULED);
        table.since(row, now);
        ready[kind(row).ordinal()].add(row);
    }

    private Kind kind(int row) {
        if (table.has(row, REMOVED)) {
            return Kind.REMOVED;
        }
        if (table.has(row, EXPIRED)) {
            return Kind.EXPIRED;
        }
        int type = table.type(row);
        return type == MTA ? Kind.MTA : type == MDA ? Kind.MDA : Kind.BOUNCE;
    }

    // ---- departure, for Batches

    RowList ready(Kind kind) {
        return ready[kind.ordinal()];
    }

    /**
     * Whether the first row of an agent's list may leave; if not it has been moved where it
     * belongs: to the expired ones (its life ended while it waited for a paused agent), or back
     * behind its own slow route.
     */
    boolean mayDepart(Kind kind, int row, long now) {
        if (kind == Kind.REMOVED || kind == Kind.EXPIRED || table.has(row, SUSPENDED)) {
            return true; // a suspended one was asked for by an operator: one try, now
        }
        if (table.expire(row) <= now) {
            ready[kind.ordinal()].remove(row);
            table.flag(row, EXPIRED);
            makeReady(row, now);
            return false;
        }
        int route = table.route(row);
        if (kind == Kind.MTA && routes.inFlight(route) >= tuning.routeCap()) {
            ready[kind.ordinal()].remove(row);
            Holds.Key key = new Holds.Key(Holds.OWN, 0, routes.key(route));
            Holds.Hold hold = holds.open(key, now);
            routes.hold(route, hold.number);
            hold(row, hold, now);
            return false;
        }
        return true;
    }

    /** A ready row leaves for its agent, or as Expire or Discard to the queue. */
    void dispatch(Kind kind, int row, long now) {
        ready[kind.ordinal()].remove(row);
        boolean isEnding = kind == Kind.REMOVED || kind == Kind.EXPIRED;
        if (isEnding) {
            table.flag(row, ENDING);
        }
        depart(row, isEnding ? ENDINGS : table.type(row), now);
    }

    private void depart(int row, int list, long now) {
        table.state(row, INFLIGHT);
        table.since(row, now);
        flight[list].add(row);
        inFlight++;
        int route = table.route(row);
        if (list == MTA) {
            routes.inFlight(route, routes.inFlight(route) + 1);
        }
    }

    private int flightList(int row) {
        return table.has(row, ENDING) ? ENDINGS : table.type(row);
    }

    private void land(int row, long now) {
        int list = flightList(row);
        flight[list].remove(row);
        table.unflag(row, ENDING);
        inFlight--;
        if (list == MTA) {
            int route = table.route(row);
            int left = routes.inFlight(route) - 1;
            routes.inFlight(route, left);
            letPass(route, left, now);
        }
    }

    /** A slow route has room again: one of the rows kept back for each that returned. */
    private void letPass(int route, int left, long now) {
        int number = routes.hold(route);
        if (number < 0) {
            return;
        }
        Holds.Hold hold = holds.find(new Holds.Key(Holds.OWN, 0, routes.key(route)));
        if (hold == null || hold.number != number) {
            routes.hold(route, -1);
            return;
        }
        // The last one takes along as many as may fly: nobody else would ever wake them.
        release(hold, left == 0 ? tuning.routeCap() : 1, false, now);
        if (hold.rows.isEmpty()) {
            routes.hold(route, -1);
        }
    }

    // ---- return

    /** True when this row is with an agent (not as Expire or Discard). */
    boolean isWithAgent(int row) {
        return table.state(row) == INFLIGHT && !table.has(row, ENDING);
    }

    boolean isEnding(int row) {
        return table.has(row, ENDING);
    }

    /** The envelope is gone, whatever its state was. */
    void forget(int row, long now) {
        switch (table.state(row)) {
            case INFLIGHT -> land(row, now);
            default -> takeOut(row);
        }
        if (table.has(row, SUSPENDED)) {
            suspended--;
        }
        routes.release(table.route(row));
        table.remove(row);
    }

    /** Out of the place where a row that is not in flight stands. */
    private void takeOut(int row) {
        switch (table.state(row)) {
            case PENDING -> {
                if (!table.has(row, SUSPENDED)) {
                    heap.remove(row);
                }
            }
            case SCHEDULED -> ready[kind(row).ordinal()].remove(row);
            case HELD -> {
                heap.remove(row);
                holds.remove(holds.numbered(table.hold(row)), row);
            }
            default -> throw new IllegalStateException("row in state " + table.state(row));
        }
    }

    /** An agent deferred it: the next try follows from its age and its count of deferrals. */
    void retry(int row, int retry, long now) {
        table.retry(row, retry);
        comeBack(row, nextStep(row, now), now);
    }

    private long nextStep(int row, long now) {
        int route = table.route(row);
        return routes.backoff(route, backoff[table.type(row)])
                .next(table.msgid(row), routes.key(route), table.ctime(row), table.retry(row), now);
    }

    /** It returns unjudged: due again at {@code next}, no deferral counted. */
    void comeBack(int row, long next, long now) {
        land(row, now);
        if (table.has(row, REMOVED | EXPIRED)) {
            makeReady(row, now);
        } else {
            table.next(row, next);
            pend(row);
        }
    }

    /** Its agent, or the queue that knew of it, is gone. */
    void lost(int row, long now) {
        comeBack(row, now + 1 + Hash.below(5, table.evpid(row)), now);
    }

    /**
     * The age at which the sender is to be told of the delay, now that the next try is known; -1
     * for none. At the deferral <em>before</em> the silence would pass the threshold.
     *
     * @param lastBounce threshold, Unix seconds, of the last warning
     */
    long warning(int row, long lastBounce) {
        if (table.type(row) == BOUNCE || table.has(row, REMOVED)) {
            return -1;
        }
        for (long delay : tuning.warnAfter()) {
            long threshold = table.ctime(row) + delay;
            if (table.next(row) >= threshold && lastBounce < threshold) {
                return delay;
            }
        }
        return -1;
    }

    /** An agent turns out to hold this row: so it is in flight, whatever was thought. */
    void claim(int row, long now) {
        if (table.state(row) != INFLIGHT) {
            takeOut(row);
            depart(row, table.type(row), now);
        }
    }

    /** The first row of a flight list goes to its end. */
    void confirm(int list, int row) {
        flight[list].remove(row);
        flight[list].add(row);
    }

    // ---- hold and release

    /** The agent has enough for this key: the row waits for its release, no try counted. */
    void hold(int row, Holds.Key key, long now) {
        if (table.has(row, REMOVED | SUSPENDED | EXPIRED)) {
            comeBack(row, now, now);
            return;
        }
        Holds.Hold known = holds.find(key);
        int length = known == null ? 0 : known.rows.size();
        if (length >= tuning.maxHoldQueue()) {
            holdOverflows++;
            comeBack(row, now + 3 + Hash.below(58, table.evpid(row)), now);
            return;
        }
        land(row, now);
        hold(row, holds.open(key, now), now);
    }

    private void hold(int row, Holds.Hold hold, long now) {
        table.state(row, HELD);
        table.next(row, now);
        table.hold(row, hold.number);
        holds.add(hold, row);
        heap.add(row); // by its expiry alone
    }

    /**
     * Room again: the oldest rows become due. A batch of one message is not cut when little is left
     * of it.
     *
     * @param asDeferred the destination failed: they get the time a deferral would give them
     * @return how many
     */
    int release(Holds.Hold hold, int limit, boolean asDeferred, long now) {
        int released = 0;
        int msgid = 0;
        while (!hold.rows.isEmpty()) {
            int row = hold.rows.first();
            if (released >= limit
                    && (released >= limit + SAME_MESSAGE || table.msgid(row) != msgid)) {
                break;
            }
            msgid = table.msgid(row);
            takeOut(row);
            // Held rows keep "since" in next, which is past: so they are due.
            if (asDeferred) {
                table.next(row, nextStep(row, now));
            }
            pend(row);
            released++;
        }
        return released;
    }

    // ---- operators

    /** Where a row stands, before an operator changes it. */
    boolean isInFlight(int row) {
        return table.state(row) == INFLIGHT;
    }

    /** No try until resumed. False when nothing changes. */
    boolean suspend(int row, long now) {
        if (table.has(row, SUSPENDED | REMOVED | EXPIRED)) {
            return false;
        }
        suspended++;
        switch (table.state(row)) {
            case INFLIGHT -> table.flag(row, SUSPENDED);
            case PENDING -> {
                takeOut(row);
                table.flag(row, SUSPENDED);
            }
            default -> {
                takeOut(row);
                table.flag(row, SUSPENDED);
                table.state(row, PENDING);
                table.next(row, Math.min(now, table.next(row)));
            }
        }
        return true;
    }

    /** Tries go on; one that was missed is made now. False when nothing changes. */
    boolean resume(int row) {
        if (!table.has(row, SUSPENDED) || table.has(row, REMOVED | EXPIRED)) {
            return false;
        }
        suspended--;
        table.unflag(row, SUSPENDED);
        if (table.state(row) == PENDING) {
            heap.add(row);
        }
        return true;
    }

    /**
     * The envelope is to be deleted: now, or when it returns from its agent. False when that is
     * decided already.
     */
    boolean remove(int row, int uid, long now) {
        if (table.has(row, REMOVED | ENDING)) {
            return false;
        }
        if (table.state(row) == INFLIGHT) {
            table.flag(row, REMOVED);
            table.uid(row, uid);
            return true;
        }
        takeOut(row);
        if (table.has(row, SUSPENDED)) {
            suspended--;
        }
        table.unflag(row, SUSPENDED | EXPIRED);
        table.flag(row, REMOVED);
        table.uid(row, uid);
        makeReady(row, now);
        return true;
    }

    /**
     * One try now; a suspended row stays suspended behind it. True when that is so, also when it
     * was ready already; false for rows in flight, removed or expired.
     */
    boolean scheduleNow(int row, long now) {
        if (table.state(row) == INFLIGHT || table.has(row, REMOVED | EXPIRED)) {
            return false;
        }
        if (table.state(row) != SCHEDULED) {
            takeOut(row);
            makeReady(row, now);
        }
        return true;
    }

    // ---- what stands here

    EnvelopeTable table() {
        return table;
    }

    Routes routes() {
        return routes;
    }

    Holds holds() {
        return holds;
    }

    DueHeap heap() {
        return heap;
    }

    /** Rows in flight of one agent, by number of its type, or {@link #ENDINGS}. */
    RowList flight(int list) {
        return flight[list];
    }

    int inFlight() {
        return inFlight;
    }

    int suspended() {
        return suspended;
    }

    /** Rows that were overdue when loaded. */
    long spread() {
        return spread;
    }

    long holdOverflows() {
        return holdOverflows;
    }

    Tuning tuning() {
        return tuning;
    }

    void tuning(Tuning now) {
        this.tuning = now;
    }

    /** Some of the work that growing leaves behind; true when there is more. */
    boolean settle() {
        boolean more = table.settle(1024);
        return routes.settle(1024) || more;
    }

    long bytes() {
        return table.bytes() + heap.bytes() + routes.bytes();
    }
}
