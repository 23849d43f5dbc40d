package smtpd.mta.route;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import smtpd.envelope.Evpid;

/**
 * What was heard last from each recipient domain, and the envelopes that failed there for want of a
 * host: the first success tries them at once. Bounded in domains and in envelopes of each.
 */
final class HostStats {

    private static final int MAX_DOMAINS = 100_000;
    private static final long MAX_AGE = 4 * 3_600_000L;

    private static final class Entry {
        long changed;
        final Set<Evpid> deferred = new LinkedHashSet<>();
    }

    private final int maxDeferred;
    private final LinkedHashMap<String, Entry> domains = new LinkedHashMap<>(16, 0.75f, true);

    HostStats(int maxDeferred) {
        this.maxDeferred = maxDeferred;
    }

    void deferred(String domain, Evpid evpid, long now) {
        Entry entry = domains.computeIfAbsent(domain, _ -> new Entry());
        entry.changed = now;
        if (entry.deferred.size() < maxDeferred) {
            entry.deferred.add(evpid);
        }
        trim(now);
    }

    /** The envelopes to try now; empty when there is none. */
    List<Evpid> worked(String domain, long now) {
        Entry entry = domains.isEmpty() ? null : domains.remove(domain);
        if (entry == null || entry.deferred.isEmpty() || now - entry.changed > MAX_AGE) {
            return List.of();
        }
        return new ArrayList<>(entry.deferred);
    }

    /** An envelope that has got its result needs no push. */
    void forget(String domain, Evpid evpid) {
        Entry entry = domains.isEmpty() ? null : domains.get(domain);
        if (entry != null) {
            entry.deferred.remove(evpid);
        }
    }

    int size() {
        return domains.size();
    }

    private void trim(long now) {
        while (!domains.isEmpty()) {
            Map.Entry<String, Entry> eldest = domains.firstEntry();
            if (domains.size() <= MAX_DOMAINS && now - eldest.getValue().changed <= MAX_AGE) {
                return;
            }
            domains.pollFirstEntry();
        }
    }
}
