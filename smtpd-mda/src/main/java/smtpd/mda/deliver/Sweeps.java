package smtpd.mda.deliver;

import java.util.LinkedHashMap;
import java.util.Map;

/** When each maildir was last looked through for leftovers: at most once an hour. Bounded. */
final class Sweeps {

    private static final int MAX = 10_000;
    private static final long INTERVAL_SECONDS = 3600;

    // Session threads share it: the lock guards the map.
    private final Map<String, Long> last =
            new LinkedHashMap<>() {
                @Override
                protected boolean removeEldestEntry(Map.Entry<String, Long> eldest) {
                    return size() > MAX;
                }
            };

    synchronized boolean isDue(String root, long nowSeconds) {
        Long before = last.get(root);
        if (before != null && nowSeconds - before < INTERVAL_SECONDS) {
            return false;
        }
        last.put(root, nowSeconds);
        return true;
    }
}
