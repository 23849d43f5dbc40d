package smtpd.scheduler;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;

/**
 * The hold queues: rows an agent sent back unjudged because it has enough for their destination,
 * and rows of a route that the scheduler itself keeps back. First in, first out; a queue exists
 * while it has rows.
 */
final class Holds {

    /**
     * Agent number of the queues that the scheduler fills by itself; their key is the route key.
     */
    static final int OWN = -1;

    /**
     * Whose queue it is.
     *
     * @param agent number of the agent, or {@link #OWN}
     * @param generation of the agent: a new incarnation knows nothing of the old keys
     * @param key of the agent's relay or user
     */
    record Key(int agent, int generation, long key) {}

    /** One hold queue. */
    static final class Hold {
        final Key key;
        final int number;
        final RowList rows;
        private long reminder;

        private Hold(Key key, int number, RowList rows, long now) {
            this.key = key;
            this.number = number;
            this.rows = rows;
            this.reminder = now + REMIND_AFTER;
        }
    }

    private static final long REMIND_AFTER = 3600;

    private final EnvelopeTable table;

    /** In the order of their next reminder: each waits equally long for it. */
    private final LinkedHashMap<Key, Hold> byKey = new LinkedHashMap<>();

    private final List<Hold> byNumber = new ArrayList<>();
    private final ArrayDeque<Integer> freeNumbers = new ArrayDeque<>();

    private int rows;

    Holds(EnvelopeTable table) {
        this.table = table;
    }

    /** The queue of this key, or null. */
    Hold find(Key key) {
        return byKey.get(key);
    }

    Hold numbered(int number) {
        return byNumber.get(number);
    }

    /** The queue of this key, made if need be; the caller adds a row at once. */
    Hold open(Key key, long now) {
        Hold hold = byKey.get(key);
        if (hold == null) {
            Integer number = freeNumbers.poll();
            if (number == null) {
                number = byNumber.size();
                byNumber.add(null);
            }
            hold = new Hold(key, number, table.newList(), now);
            byNumber.set(number, hold);
            byKey.put(key, hold);
        }
        return hold;
    }

    void add(Hold hold, int row) {
        hold.rows.add(row);
        rows++;
    }

    /** Takes a row out; the queue ends with its last row. */
    void remove(Hold hold, int row) {
        hold.rows.remove(row);
        rows--;
        if (hold.rows.isEmpty()) {
            byKey.remove(hold.key);
            byNumber.set(hold.number, null);
            freeNumbers.add(hold.number);
        }
    }

    /** All queues of an agent, whatever its generation. */
    List<Hold> of(int agent) {
        List<Hold> found = new ArrayList<>();
        for (Hold hold : byKey.values()) {
            if (hold.key.agent() == agent) {
                found.add(hold);
            }
        }
        return found;
    }

    List<Hold> all() {
        return new ArrayList<>(byKey.values());
    }

    /** The next queue that has held rows for an hour more, or null. */
    Hold reminder(long now) {
        while (!byKey.isEmpty()) {
            Hold hold = byKey.firstEntry().getValue();
            if (hold.reminder > now) {
                return null;
            }
            hold.reminder = now + REMIND_AFTER;
            byKey.putLast(hold.key, hold);
            if (now - table.next(hold.rows.first()) >= REMIND_AFTER) {
                return hold;
            }
        }
        return null;
    }

    int queues() {
        return byKey.size();
    }

    int rows() {
        return rows;
    }
}
