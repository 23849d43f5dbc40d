package smtpd.log;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.util.ContextInitializer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import smtpd.sys.At;
import smtpd.sys.DatagramServer;
import smtpd.sys.DevLog;
import smtpd.sys.Fd;
import smtpd.sys.Open;

class LoggingTest {
    private static final Logger LOG = LoggerFactory.getLogger(LoggingTest.class);
    private static final ZoneId ZONE = ZoneId.of("UTC");

    @TempDir Path folder;

    /** Remembers lines; may be stopped in the middle. */
    private static final class Memory implements Sink {
        private final List<String> lines = Collections.synchronizedList(new ArrayList<>());
        private final CountDownLatch gate;

        Memory(CountDownLatch gate) {
            this.gate = gate;
        }

        @Override
        public void put(int severity, long millis, String text) {
            try {
                gate.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            lines.add(severity + " " + text);
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    }

    private static Memory memory(boolean isVerbose) {
        Memory memory = new Memory(new CountDownLatch(0));
        Logging.install(memory, isVerbose);
        return memory;
    }

    @AfterEach
    void restore() throws Exception {
        LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
        context.reset();
        new ContextInitializer(context).autoConfig();
    }

    @Test
    void levelAndTraceSwitchWhileRunning() {
        Memory memory = memory(false);
        LOG.debug("hidden");
        LogLine.of(1, "smtp", "connected").add("address", "::1").info(LOG);
        LOG.warn("careful");
        assertThat(Trace.SMTP.isOn()).isFalse();
        Logging.verbose(true);
        LOG.debug("shown");
        LoggerFactory.getLogger("io.netty.channel").info("chatter");
        Logging.trace(Trace.SMTP.bit() | Trace.QUEUE.bit());
        assertThat(Trace.SMTP.isOn()).isTrue();
        assertThat(Trace.MTA.isOn()).isFalse();
        Trace.SMTP.line(0xab, "in", "EHLO \"x\"\r\n");
        Trace.MTA.line(0xab, "in", "unheard");
        Logging.trace(0);
        assertThat(Trace.SMTP.isOn()).isFalse();
        Logging.verbose(false);
        LOG.debug("hidden again");
        Logging.flush();
        assertThat(memory.lines)
                .containsExactly(
                        "6 0000000000000001 smtp connected address=::1",
                        "3 careful",
                        "7 shown",
                        "6 trace=smtp sid=00000000000000ab dir=in text=\"EHLO \\\"x\\\"\\x0d\\n\"");
    }

    @Test
    void foreignMessagesCannotBreakTheLine() {
        Memory memory = memory(false);
        LOG.info("two\nlines \u001b[31m \ud83d\ude00");
        LOG.error("failed", new IllegalStateException("a\nb", new RuntimeException("root")));
        Logging.flush();
        assertThat(memory.lines.get(0)).isEqualTo("6 two\\nlines \\x1b[31m \\xf0\\x9f\\x98\\x80");
        assertThat(memory.lines.get(1))
                .startsWith(
                        "2 failed exception=\"java.lang.IllegalStateException: a\\nb\""
                                + " cause=\"java.lang.RuntimeException: root\""
                                + " at=\"smtpd.log.LoggingTest.")
                .doesNotContain("\n");
    }

    @Test
    void aStuckWriterCostsLinesNeverTheSpeakersTime() {
        CountDownLatch gate = new CountDownLatch(1);
        Memory memory = new Memory(gate);
        Logging.install(memory, false);
        String text = "x".repeat(1_900);
        for (int i = 0; i < 5_000; i++) {
            LOG.info(text);
        }
        assertThat(Logging.dropped()).isPositive();
        long lost = Logging.dropped();
        gate.countDown();
        await().until(() -> memory.lines.size() == 5_000 - lost + 1);
        assertThat(memory.lines.getLast())
                .isEqualTo("3 0000000000000000 log dropped lines=" + lost);
    }

    @Test
    void aTraceOfEverythingIsCappedAndSaysSo() {
        Memory memory = memory(false);
        HandOff handOff = new HandOff(memory);
        handOff.start();
        HandOffAppender appender = new HandOffAppender(handOff);
        for (long second = 1; second <= 2; second++) {
            for (int i = 0; i < 6_000; i++) {
                assertThat(appender.mayTrace(second * 1000)).isEqualTo(i < 5_000);
            }
        }
        handOff.close();
        assertThat(memory.lines).containsExactly("6 trace dropped=1000");
    }

    @Test
    void everyLineSaidBeforeTheEndIsWritten() {
        Memory memory = new Memory(new CountDownLatch(0));
        HandOff handOff = new HandOff(memory);
        handOff.start();
        for (int i = 0; i < 1_000; i++) {
            handOff.offer(6, 0, "line " + i);
        }
        handOff.close();
        assertThat(memory.lines).hasSize(1_000).endsWith("6 line 999");
    }

    @Test
    void aLineAfterSilenceIsWrittenAtOnce() {
        Memory memory = memory(false);
        for (int i = 1; i <= 5; i++) {
            int expected = i;
            LOG.info("line");
            await().until(() -> memory.lines.size() == expected);
        }
    }

    @Test
    void syslogLinesCarryFacilityMailTimeAndIdent() throws Exception {
        String path = folder.resolve("log").toString();
        try (DatagramServer server = new DatagramServer(path);
                SyslogSink sink = new SyslogSink(new DevLog(path), ZONE, "smtpd[77]")) {
            sink.put(Severity.INFO, 1_764_035_000_123L, "hello");
            assertThat(server.receive(0)).isEqualTo("<22>Nov 25 01:43:20 smtpd[77]: hello");
            sink.put(Severity.DEBUG, 1_762_308_131_000L, "early");
            assertThat(server.receive(0)).isEqualTo("<23>Nov  5 02:02:11 smtpd[77]: early");
            sink.put(Severity.WARNING, 0, "z".repeat(9_000));
            assertThat(server.receive(0)).hasSize(8192).startsWith("<19>Jan  1 00:00:00 ");
        }
    }

    @Test
    void aSlowSyslogDaemonGetsEveryLine() throws Exception {
        String path = folder.resolve("log").toString();
        try (DatagramServer server = new DatagramServer(path)) {
            Logging.install(new SyslogSink(new DevLog(path), ZONE, "smtpd[1]"), false);
            for (int i = 0; i < 500; i++) {
                LOG.info("line {}", i);
            }
            for (int i = 0; i < 500; i++) {
                assertThat(server.receive(5_000)).endsWith("smtpd[1]: line " + i);
            }
        }
    }

    @Test
    void stderrLinesAreWrittenInBatches() throws Exception {
        Path file = folder.resolve("stderr");
        int fd = At.open(At.CWD, file.toString(), Open.WRONLY | Open.CREAT, 0600);
        StderrSink sink = new StderrSink(fd, ZONE);
        for (int i = 0; i < 2_000; i++) {
            sink.put(Severity.INFO, 1_764_035_000_042L, "line " + i + " of a batch that is long");
        }
        sink.close();
        List<String> lines = Files.readAllLines(file, UTF_8);
        assertThat(lines).hasSize(2_000);
        assertThat(lines.getLast())
                .isEqualTo("01:43:20.042 info line 1999 of a batch that is long");
        Fd.close(fd);
    }

    @Test
    void wordsOfEveryGenerationAreKnown() {
        assertThat(Trace.mask("mfa")).hasValue(0x10);
        assertThat(Trace.mask("filters")).hasValue(0x10);
        assertThat(Trace.mask("transfer")).hasValue(Trace.mask("mta").getAsInt());
        assertThat(Trace.mask("msg-size")).hasValue(0x800);
        assertThat(Trace.mask("all")).hasValue(0x7ffe);
        assertThat(Trace.mask("nonsense")).isEmpty();
    }
}
