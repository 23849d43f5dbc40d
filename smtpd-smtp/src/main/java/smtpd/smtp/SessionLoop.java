package smtpd.smtp;

import io.netty.channel.EventLoop;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import smtpd.stat.Stats;

/**
 * What the sessions of one event loop share: a scratch array that input is parsed in, the wheel of
 * deadlines, parsers, the account of buffered content. Nothing here is for another thread.
 */
final class SessionLoop {

    /** All content buffers together; beyond it sessions ask for their file early. */
    static final long MAX_CONTENT_BYTES = 64L << 20;

    final EventLoop loop;
    final Clock clock;
    final Stats stats;
    final Executor disk;
    final Backstage backstage;
    final TimerWheel wheel = new TimerWheel();
    final byte[] scratch = new byte[64 << 10];
    final PathParser paths = new PathParser();
    final MailDate date;

    private final List<Wire> dirty = new ArrayList<>();
    private final Runnable flush = this::flushAll;
    private long contentBytes;

    /**
     * @param disk writes content files
     */
    SessionLoop(EventLoop loop, Clock clock, Stats stats, Executor disk, Backstage backstage) {
        this.loop = loop;
        this.clock = clock;
        this.stats = stats;
        this.disk = disk;
        this.backstage = backstage;
        this.date = new MailDate(clock.getZone());
    }

    /**
     * Replies of this turn wait for its end: the task runs behind all channels that were ready, so
     * a burst of answers is one write for each client.
     */
    void flushLater(Wire wire) {
        dirty.add(wire);
        if (dirty.size() == 1) {
            loop.execute(flush);
        }
    }

    private void flushAll() {
        for (int i = 0; i < dirty.size(); i++) {
            dirty.get(i).flush();
        }
        dirty.clear();
    }

    void account(long bytes) {
        contentBytes += bytes;
    }

    boolean isShortOfMemory() {
        return contentBytes > MAX_CONTENT_BYTES;
    }

    long contentBytes() {
        return contentBytes;
    }
}
