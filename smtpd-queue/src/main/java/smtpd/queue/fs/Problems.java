package smtpd.queue.fs;

import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import smtpd.queue.backend.QueueBackend.BackendEvents;

/** What an operator should look at; each is told once an hour, and kept until it is solved. */
final class Problems {

    private static final int MAX = 1000;
    private static final long HOUR_MILLIS = 3_600_000;

    private record Problem(String line, long told) {}

    private final InstantSource clock;
    private final BackendEvents events;
    private final Map<String, Problem> open = new LinkedHashMap<>();

    Problems(InstantSource clock, BackendEvents events) {
        this.clock = clock;
        this.events = events;
    }

    void add(String kind, String subject, String detail) {
        String line =
                "problem=" + kind + " " + subject + " detail=\"" + detail.replace('"', '\'') + '"';
        long now = clock.millis();
        synchronized (open) {
            Problem old = open.get(subject);
            if (old != null && old.line.equals(line) && now - old.told < HOUR_MILLIS) {
                return;
            }
            if (old == null && open.size() >= MAX) {
                open.remove(open.keySet().iterator().next());
            }
            open.put(subject, new Problem(line, now));
        }
        events.problem(line);
    }

    /** It works again. */
    void solved(String subject) {
        synchronized (open) {
            if (!open.isEmpty()) {
                open.remove(subject);
            }
        }
    }

    List<String> lines() {
        synchronized (open) {
            List<String> lines = new ArrayList<>(open.size());
            open.values().forEach(p -> lines.add(p.line));
            return lines;
        }
    }
}
