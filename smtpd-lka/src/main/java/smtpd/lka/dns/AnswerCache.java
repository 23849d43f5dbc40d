package smtpd.lka.dns;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/** Answers by question until they expire; the least recently used one makes room for a new one. */
final class AnswerCache {

    static final int MAX_ENTRIES = 50_000;
    private static final long MIN_SECONDS = 5;
    private static final long MAX_SECONDS = 3600;
    private static final long MAX_NEGATIVE_SECONDS = 300;
    private static final long FAILED_SECONDS = 10;

    private record Kept(Answer answer, long expiresNanos) {}

    private final LongSupplier nanoTime;
    private final Map<Question, Kept> entries;

    AnswerCache(int maxEntries, LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
        this.entries =
                new LinkedHashMap<>(256, 0.75f, true) {
                    @Override
                    protected boolean removeEldestEntry(Map.Entry<Question, Kept> eldest) {
                        return size() > maxEntries;
                    }
                };
    }

    /** The answer, or null when none is fresh. */
    Answer get(Question question) {
        Kept entry = entries.get(question);
        if (entry == null) {
            return null;
        }
        if (nanoTime.getAsLong() - entry.expiresNanos >= 0) {
            entries.remove(question);
            return null;
        }
        return entry.answer;
    }

    void put(Question question, Answer answer) {
        long seconds = secondsToKeep(answer);
        entries.put(
                question,
                new Kept(answer, nanoTime.getAsLong() + TimeUnit.SECONDS.toNanos(seconds)));
    }

    void clear() {
        entries.clear();
    }

    int size() {
        return entries.size();
    }

    private static long secondsToKeep(Answer answer) {
        return switch (answer.status()) {
            case OK -> Math.clamp(answer.ttlSeconds(), MIN_SECONDS, MAX_SECONDS);
            case NO_DATA, NO_NAME ->
                    Math.clamp(answer.ttlSeconds(), MIN_SECONDS, MAX_NEGATIVE_SECONDS);
            case NOT_IMPLEMENTED, FAILED -> FAILED_SECONDS;
        };
    }
}
