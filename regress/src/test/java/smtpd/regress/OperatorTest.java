package smtpd.regress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** The installed smtpctl, its texts and its exit status. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class OperatorTest {

    private static final Pattern EVPID = Pattern.compile("^[0-9a-f]{16}");

    private final Parts parts = new Parts();
    private Site site;
    private Sink sink;
    private Daemon daemon;

    @BeforeAll
    void start() throws IOException {
        site = parts.add(Site.create());
        sink = parts.add(Sink.listen());
        site.config(
                Site.toMaildir(),
                "accept from local for domain \"remote.test\" relay via smtp://127.0.0.1:"
                        + sink.port());
        daemon = parts.add(Daemon.start(site));
    }

    @AfterAll
    void end() throws Exception {
        parts.close();
    }

    private void send(String to, String subject) throws IOException {
        try (SmtpClient client = daemon.connect()) {
            client.deliver("ann@sender.test", to, subject);
        }
    }

    /** Waits for the line of show queue that is about this recipient; its evpid. */
    private String awaitQueued(String recipient, String state) {
        String[] evpid = new String[1];
        Machine.await(recipient + " is listed as " + state)
                .until(
                        () -> {
                            for (String line : daemon.ctl().queue()) {
                                Matcher id = EVPID.matcher(line);
                                if (line.contains("|" + recipient + "|")
                                        && line.contains(state)
                                        && id.find()) {
                                    evpid[0] = id.group();
                                    return true;
                                }
                            }
                            return false;
                        });
        return evpid[0];
    }

    private void awaitNotQueued(String recipient) {
        Machine.await(recipient + " is not listed")
                .until(
                        () ->
                                daemon.ctl().queue().stream()
                                        .noneMatch(line -> line.contains("|" + recipient + "|")));
    }

    @Test
    void pausedLocalDeliveryWaitsUntilResumed() throws Exception {
        Ctl ctl = daemon.ctl();
        ctl.ok("pause", "mda");
        assertThat(ctl.ok("show", "status")).contains("MDA paused", "MTA running", "SMTP running");
        send("cid@mail.site.test", "paused-mda");
        awaitQueued("cid@mail.site.test", "|pending|");
        assertThat(site.maildir("cid").subjects()).doesNotContain("paused-mda");
        ctl.ok("resume", "mda");
        site.maildir("cid").await("paused-mda");
        awaitNotQueued("cid@mail.site.test");
    }

    @Test
    void pausedRelayingWaitsUntilResumed() throws Exception {
        Ctl ctl = daemon.ctl();
        ctl.ok("pause", "mta");
        send("paused@remote.test", "paused-mta");
        awaitQueued("paused@remote.test", "|pending|");
        assertThat(sink.has("paused-mta")).isFalse();
        ctl.ok("resume", "mta");
        sink.await("paused-mta");
    }

    @Test
    void pausedListenersServeAgainWhenResumed() throws Exception {
        Ctl ctl = daemon.ctl();
        ctl.ok("pause", "smtp");
        assertThat(ctl.ok("show", "status")).contains("SMTP paused");
        ctl.ok("resume", "smtp");
        send("bob@mail.site.test", "resumed-smtp");
        site.maildir("bob").await("resumed-smtp");
    }

    @Test
    void scheduleTriesADeferredEnvelopeAtOnce() throws Exception {
        sink.answer("RCPT TO:<later@remote.test>", "450 4.2.1 later");
        send("later@remote.test", "scheduled");
        String evpid = awaitQueued("later@remote.test", "450 4.2.1 later");
        sink.forget("RCPT TO:<later@remote.test>");
        assertThat(daemon.ctl().ok("schedule", evpid)).contains("1");
        sink.await("scheduled");
        awaitNotQueued("later@remote.test");
    }

    @Test
    void aSuspendedEnvelopeIsNotTriedUntilResumed() throws Exception {
        sink.answer("RCPT TO:<held@remote.test>", "450 4.2.1 later");
        send("held@remote.test", "suspended");
        String evpid = awaitQueued("held@remote.test", "450 4.2.1 later");
        daemon.ctl().ok("pause", "envelope", evpid);
        awaitQueued("held@remote.test", "suspend");
        sink.forget("RCPT TO:<held@remote.test>");
        daemon.ctl().ok("resume", "envelope", evpid);
        daemon.ctl().run("schedule", evpid);
        sink.await("suspended");
    }

    @Test
    void aRemovedEnvelopeIsGoneFromListingAndSpool() throws Exception {
        sink.answer("RCPT TO:<unwanted@remote.test>", "450 4.2.1 later");
        send("unwanted@remote.test", "removed");
        String evpid = awaitQueued("unwanted@remote.test", "450 4.2.1 later");
        daemon.ctl().ok("remove", evpid);
        awaitNotQueued("unwanted@remote.test");
        Machine.await("no file is left")
                .until(() -> site.files(site.spool().resolve("queue"), evpid).isEmpty());
        assertThat(daemon.ctl().run("remove", evpid).status()).as("nothing matched").isEqualTo(1);
    }

    @Test
    void envelopeAndMessageAreShown() throws Exception {
        sink.answer("RCPT TO:<shown@remote.test>", "450 4.2.1 later");
        send("shown@remote.test", "shown");
        String evpid = awaitQueued("shown@remote.test", "450 4.2.1 later");
        assertThat(daemon.ctl().ok("show", "envelope", evpid))
                .contains("sender: ann@sender.test", "dest: shown@remote.test");
        assertThat(daemon.ctl().ok("show", "message", evpid)).contains("Subject: shown", "Hello.");
        daemon.ctl().ok("remove", evpid);
    }

    @Test
    void countersCountWhatHappened() throws Exception {
        send("bob@mail.site.test", "counted");
        site.maildir("bob").await("counted");
        Machine.await("the counters say so")
                .untilAsserted(
                        () ->
                                assertThat(daemon.ctl().ok("show", "stats"))
                                        .containsPattern("(?m)^scheduler\\.delivery\\.ok=[1-9]")
                                        .containsPattern("(?m)^uptime=[0-9]+$")
                                        .contains("uptime.human="));
    }

    @Test
    void aTraceIsLoggedUntilItIsSwitchedOff() throws Exception {
        Ctl ctl = daemon.ctl();
        ctl.ok("trace", "smtp");
        ctl.ok("trace", "transfer");
        send("traced@remote.test", "traced");
        sink.await("traced");
        daemon.awaitLog("dir=in text=\"RCPT TO:<traced@remote.test>\"", 1);
        daemon.awaitLog("dir=out text=\"RCPT TO:<traced@remote.test>\"", 1);
        daemon.awaitLog("dir=in text=\"250 2.0.0 taken\"", 1);
        ctl.ok("untrace", "all");
        send("untraced@remote.test", "untraced");
        sink.await("untraced");
        daemon.awaitLog("to=<untraced@remote.test> rcpt=", 1);
        assertThat(daemon.log("text=\"RCPT TO:<untraced@remote.test>\"")).isEmpty();
    }

    @Test
    void aRestartedProcessStillTraces() throws Exception {
        daemon.ctl().ok("trace", "smtp");
        daemon.killAndAwaitReturn("smtp");
        Machine.await("the listener is served")
                .untilAsserted(() -> send("bob@mail.site.test", "again"));
        daemon.awaitLog("dir=in text=\"RCPT TO:<bob@mail.site.test>\"", 1);
        daemon.ctl().ok("untrace", "all");
    }

    @Test
    void aProfileShowsWhatWasMeasured() throws Exception {
        Ctl ctl = daemon.ctl();
        ctl.ok("profile", "imsg");
        send("bob@mail.site.test", "profiled");
        site.maildir("bob").await("profiled");
        Machine.await("measurements").until(() -> !ctl.ok("show", "profile", "imsg").isBlank());
        ctl.ok("unprofile", "imsg");
    }

    @Test
    void theLogCanBeMadeVerboseAndBrief() throws Exception {
        daemon.ctl().ok("log", "verbose");
        daemon.ctl().ok("log", "brief");
    }

    @Test
    void aWordThatIsNoneIsExitStatusTwoWithThePossibilities() throws Exception {
        Machine.Ended ended = daemon.ctl().run("sh", "s");
        assertThat(ended.status()).isEqualTo(2);
        assertThat(ended.output()).contains("stats", "status");
    }

    @Test
    void anOrdinaryUserMayNotAsk() throws Exception {
        assumeTrue(Machine.isRoot(), "needs root to become another user");
        int nobody = Machine.nobody();
        Site other = parts.add(Site.create());
        other.copyInstallation();
        Machine.Ended ended =
                Machine.run(
                        List.of(
                                "setpriv",
                                "--reuid=" + nobody,
                                "--regid=" + nobody,
                                "--clear-groups",
                                "--",
                                other.program("smtpctl").toString(),
                                "-r",
                                site.dir().toString(),
                                "show",
                                "queue"));
        assertThat(ended.status()).as(ended.output()).isEqualTo(3);
    }

    @Test
    void stopEndsTheDaemonAndTheSpoolCanStillBeRead() throws Exception {
        try (Parts own = new Parts()) {
            Site other = own.add(Site.create()).config(Site.toMaildir());
            Daemon daemon = own.add(Daemon.start(other, "-P", "mda"));
            try (SmtpClient client = daemon.connect()) {
                client.deliver("ann@sender.test", "bob@mail.site.test", "left");
            }
            daemon.ctl().ok("stop");
            assertThat(daemon.awaitEnd()).isZero();
            assertThat(daemon.ctl().run("show", "status").status()).isEqualTo(4);
            assertThat(daemon.ctl().queue())
                    .singleElement()
                    .asString()
                    .contains("|bob@mail.site.test|")
                    .contains("|offline|");
        }
    }
}
