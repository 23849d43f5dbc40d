package smtpd.smtp;

import java.util.HashMap;
import java.util.Map;
import smtpd.imsg.SocketAddr;

/**
 * Sessions open from each source: an IPv4 address, or the /64 of an IPv6 one, which is what one
 * customer gets.
 */
final class SourceCounts {

    private final Map<Long, Integer> sessions = new HashMap<>();

    private static Long key(SocketAddr source) {
        byte[] ip = source.ip();
        long key = 0;
        int length = ip.length == 4 ? 4 : 8;
        for (int i = 0; i < length; i++) {
            key = (key << 8) | (ip[i] & 0xff);
        }
        // No /64 of the Internet begins with 32 zero bits.
        return key;
    }

    /** One more; false, and nothing counted, when that would be more than allowed. */
    boolean enter(SocketAddr source, int max) {
        Long key = key(source);
        int open = sessions.getOrDefault(key, 0);
        if (max > 0 && open >= max) {
            return false;
        }
        sessions.put(key, open + 1);
        return true;
    }

    void leave(SocketAddr source) {
        sessions.computeIfPresent(key(source), (_, open) -> open > 1 ? open - 1 : null);
    }

    int size() {
        return sessions.size();
    }
}
