package smtpd.queue.fs;

import smtpd.envelope.Msgid;

/**
 * How many envelopes each known message has: open addressing, eight bytes a slot. A hint that saves
 * listing folders; a message that is not in it is listed.
 */
final class Index {

    private int[] ids = new int[1024];
    private int[] counts = new int[1024];
    private int used;
    private long envelopes;

    /** -1 = not known. */
    synchronized int count(Msgid id) {
        int i = slot(id.value());
        return ids[i] == 0 ? -1 : counts[i];
    }

    synchronized void set(Msgid id, int count) {
        if (count == 0) {
            forget(id);
            return;
        }
        int i = slot(id.value());
        if (ids[i] == 0) {
            ids[i] = id.value();
            used++;
        }
        envelopes += count - counts[i];
        counts[i] = count;
        if (used * 3 > ids.length * 2) {
            grow();
        }
    }

    /** Changes a known count; an unknown one stays unknown. */
    synchronized void add(Msgid id, int more) {
        int count = count(id);
        if (count >= 0) {
            set(id, Math.max(0, count + more));
        }
    }

    synchronized void forget(Msgid id) {
        int hole = slot(id.value());
        if (ids[hole] == 0) {
            return;
        }
        envelopes -= counts[hole];
        used--;
        int mask = ids.length - 1;
        int next = hole;
        while (true) { // closes the gap, so that no search ends early
            ids[hole] = 0;
            counts[hole] = 0;
            int home;
            do {
                next = (next + 1) & mask;
                if (ids[next] == 0) {
                    return;
                }
                home = home(ids[next]);
            } while (((next - home) & mask) < ((next - hole) & mask));
            ids[hole] = ids[next];
            counts[hole] = counts[next];
            hole = next;
        }
    }

    synchronized long messages() {
        return used;
    }

    synchronized long envelopes() {
        return envelopes;
    }

    private int home(int id) {
        return ((id * 0x9e3779b9) >>> 7) & (ids.length - 1);
    }

    private int slot(int id) {
        int i = home(id);
        while (ids[i] != 0 && ids[i] != id) {
            i = (i + 1) & (ids.length - 1);
        }
        return i;
    }

    private void grow() {
        int[] oldIds = ids;
        int[] oldCounts = counts;
        ids = new int[oldIds.length * 2];
        counts = new int[ids.length];
        for (int i = 0; i < oldIds.length; i++) {
            if (oldIds[i] != 0) {
                int to = slot(oldIds[i]);
                ids[to] = oldIds[i];
                counts[to] = oldCounts[i];
            }
        }
    }
}
