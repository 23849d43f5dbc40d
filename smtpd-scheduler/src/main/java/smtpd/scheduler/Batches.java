package smtpd.scheduler;

/**
 * The pick of one turn: kinds take turns, one row each, oldest due first, so that no flood of one
 * kind holds up the others. This is the place where lanes and shares between routes belong.
 */
final class Batches {

    private final Schedule schedule;
    private final Batch[] batches = new Batch[Kind.COUNT];
    private int turn;

    /** The rows of one kind that leave in this turn. */
    static final class Batch {
        private long[] evpids = new long[16];
        private int size;
        private int uid;

        private void add(long evpid) {
            if (size == evpids.length) {
                evpids = java.util.Arrays.copyOf(evpids, size * 2);
            }
            evpids[size++] = evpid;
        }

        int size() {
            return size;
        }

        /** Ascending, so rows of one message stand together. */
        long evpid(int i) {
            return evpids[i];
        }

        /** Who removed them; all of one batch by the same. */
        int uid() {
            return uid;
        }
    }

    Batches(Schedule schedule) {
        this.schedule = schedule;
        for (int i = 0; i < batches.length; i++) {
            batches[i] = new Batch();
        }
    }

    /** The kinds that may leave now; bits of {@link Kind}. */
    int openKinds(int allowed) {
        int open = 0;
        for (Kind kind : Kind.values()) {
            if ((allowed & kind.bit()) != 0 && !schedule.ready(kind).isEmpty() && room(kind) > 0) {
                open |= kind.bit();
            }
        }
        return open;
    }

    /**
     * Rows of this kind that may still leave. Notices and deletions together take a quarter at
     * most, so that a flood of them leaves room for mail.
     */
    private int room(Kind kind) {
        int max = schedule.tuning().maxInFlight();
        int room = max - schedule.inFlight();
        if (kind == Kind.MDA || kind == Kind.MTA) {
            return room;
        }
        int upkeep =
                schedule.flight(Schedule.ENDINGS).size()
                        + schedule.flight(smtpd.envelope.EnvelopeType.BOUNCE.ordinal()).size();
        return Math.min(room, Math.max(1, max / 4) - upkeep);
    }

    /**
     * Takes the rows of one turn and counts them as in flight.
     *
     * @param allowed bits of the kinds that may leave
     * @return how many rows were looked at; the rows are in {@link #batch}
     */
    int pick(int allowed, long now) {
        for (Batch batch : batches) {
            batch.size = 0;
        }
        int limit = schedule.tuning().maxSchedule();
        // Rows that are moved aside on the way must not make the turn long.
        int looks = 4 * limit + 64;
        int picked = 0;
        int looked = 0;
        int closed = ~allowed;
        while (picked < limit && looked < looks && (closed & ALL) != ALL) {
            Kind kind = KINDS[turn];
            turn = (turn + 1) % KINDS.length;
            if ((closed & kind.bit()) != 0) {
                continue;
            }
            int row = schedule.ready(kind).first();
            if (row < 0 || room(kind) <= 0 || isOfAnotherAdmin(kind, row)) {
                closed |= kind.bit();
                continue;
            }
            looked++;
            if (schedule.mayDepart(kind, row, now)) {
                take(kind, row, now);
                picked++;
            }
        }
        for (Batch batch : batches) {
            java.util.Arrays.sort(batch.evpids, 0, batch.size);
        }
        return looked;
    }

    private static final Kind[] KINDS = Kind.values();
    private static final int ALL = (1 << Kind.COUNT) - 1;

    /** One frame names one remover. */
    private boolean isOfAnotherAdmin(Kind kind, int row) {
        Batch batch = batches[kind.ordinal()];
        return kind == Kind.REMOVED && batch.size > 0 && schedule.table().uid(row) != batch.uid;
    }

    private void take(Kind kind, int row, long now) {
        Batch batch = batches[kind.ordinal()];
        if (kind == Kind.REMOVED) {
            batch.uid = schedule.table().uid(row);
        }
        batch.add(schedule.table().evpid(row));
        schedule.dispatch(kind, row, now);
    }

    Batch batch(Kind kind) {
        return batches[kind.ordinal()];
    }
}
