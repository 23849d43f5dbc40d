package smtpd.log;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.StackTraceElementProxy;
import ch.qos.logback.core.UnsynchronizedAppenderBase;
import java.util.concurrent.atomic.AtomicLong;

/** Logback's end of a {@link HandOff}: text is made here, on the speaking thread, and cleaned. */
final class HandOffAppender extends UnsynchronizedAppenderBase<ILoggingEvent> {
    static final String NAME = "smtpd";
    private static final int FRAMES = 12;
    private static final int MOST_TRACES_A_SECOND = 5_000;

    private final HandOff handOff;

    /** The running second in the high half, its trace lines in the low: one word, no lock. */
    private final AtomicLong traces = new AtomicLong();

    HandOffAppender(HandOff handOff) {
        this.handOff = handOff;
        setName(NAME);
    }

    HandOff handOff() {
        return handOff;
    }

    @Override
    protected void append(ILoggingEvent event) {
        long millis = event.getTimeStamp();
        if (event.getLoggerName().startsWith(Trace.LOGGERS) && !mayTrace(millis)) {
            return;
        }
        String text = event.getFormattedMessage();
        IThrowableProxy thrown = event.getThrowableProxy();
        if (thrown != null) {
            text = withThrown(text, thrown);
        }
        handOff.offer(Severity.of(event.getLevel()), millis, Ascii.line(text));
    }

    /** A trace of everything must not push the events out of the log. */
    boolean mayTrace(long millis) {
        long second = Math.floorDiv(millis, 1000L);
        long before =
                traces.getAndUpdate(
                        old -> (old >>> 32) == (second & 0xffffffffL) ? old + 1 : second << 32 | 1);
        boolean isSame = (before >>> 32) == (second & 0xffffffffL);
        int seen = (int) before;
        if (!isSame && seen > MOST_TRACES_A_SECOND) {
            handOff.offer(Severity.INFO, millis, "trace dropped=" + (seen - MOST_TRACES_A_SECOND));
        }
        return !isSame || seen < MOST_TRACES_A_SECOND;
    }

    /** One line all the same: the exception, where it came from, and its cause. */
    private static String withThrown(String text, IThrowableProxy thrown) {
        StringBuilder line = new StringBuilder(text);
        String key = " exception=";
        for (IThrowableProxy each = thrown; each != null; each = each.getCause()) {
            line.append(key);
            LogLine.appendValue(line, each.getClassName() + ": " + each.getMessage());
            key = " cause=";
        }
        line.append(" at=\"");
        StackTraceElementProxy[] frames = thrown.getStackTraceElementProxyArray();
        for (int i = 0; i < Math.min(FRAMES, frames.length); i++) {
            StackTraceElement frame = frames[i].getStackTraceElement();
            line.append(i == 0 ? "" : " < ").append(frame.getClassName()).append('.');
            line.append(frame.getMethodName()).append(':').append(frame.getLineNumber());
        }
        return line.append('"').toString();
    }
}
