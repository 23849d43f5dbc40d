package smtpd.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import smtpd.conf.Config;
import smtpd.conf.ConfigBundle;
import smtpd.conf.ConfigParser;
import smtpd.conf.Instance;
import smtpd.ctl.Typed;
import smtpd.envelope.Evpid;
import smtpd.envelope.Msgid;
import smtpd.imsg.ChildToControl;
import smtpd.imsg.ChildToControl.ControlDone;
import smtpd.imsg.ChildToControl.ShowRow;
import smtpd.imsg.ChildToControl.StatDelta;
import smtpd.imsg.ChildToControl.StatValue;
import smtpd.imsg.ControlToChild;
import smtpd.imsg.ControlToMta;
import smtpd.imsg.ControlToParent;
import smtpd.imsg.ControlToQueue;
import smtpd.imsg.ControlToScheduler;
import smtpd.imsg.ControlToSmtp;
import smtpd.imsg.Message;
import smtpd.imsg.ParentToChild;
import smtpd.imsg.ParentToControl;
import smtpd.imsg.QueueToControl;
import smtpd.imsg.QueueToControl.EnvelopeRow;
import smtpd.imsg.Role;
import smtpd.imsg.Selection;
import smtpd.log.Logging;
import smtpd.log.Trace;
import smtpd.log.TraceLines;
import smtpd.proc.Harness;
import smtpd.stat.Stat;
import smtpd.sys.Sockets;

/** Control between scripted processes and the real smtpctl over a real socket. */
class ControlProcessTest {

    @TempDir private Path dir;

    private Harness<ControlProcess> harness;
    private Path socket;
    private final List<Typed> typed = new ArrayList<>();

    @BeforeEach
    void start() throws Exception {
        harness = new Harness<>(Role.CONTROL, ControlProcess::new);
        Config config =
                ConfigParser.parse(
                        ConfigBundle.ofText(
                                1,
                                Instance.at(dir),
                                "mail.example.org",
                                "smtpd.conf",
                                "accept for any relay\n"));
        harness.configure(config);
        socket = dir.resolve("smtpd.sock");
        harness.parent()
                .send(
                        0,
                        new ParentToControl.ControlListener(socket.toString()),
                        Sockets.listenUnix(socket.toString(), 0666, 128));
    }

    @AfterEach
    void close() throws Exception {
        for (Typed each : typed) {
            each.close();
        }
        harness.close();
    }

    private Typed type(String... words) {
        Typed run = Typed.start(dir, words);
        typed.add(run);
        return run;
    }

    private static void answer(
            Harness<ControlProcess>.Peer peer, Harness.Received asked, Message message) {
        peer.sendFor(asked.frame().peer(), asked.frame().id(), message);
    }

    // ---- status and pauses

    @Test
    void statusIsThreeLinesInTheClassicOrder() {
        assertThat(type("show", "status").text())
                .isEqualTo("MDA running\nMTA running\nSMTP running\n");
    }

    @Test
    void aPauseReachesSchedulerQueueAndParentAndIsIdempotent() {
        var scheduler = harness.peer(Role.SCHEDULER);
        var queue = harness.peer(Role.QUEUE);
        Typed pause = type("pause", "mta");
        Harness.Received asked = scheduler.expect(ControlToScheduler.PauseAgent.class);
        assertThat(asked.message()).isEqualTo(new ControlToScheduler.PauseAgent(Role.MTA));
        answer(scheduler, asked, new ControlDone(true, 0, 0, ""));
        assertThat(queue.get(ControlToQueue.AgentPaused.class))
                .isEqualTo(new ControlToQueue.AgentPaused(Role.MTA, true));
        assertThat(harness.parent().get(ParentToChild.RunState.class).mtaPaused()).isTrue();
        assertThat(pause.text()).isEqualTo("command succeeded\n");
        assertThat(type("show", "status").text()).contains("MTA paused");

        Typed again = type("pause", "mta");
        assertThat(again.text()).isEqualTo("command succeeded: already paused\n");
        assertThat(again.status()).isZero();
        assertThat(scheduler.drain()).isEmpty();

        Typed resume = type("resume", "mta");
        answer(
                scheduler,
                scheduler.expect(ControlToScheduler.ResumeAgent.class),
                new ControlDone(true, 0, 0, ""));
        assertThat(resume.text()).isEqualTo("command succeeded\n");
    }

    @Test
    void aPauseWhileSmtpIsAwayIsKeptAndToldToTheNextOne() {
        var smtp = harness.peer(Role.SMTP);
        smtp.die();
        await().until(
                        () ->
                                type("pause", "smtp").text().contains("paused")
                                        || type("show", "status").text().contains("SMTP paused"));
        smtp.rejoin();
        smtp.expect(ControlToChild.TraceState.class);
        smtp.expect(ControlToSmtp.PauseSmtp.class);
    }

    @Test
    void pausesOfAnEarlierLifeAreKnown() {
        harness.parent().send(0, new ParentToChild.RunState(true, false, true, 0, 0, false));
        assertThat(type("show", "status").text())
                .isEqualTo("MDA paused\nMTA running\nSMTP paused\n");
    }

    // ---- figures

    private void delta(Role role, int generation, Object... pairs) {
        List<StatValue> values = new ArrayList<>();
        for (int i = 0; i < pairs.length; i += 2) {
            values.add(
                    new StatValue(
                            ((Stat) pairs[i]).ordinal(), ((Integer) pairs[i + 1]).longValue()));
        }
        harness.peer(role).send(0, new StatDelta(role, generation, values));
    }

    /** What a process told before it died is lost when nobody has read it by then. */
    private void awaitFigure(Stat stat, long value) {
        await().until(() -> harness.onLoop(() -> harness.process().figure(stat)) == value);
    }

    @Test
    void everyCounterIsThereFromTheStartAndSumsOfTheDeadCountOn() {
        var mta = harness.peer(Role.MTA);
        delta(Role.MTA, 1, Stat.MTA_SESSION, 4, Stat.MTA_BYTES, 100);
        awaitFigure(Stat.MTA_BYTES, 100);
        mta.die();
        mta.rejoin();
        delta(Role.MTA, 2, Stat.MTA_SESSION, 1, Stat.MTA_BYTES, 7);
        Typed show = type("show", "stats");
        answer(mta, mta.expect(ControlToChild.StatsRequest.class), new ChildToControl.StatsDone());
        String text = show.text();
        for (Stat stat : Stat.values()) {
            assertThat("\n" + text).contains("\n" + stat.key() + "=");
        }
        assertThat(text)
                .contains("mta.session=1\n", "mta.bytes=107\n", "process.restart=1\n")
                .contains("control.session=1\n")
                .containsPattern("\nuptime=\\d+\nuptime.human=");
        List<String> keys = text.lines().map(l -> l.substring(0, l.indexOf('='))).toList();
        assertThat(keys).isSorted().contains("smtp.session");
    }

    @Test
    void gaugesOfADeadProcessVanish() {
        var mta = harness.peer(Role.MTA);
        delta(Role.MTA, 1, Stat.MTA_SESSION, 4);
        awaitFigure(Stat.MTA_SESSION, 4);
        mta.die();
        assertThat(type("show", "stats").text()).contains("mta.session=0\n");
    }

    @Test
    void aSilentProcessDelaysFiguresBySecondAtMost() {
        harness.peer(Role.MTA);
        assertThat(type("show", "stats").text()).contains("mta.bytes=0\n");
    }

    @Test
    void figuresAsJson() {
        assertThat(type("show", "stats", "-j").text())
                .startsWith("{\"time\":")
                .contains("\"uptime\":", "\"stats\":{", "\"smtp.session\":0")
                .endsWith("}}\n");
    }

    @Test
    void aCounterNobodyKnowsIsIgnored() {
        harness.peer(Role.MTA)
                .send(0, new StatDelta(Role.QUEUE, 1, List.of(new StatValue(9999, 5))));
        assertThat(type("show", "status").status()).isZero();
        assertThat(harness.hasEnded()).isFalse();
    }

    // ---- traces

    @Test
    void traceStatShowsEveryCounterThatChanges() {
        try (TraceLines lines = new TraceLines(Trace.STAT)) {
            delta(Role.MTA, 1, Stat.MTA_SESSION, 4);
            assertThat(type("show", "status").status()).isZero();
            assertThat(lines.lines()).isEmpty();
            Logging.trace(Trace.STAT.bit());
            delta(Role.MTA, 1, Stat.MTA_SESSION, 6, Stat.MTA_BYTES, 100);
            delta(Role.MTA, 1, Stat.MTA_SESSION, 6);
            assertThat(type("show", "status").status()).isZero();
            assertThat(lines.lines())
                    .contains(
                            "trace=stat sid=0000000000000000 text=\"mta.session: 4 -> 6\"",
                            "trace=stat sid=0000000000000000 text=\""
                                    + Stat.MTA_BYTES.key()
                                    + ": 0 -> 100\"")
                    .filteredOn(l -> l.contains("mta.session"))
                    .hasSize(1);
            assertThat(lines.lines()).anyMatch(l -> l.contains("control.session: "));
        }
    }

    @Test
    void aTraceIsPushedToAllAndTheConfirmationsAreTold() {
        var mta = harness.peer(Role.MTA);
        var scheduler = harness.peer(Role.SCHEDULER);
        Typed trace = type("trace", "transfer");
        assertThat(mta.get(ControlToChild.TraceState.class))
                .isEqualTo(new ControlToChild.TraceState(0x20, 0, false));
        scheduler.expect(ControlToChild.TraceState.class);
        mta.send(0, new ChildToControl.TraceApplied(0x20));
        scheduler.send(0, new ChildToControl.TraceApplied(0x20));
        assertThat(trace.text()).isEqualTo("command succeeded: applied: control scheduler mta\n");
        assertThat(harness.parent().get(ParentToChild.RunState.class).traceMask()).isEqualTo(0x20);

        // brief touches the debug lines alone
        Typed brief = type("log", "brief");
        assertThat(mta.get(ControlToChild.TraceState.class).mask()).isEqualTo(0x20);
        mta.send(0, new ChildToControl.TraceApplied(0x20));
        scheduler.die();
        assertThat(brief.text()).startsWith("command succeeded: applied: control mta");

        Typed untrace = type("untrace", "all");
        assertThat(mta.get(ControlToChild.TraceState.class).mask()).isZero();
        assertThat(untrace.text()).contains("silent: mta");
    }

    @Test
    void aTraceOfMessagesIsWrittenAndEndsAtOnce() {
        var lines =
                new ch.qos.logback.core.read.ListAppender<
                        ch.qos.logback.classic.spi.ILoggingEvent>();
        lines.start();
        var log =
                (ch.qos.logback.classic.Logger)
                        org.slf4j.LoggerFactory.getLogger("smtpd.trace.imsg");
        log.addAppender(lines);
        try {
            assertThat(type("trace", "imsg").status()).isZero();
            var mta = harness.peer(Role.MTA);
            mta.expect(ControlToChild.TraceState.class);
            mta.send(0, new ChildToControl.TraceApplied(2));
            await().untilAsserted(
                            () ->
                                    assertThat(List.copyOf(lines.list))
                                            .anyMatch(
                                                    e ->
                                                            e.getFormattedMessage()
                                                                    .contains(
                                                                            "dir=in text=\"control <-"
                                                                                    + " mta: TraceApplied"
                                                                                    + " (len=")));
            assertThat(type("untrace", "imsg").status()).isZero();
            int before = lines.list.size();
            assertThat(type("show", "stats").status()).isZero();
            assertThat(lines.list).hasSize(before);
        } finally {
            log.detachAppender(lines);
        }
    }

    @Test
    void aProcessBornAfterASwitchIsToldOfIt() {
        Typed trace = type("trace", "smtp");
        assertThat(trace.status()).isZero();
        assertThat(harness.peer(Role.SMTP).get(ControlToChild.TraceState.class).mask())
                .isEqualTo(8);
    }

    @Test
    void profilesOfAllProcessesAreCollected() {
        var mta = harness.peer(Role.MTA);
        Typed show = type("show", "profile", "imsg");
        Harness.Received asked = mta.expect(ControlToChild.ShowProfile.class);
        answer(mta, asked, new ShowRow("profile", List.of("mta", "queue", "count=3")));
        answer(mta, asked, new ControlDone(true, 1, 0, ""));
        assertThat(show.text()).contains("mta queue count=3\n", "control ");
    }

    // ---- orders to the scheduler

    @Test
    void scheduleAllCountsAndCarriesTheUid() {
        var scheduler = harness.peer(Role.SCHEDULER);
        Typed run = type("schedule", "all");
        Harness.Received asked = scheduler.expect(ControlToScheduler.Schedule.class);
        ControlToScheduler.Schedule m = (ControlToScheduler.Schedule) asked.message();
        assertThat(m.what()).isEqualTo(new Selection.All());
        assertThat(m.uid()).isEqualTo(smtpd.sys.Identity.euid());
        answer(scheduler, asked, new ControlDone(true, 12, 0, ""));
        assertThat(run.text()).isEqualTo("12 envelopes scheduled\n");
        assertThat(run.status()).isZero();
    }

    @Test
    void anIdThatMatchesNothingIsAFailureAndAllOnAnEmptyQueueIsNot() {
        var scheduler = harness.peer(Role.SCHEDULER);
        Typed one = type("remove", "2fd2c1f2a1b3c4d5");
        Harness.Received asked = scheduler.expect(ControlToScheduler.Remove.class);
        assertThat(((ControlToScheduler.Remove) asked.message()).what())
                .isEqualTo(new Selection.OneEnvelope(new Evpid(0x2fd2c1f2a1b3c4d5L)));
        answer(scheduler, asked, new ControlDone(true, 0, 0, ""));
        assertThat(one.text()).isEqualTo("0 envelopes removed\n");
        assertThat(one.status()).isEqualTo(1);

        Typed all = type("pause", "envelope", "all");
        answer(
                scheduler,
                scheduler.expect(ControlToScheduler.Suspend.class),
                new ControlDone(true, 0, 0, ""));
        assertThat(all.text()).isEqualTo("0 envelopes paused\n");
        assertThat(all.status()).isZero();

        Typed message = type("resume", "envelope", "2fd2c1f2");
        asked = scheduler.expect(ControlToScheduler.Unsuspend.class);
        assertThat(((ControlToScheduler.Unsuspend) asked.message()).what())
                .isEqualTo(new Selection.OneMessage(new Msgid(0x2fd2c1f2)));
        answer(scheduler, asked, new ControlDone(true, 1, 0, "1 in flight"));
        assertThat(message.text()).isEqualTo("1 envelope resumed, 1 in flight\n");
    }

    @Test
    void removeAllWithoutATerminalNeedsYes() {
        var scheduler = harness.peer(Role.SCHEDULER);
        Typed refused = type("remove", "all");
        assertThat(refused.status()).isEqualTo(2);
        assertThat(refused.errors()).contains("-y");
        Typed run = type("remove", "all", "-y");
        answer(
                scheduler,
                scheduler.expect(ControlToScheduler.Remove.class),
                new ControlDone(true, 3, 0, ""));
        assertThat(run.text()).isEqualTo("3 envelopes removed\n");
    }

    @Test
    void aPeerThatIsAwayIsNamed() {
        Typed run = type("schedule", "all");
        assertThat(run.text())
                .isEqualTo("command failed: scheduler is being restarted, try again\n");
        assertThat(run.status()).isEqualTo(1);
    }

    @Test
    void aPeerThatDiesWhileAskedFailsTheRequest() {
        var mta = harness.peer(Role.MTA);
        Typed run = type("show", "routes");
        mta.expect(ControlToMta.ShowMta.class);
        mta.die();
        assertThat(run.text()).contains("mta is being restarted");
        assertThat(run.status()).isEqualTo(1);
    }

    // ---- queue

    private static final String ENVELOPE =
            """
            version: 2
            tag: local
            type: mta
            smtpname: mail.example.org
            helo: client
            hostname: client.example.org
            errorline: 451 4.7.1 Grey|listed \u202e
            sockaddr: 192.0.2.1
            sender: alice@example.org
            rcpt: bob@example.net
            dest: bob@example.net
            ctime: 1700000000
            last-try: 1700000100
            expire: 345600
            retry: 2
            flags: authenticated
            """;

    private static EnvelopeRow row(long id, int state, long time) {
        return new EnvelopeRow(
                new Evpid(id),
                state,
                time,
                2,
                0,
                ENVELOPE.getBytes(java.nio.charset.StandardCharsets.UTF_8));
    }

    @Test
    void theQueueIsListedPageByPageInFourteenFields() {
        var scheduler = harness.peer(Role.SCHEDULER);
        var queue = harness.peer(Role.QUEUE);
        Typed run = type("show", "queue");
        Harness.Received asked = scheduler.expect(ControlToScheduler.ListEnvelopes.class);
        long next = System.currentTimeMillis() / 1000 + 340;
        answer(
                queue,
                asked,
                new QueueToControl.EnvelopeLine(List.of(row(0x2fd2c1f2a1b3c4d5L, 1, next))));
        answer(queue, asked, new ControlDone(true, 1, 0x2fd2c1f2a1b3c4d5L, ""));
        asked = scheduler.expect(ControlToScheduler.ListEnvelopes.class);
        assertThat(((ControlToScheduler.ListEnvelopes) asked.message()).from())
                .isEqualTo(new Evpid(0x2fd2c1f2a1b3c4d6L));
        answer(queue, asked, new QueueToControl.EnvelopeLine(List.of(row(-2, 1 | 4 | 8, 1))));
        answer(queue, asked, new ControlDone(true, 1, 0, ""));
        List<String> lines = run.text().lines().toList();
        String[] fields = lines.get(0).split("\\|", 14);
        assertThat(fields)
                .hasSize(14)
                .startsWith(
                        "2fd2c1f2a1b3c4d5",
                        "inet4",
                        "mta",
                        "auth",
                        "alice@example.org",
                        "bob@example.net",
                        "bob@example.net",
                        "1700000000",
                        "1700345600",
                        "1700000100",
                        "2",
                        "pending");
        assertThat(Integer.parseInt(fields[12])).isBetween(300, 340);
        assertThat(fields[13]).isEqualTo("451 4.7.1 Grey|listed \\xe2\\x80\\xae");
        assertThat(lines.get(1)).contains("|auth,suspend,hold|");
        assertThat(lines).hasSize(2);
    }

    @Test
    void theQueueAsJsonTellsThatItIsComplete() {
        var scheduler = harness.peer(Role.SCHEDULER);
        var queue = harness.peer(Role.QUEUE);
        Typed run = type("-j", "show", "queue", "2fd2c1f2");
        Harness.Received asked = scheduler.expect(ControlToScheduler.ListEnvelopes.class);
        assertThat(((ControlToScheduler.ListEnvelopes) asked.message()).from())
                .isEqualTo(new Evpid(0x2fd2c1f200000000L));
        answer(
                queue,
                asked,
                new QueueToControl.EnvelopeLine(
                        List.of(row(0x2fd2c1f2a1b3c4d5L, 2, 5), row(0x2fd2c1f300000001L, 1, 5))));
        answer(queue, asked, new ControlDone(true, 2, 0x2fd2c1f300000001L, ""));
        List<String> lines = run.text().lines().toList();
        assertThat(lines).hasSize(2);
        assertThat(lines.get(0))
                .startsWith("{\"evpid\":\"2fd2c1f2a1b3c4d5\",\"msgid\":\"2fd2c1f2\"")
                .contains("\"state\":\"inflight\"", "\\u202e", "\"flags\":[\"auth\"]");
        assertThat(lines.get(1)).isEqualTo("{\"end\":true,\"count\":1}");
    }

    @Test
    void aLargeMessageComesWholeThroughASlowReader() {
        var queue = harness.peer(Role.QUEUE);
        byte[] piece = new byte[32 << 10];
        java.util.Arrays.fill(piece, (byte) 'x');
        Typed run = type("show", "message", "2fd2c1f2");
        Harness.Received asked = queue.expect(ControlToQueue.ShowMessage.class);
        for (int i = 0; i < 200; i++) {
            answer(queue, asked, new QueueToControl.MessageContent(piece));
        }
        answer(queue, asked, new ControlDone(true, 1, 0, ""));
        assertThat(run.text()).hasSize(200 * piece.length);
        assertThat(run.status()).isZero();
    }

    @Test
    void anAbsentMessageIsAFailure() {
        var queue = harness.peer(Role.QUEUE);
        Typed run = type("show", "envelope", "2fd2c1f2a1b3c4d5");
        answer(
                queue,
                queue.expect(ControlToQueue.ShowMessage.class),
                new ControlDone(false, 0, 0, "no such envelope"));
        assertThat(run.errors()).isEqualTo("no such envelope\n");
        assertThat(run.text()).isEmpty();
        assertThat(run.status()).isEqualTo(1);
    }

    @Test
    void discoverFlushUncorruptAndProblems() {
        var queue = harness.peer(Role.QUEUE);
        Typed discover = type("discover", "2fd2c1f2");
        Harness.Received asked = queue.expect(ControlToQueue.Discover.class);
        assertThat(((ControlToQueue.Discover) asked.message()).id())
                .isEqualTo(Evpid.ofMessage(new Msgid(0x2fd2c1f2)));
        answer(queue, asked, new ControlDone(true, 1, 0, ""));
        assertThat(discover.text()).isEqualTo("1 envelope discovered\n");

        Typed flush = type("flush");
        answer(queue, queue.expect(ControlToQueue.Flush.class), new ControlDone(true, 0, 0, ""));
        assertThat(flush.text()).isEqualTo("command succeeded\n");

        Typed uncorrupt = type("uncorrupt", "2fd2c1f2");
        asked = queue.expect(ControlToQueue.Restore.class);
        answer(queue, asked, new ShowRow("problem", List.of("bad \u001b[31mfile")));
        answer(queue, asked, new ControlDone(false, 0, 0, ""));
        assertThat(uncorrupt.text()).isEqualTo("command failed\n");
        assertThat(uncorrupt.errors()).contains("bad \\x1b[31mfile");
        assertThat(uncorrupt.status()).isEqualTo(1);

        Typed problems = type("show", "problems");
        asked = queue.expect(ControlToQueue.ShowProblems.class);
        answer(queue, asked, new ShowRow("problem", List.of("queue/a7: mode")));
        answer(queue, asked, new ControlDone(true, 1, 0, ""));
        assertThat(problems.text()).isEqualTo("queue/a7: mode\n");
    }

    // ---- mta

    @Test
    void routesHostsAndRelaysInTheClassicForm() {
        var mta = harness.peer(Role.MTA);
        Typed routes = type("sh", "ro");
        Harness.Received asked = mta.expect(ControlToMta.ShowMta.class);
        answer(
                mta,
                asked,
                new ShowRow(
                        "routes",
                        List.of(
                                "12",
                                "[] <-> 192.0.2.25 (mx1.example.net)",
                                "N-Q-",
                                "0",
                                "0",
                                "2",
                                "60",
                                "5",
                                "-")));
        answer(mta, asked, new ControlDone(true, 1, 12, ""));
        asked = mta.expect(ControlToMta.ShowMta.class);
        assertThat(((ControlToMta.ShowMta) asked.message()).from()).isEqualTo(12);
        answer(mta, asked, new ControlDone(true, 0, 0, ""));
        assertThat(routes.text())
                .isEqualTo(
                        "12. [] <-> 192.0.2.25 (mx1.example.net) N-Q- nconn=0 nerror=0"
                                + " penalty=2 timeout=1m\n");

        Typed hosts = type("show", "hosts");
        asked = mta.expect(ControlToMta.ShowMta.class);
        answer(
                mta,
                asked,
                new ShowRow("hosts", List.of("192.0.2.25", "mx1.example.net", "2", "1", "12")));
        answer(mta, asked, new ControlDone(true, 1, 0, ""));
        assertThat(hosts.text())
                .isEqualTo("192.0.2.25 mx1.example.net refcount=2 nconn=1 lastconn=12s\n");

        Typed relays = type("show", "relays");
        asked = mta.expect(ControlToMta.ShowMta.class);
        answer(
                mta,
                asked,
                new ShowRow(
                        "relays",
                        List.of("relay", "[relay:example.net,mx]", "3", "2", "1", "5", "-", "MX")));
        answer(
                mta,
                asked,
                new ShowRow("relays", List.of("connector", "[]", "2", "1", "5", "40", "NEW")));
        answer(mta, asked, new ControlDone(true, 2, 0, ""));
        assertThat(relays.text())
                .isEqualTo(
                        "[relay:example.net,mx] refcount=3 ntask=2 nconn=1 lastconn=5s"
                                + " timeout=- wait=MX\n"
                                + "  connector [] refcount=2 nconn=1 lastconn=5s timeout=40s"
                                + " flags=NEW\n");

        Typed enable = type("resume", "route", "12");
        answer(
                mta,
                mta.expect(ControlToMta.EnableRoute.class),
                new ControlDone(false, 0, 0, "no such route"));
        assertThat(enable.text()).isEqualTo("command failed: no such route\n");
    }

    @Test
    void holdsAreShownWithTheNamesTheirAgentsKnow() {
        var scheduler = harness.peer(Role.SCHEDULER);
        var mta = harness.peer(Role.MTA);
        var mda = harness.peer(Role.MDA);
        Typed run = type("show", "holds");
        Harness.Received asked = scheduler.expect(ControlToScheduler.ShowHolds.class);
        answer(
                scheduler,
                asked,
                new ShowRow("hold", List.of("fffffffffffffff0", "mta", "1", "3", "1700000000")));
        answer(
                scheduler,
                asked,
                new ShowRow("hold", List.of("00000000000000ab", "mda", "1", "2", "1700000001")));
        answer(
                scheduler,
                asked,
                new ShowRow("hold", List.of("0000000000000001", "scheduler", "1", "1", "17")));
        answer(scheduler, asked, new ControlDone(true, 3, 0, ""));
        asked = mta.expect(ControlToMta.HoldNames.class);
        assertThat(((ControlToMta.HoldNames) asked.message()).keys()).containsExactly(-16L);
        answer(mta, asked, new ShowRow("hold", List.of("-16", "[relay:example.net]")));
        answer(mta, asked, new ControlDone(true, 1, 0, ""));
        asked = mda.expect(ControlToMta.HoldNames.class);
        answer(mda, asked, new ShowRow("hold", List.of("ab", "alice")));
        answer(mda, asked, new ControlDone(true, 1, 0, ""));
        assertThat(run.text())
                .isEqualTo(
                        """
                        mta fffffffffffffff0 envelopes=3 since=1700000000 [relay:example.net]
                        mda 00000000000000ab envelopes=2 since=1700000001 alice
                        scheduler 0000000000000001 envelopes=1 since=17 -
                        """);
    }

    // ---- parent

    @Test
    void processesAndStopAreTheParents() {
        Typed show = type("show", "processes");
        Harness.Received asked = harness.parent().expect(ControlToParent.ShowProcesses.class);
        answer(
                harness.parent(),
                asked,
                new ParentToControl.ParentAnswer(
                        true, "", List.of("parent 1 1 ready", "queue 7 2 ready")));
        assertThat(show.text()).isEqualTo("parent 1 1 ready\nqueue 7 2 ready\n");

        Typed stop = type("stop");
        asked = harness.parent().expect(ControlToParent.Shutdown.class);
        answer(harness.parent(), asked, new ParentToControl.ParentAnswer(true, "", List.of()));
        harness.parent().send(0, new ParentToChild.Stop(1000));
        assertThat(stop.text()).isEqualTo("command succeeded\n");
        assertThat(harness.awaitEnd()).isZero();
    }

    @Test
    void aLostControlIsStatus75() {
        var mta = harness.peer(Role.MTA);
        Typed run = type("show", "hosts");
        mta.expect(ControlToMta.ShowMta.class);
        harness.parent().send(0, new ParentToChild.Stop(1000));
        assertThat(run.status()).isEqualTo(75);
        assertThat(run.errors()).isEqualTo("connection lost\n");
    }

    // ---- several clients

    @Test
    void answersGoToTheClientThatAsked() {
        var mta = harness.peer(Role.MTA);
        Typed first = type("show", "hosts");
        Harness.Received one = mta.expect(ControlToMta.ShowMta.class);
        Typed second = type("show", "hosts");
        Harness.Received two = mta.expect(ControlToMta.ShowMta.class);
        answer(mta, two, new ShowRow("hosts", List.of("2.2.2.2", "-", "0", "0", "-")));
        answer(mta, one, new ShowRow("hosts", List.of("1.1.1.1", "-", "0", "0", "-")));
        answer(mta, one, new ControlDone(true, 1, 0, ""));
        answer(mta, two, new ControlDone(true, 1, 0, ""));
        assertThat(first.text()).startsWith("1.1.1.1 ");
        assertThat(second.text()).startsWith("2.2.2.2 ");
    }

    @Test
    void aSocketFileThatIsAFolderIsNoDaemon() throws Exception {
        Files.createDirectories(dir.resolve("other"));
        Typed run = type("--socket", dir.resolve("other").toString(), "show", "status");
        assertThat(run.status()).isEqualTo(4);
    }
}
