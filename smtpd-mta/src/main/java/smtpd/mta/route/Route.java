package smtpd.mta.route;

import java.util.LinkedHashSet;
import java.util.Set;
import smtpd.mta.session.Reply;

/**
 * A source and a host. One that fails is put aside for a growing time and then probed with one
 * connection; how many may be open follows how well it does.
 */
final class Route extends Counted {

    static final int MAX_PENALTY = 16;
    private static final long HOUR = 3_600_000;
    private static final int REMEMBERED = 20;

    final long id;
    final Source source;
    final Host host;

    /** No session of it has got ready since it was made or put aside. */
    boolean isNew = true;

    boolean disabled;

    /** The last disabling was for what the peer said, not for the network. */
    boolean refused;

    int errors;
    int penalty;
    int ready;
    long lastDisconnect = NEVER;

    private int window = 1;
    private long growAfter = NEVER;
    private long halvedAt = NEVER;
    private long lastUse = NEVER;

    /** Rate-limited: not used before this time. */
    long pausedUntil = NEVER;

    private int pauses;
    private long pauseHour = NEVER;

    /** Bit per mail, youngest lowest: it complained. */
    private int complaints;

    private int judged;

    String lastText = "";
    Reply lastRefusal;
    Timers.Timer timer;
    long timerAt;

    final Set<LiveSession> idle = new LinkedHashSet<>();

    Route(long id, Source source, Host host) {
        this.id = id;
        this.source = source;
        this.host = host;
    }

    /** How long a route stays aside, in milliseconds. */
    static long asideMillis(int penalty) {
        return Math.min(15L * penalty * penalty, 3600L) * 1000L;
    }

    /** Connections it may have now. */
    int allowed(int maximum, boolean adaptive) {
        return adaptive ? Math.min(maximum, window) : maximum;
    }

    int window() {
        return window;
    }

    /** Its sessions run and nothing was heard against more of them: no delay is needed. */
    boolean isDoingWell() {
        return ready > 0 && (complaints & mask(judged)) == 0;
    }

    private static int mask(int count) {
        return (1 << Math.min(count, REMEMBERED)) - 1;
    }

    void becameReady() {
        if (isNew) {
            isNew = false;
            errors = 0;
        }
        window = Math.max(window, 2);
    }

    void accepted(int maximum, long now) {
        penalty = 0;
        errors = 0;
        lastUse = now;
        judge(false);
        if (now >= growAfter && window < maximum) {
            window++;
        }
    }

    /** A mail, or the host itself, was put off. */
    void complained(long now) {
        judge(true);
        lastUse = now;
        if (judged >= REMEMBERED && Integer.bitCount(complaints & mask(judged)) > REMEMBERED / 2) {
            halve(now);
        }
    }

    private void judge(boolean complaint) {
        complaints = (complaints << 1) | (complaint ? 1 : 0);
        judged = Math.min(REMEMBERED, judged + 1);
    }

    /** Half as many connections, once in 10 s; it grows again after a minute. */
    boolean halve(long now) {
        if (now - halvedAt < 10_000) {
            return false;
        }
        halvedAt = now;
        growAfter = now + 60_000;
        window = Math.max(1, window / 2);
        return true;
    }

    /** Not used for a minute, doubled for each time within the hour, at most half an hour. */
    void pause(long now) {
        if (now - pauseHour > HOUR) {
            pauseHour = now;
            pauses = 0;
        }
        pausedUntil = now + Math.min(60_000L << Math.min(pauses, 5), 1_800_000L);
        pauses++;
    }

    /** True when nothing about it is worth remembering. */
    boolean isForgettable(long now) {
        return connections == 0
                && references == 0
                && waiting.isEmpty()
                && !disabled
                && penalty == 0
                && pausedUntil <= now
                && now - lastUse > 600_000
                && now - lastConnect > 600_000;
    }

    /** {@code [] <-> 192.0.2.25 (mx1.example.net)}. */
    String text() {
        return source.text()
                + " <-> "
                + Source.text(host.address)
                + (host.name.isEmpty() ? "" : " (" + host.name + ")");
    }
}
