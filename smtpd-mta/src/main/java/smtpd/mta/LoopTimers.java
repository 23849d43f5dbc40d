package smtpd.mta;

import io.netty.channel.EventLoop;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import smtpd.mta.route.Timers;

/** The clock and timers of the event loop. */
record LoopTimers(EventLoop loop) implements Timers {

    @Override
    public long millis() {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime());
    }

    @Override
    public Timer after(long millis, Runnable run) {
        ScheduledFuture<?> future = loop.schedule(run, millis, TimeUnit.MILLISECONDS);
        return () -> future.cancel(false);
    }
}
