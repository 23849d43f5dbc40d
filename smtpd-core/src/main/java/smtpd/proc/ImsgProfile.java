package smtpd.proc;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import smtpd.imsg.Message;
import smtpd.imsg.Role;
import smtpd.imsg.Vocabulary;

/**
 * What the edges of this process carry: frames, bytes, reads and writes always; handler times for
 * each frame type while {@code profile imsg} is on. Belongs to the event loop; the switch is
 * volatile, so that the profile costs one read when off.
 */
public final class ImsgProfile {

    /** Upper ends of the time classes, in powers of two of a microsecond. */
    private static final int CLASSES = 26;

    private final Map<Role, Edge> edges = new EnumMap<>(Role.class);
    private volatile boolean on;

    private static final class Edge {
        long framesIn;
        long bytesIn;
        long reads;
        long framesOut;
        long bytesOut;
        long writes;
        long[][] times = new long[0][];
        long[] nanos = new long[0];
        long[] longest = new long[0];
        String[] names = new String[0];
        final Map<Class<?>, long[]> sent = new java.util.HashMap<>();
    }

    void switchOn(boolean on) {
        if (on && !this.on) {
            edges.values().forEach(e -> e.times = new long[0][]);
        }
        this.on = on;
    }

    private Edge edge(Role peer) {
        return edges.computeIfAbsent(peer, _ -> new Edge());
    }

    void sent(Role peer, Vocabulary words, Message message, int length) {
        Edge edge = edge(peer);
        edge.framesOut++;
        edge.bytesOut += length;
        if (on) {
            long[] count = edge.sent.computeIfAbsent(message.getClass(), _ -> new long[2]);
            count[0]++;
            count[1] += length;
        }
    }

    void flushed(Role peer, int bytes) {
        edge(peer).writes++;
    }

    void read(Role peer, int frames) {
        edge(peer).reads++;
    }

    /** Time before a handler; 0 when nobody wants to know. */
    long begin() {
        return on ? System.nanoTime() : 0;
    }

    void handled(Role peer, Vocabulary words, int type, int length, long begun) {
        Edge edge = edge(peer);
        edge.framesIn++;
        edge.bytesIn += length;
        if (begun == 0) {
            return;
        }
        long took = System.nanoTime() - begun;
        if (edge.times.length == 0) {
            edge.times = new long[words.size() + 1][];
            edge.nanos = new long[words.size() + 1];
            edge.longest = new long[words.size() + 1];
            edge.names = new String[words.size() + 1];
        }
        if (edge.times[type] == null) {
            edge.times[type] = new long[CLASSES];
            edge.names[type] = words.name(type);
        }
        edge.times[type][timeClass(took)]++;
        edge.nanos[type] += took;
        edge.longest[type] = Math.max(edge.longest[type], took);
    }

    private static int timeClass(long nanos) {
        int bits = 64 - Long.numberOfLeadingZeros(nanos / 1000);
        return Math.min(bits, CLASSES - 1);
    }

    /**
     * Rows (process, peer, direction or type, count, bytes or total s, p50, p95, p99, max in us).
     */
    List<List<String>> rows(Role self) {
        List<List<String>> rows = new ArrayList<>();
        edges.forEach(
                (peer, edge) -> {
                    rows.add(
                            List.of(
                                    self.title(),
                                    peer.title(),
                                    "all",
                                    "in=" + edge.framesIn,
                                    "reads=" + edge.reads,
                                    "bytes=" + edge.bytesIn,
                                    "out=" + edge.framesOut,
                                    "writes=" + edge.writes,
                                    "bytes=" + edge.bytesOut));
                    for (int type = 0; type < edge.times.length; type++) {
                        if (edge.times[type] != null) {
                            rows.add(typeRow(self, peer, edge, type));
                        }
                    }
                });
        return rows;
    }

    private static List<String> typeRow(Role self, Role peer, Edge edge, int type) {
        long count = 0;
        for (long n : edge.times[type]) {
            count += n;
        }
        return List.of(
                self.title(),
                peer.title(),
                edge.names[type],
                "count=" + count,
                String.format(Locale.ROOT, "total_s=%.6f", edge.nanos[type] / 1e9),
                "p50_us=" + percentile(edge.times[type], count, 50),
                "p95_us=" + percentile(edge.times[type], count, 95),
                "p99_us=" + percentile(edge.times[type], count, 99),
                "max_us=" + edge.longest[type] / 1000);
    }

    private static long percentile(long[] classes, long count, int percent) {
        long wanted = (count * percent + 99) / 100;
        long seen = 0;
        for (int i = 0; i < classes.length; i++) {
            seen += classes[i];
            if (seen >= wanted) {
                return 1L << i;
            }
        }
        return 1L << (classes.length - 1);
    }
}
