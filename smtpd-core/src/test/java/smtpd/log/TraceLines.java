package smtpd.log;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.slf4j.LoggerFactory;

/** Catches what one trace word writes in this JVM. All words are off before and after. */
public final class TraceLines implements AutoCloseable {

    private final List<String> lines = new CopyOnWriteArrayList<>();
    private final Set<String> threads = ConcurrentHashMap.newKeySet();
    private final Logger log;
    private final AppenderBase<ILoggingEvent> catcher =
            new AppenderBase<>() {
                @Override
                protected void append(ILoggingEvent event) {
                    lines.add(event.getFormattedMessage());
                    threads.add(event.getThreadName());
                }
            };

    public TraceLines(Trace word) {
        Logging.trace(0);
        log = (Logger) LoggerFactory.getLogger(word.logger());
        catcher.start();
        log.addAppender(catcher);
    }

    /** Everything so far, without {@code trace=WORD sid=ID }. */
    public List<String> texts() {
        return lines.stream().map(l -> l.substring(l.indexOf(' ', l.indexOf("sid=")) + 1)).toList();
    }

    /** Everything so far. */
    public List<String> lines() {
        return List.copyOf(lines);
    }

    /** Names of the threads that wrote them. */
    public Set<String> threads() {
        return Set.copyOf(threads);
    }

    @Override
    public void close() {
        log.detachAppender(catcher);
        Logging.trace(0);
    }
}
