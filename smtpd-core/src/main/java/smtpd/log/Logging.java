package smtpd.log;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.Appender;
import java.time.ZoneId;
import java.util.List;
import org.slf4j.LoggerFactory;
import smtpd.sys.DevLog;
import smtpd.sys.Identity;

/**
 * Where the lines of this process go, and how many of them. All state is logback's own, one per
 * process. Call {@link #toStderr} or {@link #toSyslog} once the identity is final and before any
 * pool or delivery thread starts: it starts the writer thread.
 */
public final class Logging {
    private static final int STDERR = 2;
    private static final long FLUSH_MILLIS = 1_000;

    /** Libraries speak up only when something is wrong, verbose or not. */
    private static final List<String> LIBRARIES = List.of("io.netty", "org.xbill", "com.zaxxer");

    private Logging() {}

    /** Lines to standard error: {@code smtpd -d}. */
    public static void toStderr(boolean isVerbose) {
        install(new StderrSink(STDERR, ZoneId.systemDefault()), isVerbose);
    }

    /** Lines to the syslog daemon, facility mail. */
    public static void toSyslog(String ident, boolean isVerbose) {
        String tag = ident + "[" + Identity.pid() + "]";
        var sink = new SyslogSink(new DevLog(DevLog.PATH), ZoneId.systemDefault(), tag);
        install(sink, isVerbose);
    }

    static void install(Sink sink, boolean isVerbose) {
        LoggerContext context = context();
        HandOffAppender old = appender();
        context.reset();
        HandOff handOff = new HandOff(sink);
        handOff.start();
        HandOffAppender appender = new HandOffAppender(handOff);
        appender.setContext(context);
        appender.start();
        root().addAppender(appender);
        for (String library : LIBRARIES) {
            context.getLogger(library).setLevel(Level.WARN);
        }
        trace(0);
        verbose(isVerbose);
        if (old != null) {
            old.handOff().close();
        }
    }

    /** {@code smtpctl log verbose} and {@code log brief}: debug lines or none, at once. */
    public static void verbose(boolean isVerbose) {
        root().setLevel(isVerbose ? Level.DEBUG : Level.INFO);
    }

    /**
     * Puts a trace mask in force, all of it: words whose bit is 0 become silent. The debug bit is
     * {@link #verbose}'s and ignored here.
     *
     * @param mask bits of {@link Trace}
     */
    public static void trace(long mask) {
        LoggerContext context = context();
        for (Trace word : Trace.values()) {
            boolean isOn = (mask & word.bit()) != 0;
            context.getLogger(word.logger()).setLevel(isOn ? Level.INFO : Level.OFF);
        }
    }

    /** Waits, a second at most, until everything said so far is written: before the end. */
    public static void flush() {
        HandOffAppender appender = appender();
        if (appender != null) {
            appender.handOff().flush(FLUSH_MILLIS);
        }
    }

    /** Lines lost so far because the writer did not keep up: the counter {@code log.dropped}. */
    public static long dropped() {
        HandOffAppender appender = appender();
        return appender == null ? 0 : appender.handOff().dropped();
    }

    private static HandOffAppender appender() {
        Appender<ILoggingEvent> found = root().getAppender(HandOffAppender.NAME);
        return found instanceof HandOffAppender ours ? ours : null;
    }

    private static Logger root() {
        return context().getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    }

    private static LoggerContext context() {
        return (LoggerContext) LoggerFactory.getILoggerFactory();
    }
}
