package smtpd.smtp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import smtpd.imsg.ChildToControl;
import smtpd.imsg.ControlToChild;
import smtpd.imsg.Role;
import smtpd.log.Trace;
import smtpd.log.TraceLines;

/** {@code smtpctl trace smtp} and {@code trace io} on a running process. */
class SessionTraceTest {

    @TempDir private Path dir;
    private Daemon daemon;

    @BeforeEach
    void start() {
        daemon = new Daemon(dir);
    }

    @AfterEach
    void stop() {
        daemon.close();
    }

    private void trace(int mask) {
        daemon.harness.peer(Role.CONTROL).send(0, new ControlToChild.TraceState(mask, 0, false));
        assertThat(daemon.harness.peer(Role.CONTROL).get(ChildToControl.TraceApplied.class).mask())
                .isEqualTo(mask);
    }

    @Test
    void dialogueIsShownFromTheSwitchOnAndContentIsOnlyCounted() {
        try (TraceLines lines = new TraceLines(Trace.SMTP);
                Talk talk = daemon.greeted()) {
            assertThat(lines.lines()).isEmpty();
            trace(Trace.SMTP.bit());
            assertThat(talk.ask("MAIL FROM:<a@b>")).startsWith("250 ");
            assertThat(talk.ask("RCPT TO:<bob@c>")).startsWith("250 ");
            assertThat(talk.ask("DATA")).startsWith("354 ");
            talk.send("Subject: confidential\r\n\r\nbody\r\n.\r\n").expect("250 ");
            assertThat(lines.texts())
                    .startsWith(
                            "dir=in text=\"MAIL FROM:<a@b>\"",
                            "text=\"READY -> MAIL\"",
                            "dir=out text=\"250 2.1.0 Ok\"",
                            "dir=in text=\"RCPT TO:<bob@c>\"",
                            "text=\"MAIL -> RCPT\"")
                    .containsSequence(
                            "dir=in text=\"[...31 bytes...]\"",
                            "dir=in text=\"[EOM]\"",
                            "text=\"DATA -> COMMIT\"",
                            "text=\"COMMIT -> READY\"")
                    .noneMatch(line -> line.contains("confidential") || line.contains("body"));
            assertThat(lines.lines())
                    .allMatch(line -> line.matches("trace=smtp sid=[0-9a-f]{16} .*"));
            trace(0);
            int before = lines.lines().size();
            assertThat(talk.ask("NOOP")).startsWith("250 ");
            assertThat(lines.lines()).hasSize(before);
        }
    }

    @Test
    void beginningAndEndOfASessionAreShown() {
        try (TraceLines lines = new TraceLines(Trace.SMTP)) {
            trace(Trace.SMTP.bit());
            try (Talk talk = daemon.greeted()) {
                talk.send("QUIT\r\n").expect("221 ");
            }
            await().until(() -> lines.texts().contains("text=\"end: quit\""));
            assertThat(lines.texts().getFirst()).startsWith("text=\"connection of 127.0.0.1 to ");
            assertThat(lines.texts())
                    .contains(
                            "dir=in text=\"EHLO client.example\"",
                            "dir=out text=\"250-8BITMIME\"",
                            "dir=out text=\"250 HELP\"",
                            "text=\"HELLO -> READY\"");
        }
    }

    @Test
    void whatMayBeAPasswordIsNotShown() {
        try (TraceLines lines = new TraceLines(Trace.SMTP);
                Talk talk = daemon.greeted()) {
            trace(Trace.SMTP.bit());
            talk.ask("AUTH PLAIN AHNlY3JldA==");
            talk.ask("aHVudGVyMg==");
            talk.ask(" auth plain c2VjcmV0");
            assertThat(lines.texts())
                    .contains("dir=in text=\"AUTH [redacted]\"", "dir=in text=\"[redacted]\"")
                    .noneMatch(l -> l.contains("AHN") || l.contains("aHV") || l.contains("c2V"));
        }
    }

    @Test
    void aLineThatIsNoCommandIsNamedByItsFault() {
        try (TraceLines lines = new TraceLines(Trace.SMTP);
                Talk talk = daemon.greeted()) {
            trace(Trace.SMTP.bit());
            talk.send("NOOP \u0001\r\n").expect("500 ");
            assertThat(lines.texts().getFirst()).matches("dir=in text=\"\\[[A-Z_]+\\]\"");
        }
    }

    @Test
    void eventsOfTheConnectionAreShown() {
        try (TraceLines lines = new TraceLines(Trace.IO)) {
            trace(Trace.IO.bit());
            try (Talk talk = daemon.greeted()) {
                talk.ask("NOOP");
            }
            await().until(() -> lines.lines().stream().anyMatch(l -> l.contains("IO_CLOSED")));
            assertThat(lines.texts())
                    .contains(
                            "text=\"IO_CONNECTED ib=0 ob=0\"",
                            "text=\"IO_DATAIN ib=6 ob=0\"",
                            "text=\"IO_DISCONNECTED ib=0 ob=0\"");
        }
    }
}
