package smtpd.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import smtpd.envelope.EnvelopeType;
import smtpd.envelope.Evpid;
import smtpd.envelope.Msgid;
import smtpd.imsg.Agent;
import smtpd.imsg.ChildToControl.ControlDone;
import smtpd.imsg.ChildToControl.ShowRow;
import smtpd.imsg.ControlToScheduler;
import smtpd.imsg.EnvelopeState;
import smtpd.imsg.Message;
import smtpd.imsg.ParentToChild;
import smtpd.imsg.QueueToScheduler.AgentLost;
import smtpd.imsg.QueueToScheduler.Done;
import smtpd.imsg.QueueToScheduler.DoneRow;
import smtpd.imsg.QueueToScheduler.DueNow;
import smtpd.imsg.QueueToScheduler.Gone;
import smtpd.imsg.QueueToScheduler.HoldRows;
import smtpd.imsg.QueueToScheduler.InFlightSnapshot;
import smtpd.imsg.QueueToScheduler.LoadPhase;
import smtpd.imsg.QueueToScheduler.LoadProgress;
import smtpd.imsg.QueueToScheduler.LocalDelay;
import smtpd.imsg.QueueToScheduler.MessageReady;
import smtpd.imsg.QueueToScheduler.Origin;
import smtpd.imsg.QueueToScheduler.Plan;
import smtpd.imsg.QueueToScheduler.ReleaseRows;
import smtpd.imsg.QueueToScheduler.Result;
import smtpd.imsg.QueueToScheduler.Retry;
import smtpd.imsg.QueueToScheduler.RetryRow;
import smtpd.imsg.QueueToScheduler.RouteTimes;
import smtpd.imsg.QueueToScheduler.Vanished;
import smtpd.imsg.Role;
import smtpd.imsg.SchedulerToControl.MessageIds;
import smtpd.imsg.SchedulerToQueue.DescribeEnvelopes;
import smtpd.imsg.SchedulerToQueue.DescribeRow;
import smtpd.imsg.SchedulerToQueue.Discard;
import smtpd.imsg.SchedulerToQueue.Dispatch;
import smtpd.imsg.SchedulerToQueue.Expire;
import smtpd.imsg.SchedulerToQueue.MarkSuspended;
import smtpd.imsg.SchedulerToQueue.ReadySeen;
import smtpd.imsg.SchedulerToQueue.WarnDelayed;
import smtpd.imsg.Selection;
import smtpd.proc.Harness;
import smtpd.stat.Stat;

class SchedulerProcessTest {

    private static final long START = 1_800_000_000L;
    private static final long DAY = 86_400;
    private static final EnvelopeType MTA = EnvelopeType.MTA;
    private static final EnvelopeType MDA = EnvelopeType.MDA;
    private static final EnvelopeType BOUNCE = EnvelopeType.BOUNCE;
    private static final Selection ALL = new Selection.All();

    private final AtomicLong clock = new AtomicLong(START * 1000);
    private final Harness<SchedulerProcess> harness =
            new Harness<>(
                    Role.SCHEDULER,
                    context ->
                            new SchedulerProcess(
                                    context,
                                    clock::get,
                                    new Backoff(400_000, Backoff.MAX_GAP, 0),
                                    new Backoff(10_000, Backoff.MAX_GAP, 0),
                                    600_000));
    private Harness<SchedulerProcess>.Peer queue;
    private Harness<SchedulerProcess>.Peer control;

    @BeforeEach
    void join() {
        queue = harness.peer(Role.QUEUE);
        control = harness.peer(Role.CONTROL);
        queue.expect(ReadySeen.class);
    }

    @AfterEach
    void close() {
        try {
            harness.onLoop(
                    () -> {
                        Invariants.check(harness.process().schedule(), "at the end");
                        return null;
                    });
            assertThat(harness.hasEnded()).isFalse();
        } finally {
            harness.close();
        }
    }

    // ---- words of the tests

    /** The queue has told that no agent holds anything. */
    private void open() {
        for (Agent agent : Agent.values()) {
            queue.send(0, new InFlightSnapshot(agent, List.of()));
        }
    }

    private static Evpid id(int msgid, int low) {
        return Evpid.of(new Msgid(msgid), low);
    }

    private static Plan plan(int low, EnvelopeType type) {
        return new Plan(low, type, START, 4 * DAY, 0, 0, 1000L + low, false, false);
    }

    private void ready(Origin origin, int msgid, Plan... plans) {
        queue.send(0, new MessageReady(0, new Msgid(msgid), origin, List.of(plans)));
    }

    /** Fresh mail that is dispatched at once; returns when the queue has heard of it. */
    private Evpid dispatched(int msgid, EnvelopeType type) {
        ready(Origin.NEW, msgid, new Plan(1, type, START, 4 * DAY, 0, 0, msgid, false, false));
        assertThat(queue.get(Dispatch.class).evpids()).containsExactly(id(msgid, 1));
        return id(msgid, 1);
    }

    private void later(long seconds) {
        clock.addAndGet(seconds * 1000);
        queue.send(0, new DueNow(List.of())); // any event makes a turn
    }

    private void retry(Evpid evpid, int count) {
        queue.send(0, new Retry(List.of(new RetryRow(evpid, count, 0))));
    }

    private void done(Evpid evpid) {
        queue.send(0, new Done(List.of(new DoneRow(evpid, Result.OK))));
    }

    private int size() {
        return harness.onLoop(() -> harness.process().schedule().table().size());
    }

    private int inFlight() {
        return harness.onLoop(() -> harness.process().schedule().inFlight());
    }

    private long stat(Stat stat) {
        return harness.onLoop(() -> harness.process().statistics().get(stat));
    }

    /**
     * Waits until all that was sent has been worked off, then checks that the queue heard nothing.
     */
    private void silence() {
        ask(new ControlToScheduler.ListMessages(Msgid.NONE, 1));
        control.expect(MessageIds.class);
        control.expect(ControlDone.class);
        ask(new ControlToScheduler.Schedule(new Selection.OneEnvelope(id(-1, -1)), 0));
        control.expect(ControlDone.class);
        assertThat(queue.drain()).isEmpty();
    }

    private void ask(Message message) {
        control.sendFor(7, 99, message);
    }

    private ControlDone answer() {
        Harness.Received r = control.expect(ControlDone.class);
        assertThat(r.frame().peer()).isEqualTo(7);
        assertThat(r.frame().id()).isEqualTo(99);
        return (ControlDone) r.message();
    }

    // ---- the ordinary way

    @Test
    void freshMailIsDispatchedAtOnceAndDoneForgetsIt() {
        open();
        ready(Origin.NEW, 5, plan(1, MTA), plan(2, MTA), plan(3, MDA));
        Map<Agent, List<Evpid>> heard = new HashMap<>();
        for (int i = 0; i < 2; i++) {
            Dispatch d = queue.get(Dispatch.class);
            heard.put(d.agent(), d.evpids());
        }
        assertThat(heard.get(Agent.MTA)).containsExactly(id(5, 1), id(5, 2));
        assertThat(heard.get(Agent.MDA)).containsExactly(id(5, 3));
        queue.send(
                0,
                new Done(
                        List.of(
                                new DoneRow(id(5, 1), Result.OK),
                                new DoneRow(id(5, 2), Result.FAIL),
                                new DoneRow(id(5, 3), Result.LOOP))));
        await().until(() -> size() == 0);
        assertThat(inFlight()).isZero();
        assertThat(stat(Stat.SCHEDULER_DELIVERY_OK)).isOne();
        assertThat(stat(Stat.SCHEDULER_DELIVERY_PERMFAIL)).isOne();
        assertThat(stat(Stat.SCHEDULER_DELIVERY_LOOP)).isOne();
    }

    @Test
    void aDeferralIsTriedAgainByAgeNotByTheLastTry() {
        open();
        Evpid e = dispatched(5, MTA);
        later(100);
        retry(e, 1);
        later(299);
        silence();
        later(1);
        assertThat(queue.get(Dispatch.class).evpids()).containsExactly(e);
    }

    @Test
    void timesOfAnActionHoldForItsRoute() {
        open();
        queue.send(0, new RouteTimes(5, 30, 3600, 0));
        Evpid e = dispatched(5, MTA);
        retry(e, 1);
        later(29);
        silence();
        later(1);
        assertThat(queue.get(Dispatch.class).evpids()).containsExactly(e);
    }

    @Test
    void anUnreadableEnvelopeIsAskedForAgainWithoutACountedTry() {
        open();
        Evpid e = dispatched(5, MDA);
        queue.send(0, new LocalDelay(e, 30));
        await().until(() -> inFlight() == 0);
        later(29);
        silence();
        later(1);
        queue.expect(Dispatch.class);
        assertThat(
                        harness.onLoop(
                                () -> {
                                    EnvelopeTable t = harness.process().schedule().table();
                                    return t.retry(t.find(e.value()));
                                }))
                .isZero();
    }

    @Test
    void expiryWinsOverATryThatIsDueToo() {
        open();
        ready(Origin.LOADED, 5, new Plan(1, MTA, START - 5 * DAY, 4 * DAY, 3, 0, 1, false, false));
        assertThat(queue.get(Expire.class).evpids()).containsExactly(id(5, 1));
        queue.send(0, new Gone(List.of(id(5, 1))));
        await().until(() -> size() == 0);
        assertThat(stat(Stat.SCHEDULER_ENVELOPE_EXPIRED)).isOne();
    }

    @Test
    void aRowJudgedOnReturnLeavesAtItsExpiryNotAtItsNextTry() {
        open();
        ready(Origin.NEW, 5, new Plan(1, MTA, START, 300, 0, 0, 1, false, false));
        queue.expect(Dispatch.class);
        retry(id(5, 1), 1); // next try after 400 s
        later(299);
        silence();
        later(1);
        queue.expect(Expire.class);
    }

    // ---- batches

    @Test
    void noKindStarvesAnother() {
        pauseAtBirth();
        int each = 1000;
        for (int i = 0; i < each; i++) {
            ready(
                    Origin.NEW,
                    i + 1,
                    new Plan(1, MTA, START, 4 * DAY, 0, 0, i, false, false),
                    plan(2, MDA),
                    plan(3, BOUNCE),
                    new Plan(4, MTA, START - DAY, 10, 1, 0, 1, false, false));
        }
        await().until(() -> size() == 4 * each);
        harness.onLoop(
                () -> {
                    Schedule s = harness.process().schedule();
                    Batches batches = new Batches(s);
                    s.due(START, 100_000);
                    int all = (1 << Kind.COUNT) - 1;
                    for (int turn = 0; turn < 100; turn++) {
                        batches.pick(all, START);
                        for (Kind kind : List.of(Kind.MTA, Kind.MDA, Kind.BOUNCE, Kind.EXPIRED)) {
                            assertThat(batches.batch(kind).size()).isPositive();
                        }
                    }
                    return null;
                });
    }

    private void pauseAtBirth() {
        harness.parent().send(0, new ParentToChild.RunState(false, true, true, 0, 0, false));
    }

    @Test
    void aFloodOfNoticesLeavesRoomAndASingleMailPassesWithinSixBatches() {
        open();
        for (int i = 0; i < 40; i++) {
            List<Plan> plans = new ArrayList<>();
            for (int low = 0; low < 250; low++) {
                plans.add(plan(low, BOUNCE));
            }
            queue.send(0, new MessageReady(0, new Msgid(100 + i), Origin.BOUNCE, plans));
        }
        ready(Origin.NEW, 7, plan(1, MDA));
        int bounces = 0;
        int turnsAfterCommit = 0;
        boolean isSent = false;
        while (!isSent) {
            Dispatch d = queue.get(Dispatch.class);
            if (d.agent() == Agent.MDA) {
                isSent = true;
            } else {
                assertThat(d.evpids().size()).isLessThanOrEqualTo(10);
                bounces += d.evpids().size();
                turnsAfterCommit++;
            }
        }
        // Even with every notice sent before, they hold a quarter of max-inflight at most.
        assertThat(bounces).isLessThanOrEqualTo(1250);
        assertThat(turnsAfterCommit).isLessThanOrEqualTo(126);
        await().until(
                        () ->
                                harness.onLoop(
                                                () ->
                                                        harness.process()
                                                                .schedule()
                                                                .flight(BOUNCE.ordinal())
                                                                .size())
                                        == 1250);
    }

    @Test
    void aSlowRouteKeepsItsRowsBackAndOthersPass() {
        open();
        for (int i = 0; i < 3; i++) {
            List<Plan> plans = new ArrayList<>();
            for (int low = 0; low < 100; low++) {
                plans.add(new Plan(low, MTA, START, 4 * DAY, 0, 0, 42, false, false));
            }
            queue.send(0, new MessageReady(0, new Msgid(10 + i), Origin.NEW, plans));
        }
        List<Evpid> out = new ArrayList<>();
        while (out.size() < 100) {
            out.addAll(queue.get(Dispatch.class).evpids());
        }
        ready(Origin.NEW, 99, new Plan(1, MTA, START, 4 * DAY, 0, 0, 43, false, false));
        assertThat(queue.get(Dispatch.class).evpids()).containsExactly(id(99, 1));
        done(id(99, 1));
        silence();
        // As results come, the rest follows; at the end nothing is left behind.
        int finished = 0;
        while (!out.isEmpty()) {
            List<Evpid> now = out;
            out = new ArrayList<>();
            finished += now.size();
            for (int i = 0; i < now.size(); i++) {
                done(now.get(i));
            }
            int left = 300 - finished;
            while (out.size() < Math.min(left, now.size())) {
                out.addAll(queue.get(Dispatch.class).evpids());
            }
        }
        assertThat(finished).isEqualTo(300);
        await().until(() -> size() == 0);
    }

    @Test
    void inFlightNeverPassesTheLimit() {
        open();
        for (int m = 1; m <= 30; m++) {
            List<Plan> plans = new ArrayList<>();
            for (int low = 0; low < 250; low++) {
                plans.add(plan(low, MDA));
            }
            queue.send(0, new MessageReady(0, new Msgid(m), Origin.NEW, plans));
        }
        int sent = 0;
        while (sent < 5000) {
            sent += queue.get(Dispatch.class).evpids().size();
        }
        assertThat(sent).isEqualTo(5000);
        silence();
        assertThat(inFlight()).isEqualTo(5000);
        done(id(1, 0));
        assertThat(queue.get(Dispatch.class).evpids()).hasSize(1);
    }

    // ---- hold and release

    private List<Evpid> held(int count, int key) {
        List<Evpid> all = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Evpid e = dispatched(1000 + i, MTA);
            queue.send(0, new HoldRows(Agent.MTA, 1, key, List.of(e)));
            all.add(e);
        }
        return all;
    }

    private List<Evpid> batches(int rows) {
        List<Evpid> all = new ArrayList<>();
        while (all.size() < rows) {
            all.addAll(queue.get(Dispatch.class).evpids());
        }
        return all;
    }

    @Test
    void heldRowsLeaveTheFlightAndTheOldestAreReleasedFirst() {
        open();
        List<Evpid> all = held(30, 7);
        await().until(() -> inFlight() == 0);
        queue.send(0, new ReleaseRows(Agent.MTA, 1, 7, 10));
        assertThat(batches(10)).containsExactlyInAnyOrderElementsOf(all.subList(0, 10));
        silence();
        queue.send(0, new ReleaseRows(Agent.MTA, 1, 7, 0));
        assertThat(batches(20)).containsExactlyInAnyOrderElementsOf(all.subList(10, 30));
    }

    @Test
    void releaseAsDeferredGivesTheTimeOfADeferralWithTheBaseOfTheType() {
        open();
        Evpid e = dispatched(5, MDA);
        queue.send(0, new HoldRows(Agent.MDA, 1, 7, List.of(e)));
        clock.addAndGet(15_000);
        queue.send(0, new ReleaseRows(Agent.MDA, 1, 7, -1));
        silence();
        later(24);
        silence();
        later(1); // 10 s * 2²
        assertThat(queue.get(Dispatch.class).evpids()).containsExactly(e);
    }

    @Test
    void aReleaseDoesNotCutTheRestOfAMessageWhenItIsSmall() {
        open();
        List<Plan> plans = new ArrayList<>();
        List<Evpid> evpids = new ArrayList<>();
        for (int low = 0; low < 25; low++) {
            plans.add(new Plan(low, MTA, START, 4 * DAY, 0, 0, 9, false, false));
            evpids.add(id(3, low));
        }
        queue.send(0, new MessageReady(0, new Msgid(3), Origin.NEW, plans));
        batches(25);
        queue.send(0, new HoldRows(Agent.MTA, 1, 7, evpids));
        queue.send(0, new ReleaseRows(Agent.MTA, 1, 7, 10));
        assertThat(batches(25)).containsExactlyInAnyOrderElementsOf(evpids);
    }

    @Test
    void aReleaseOfAnUnknownKeyIsCountedAndIgnored() {
        queue.send(0, new ReleaseRows(Agent.MTA, 1, 12345, 0));
        await().until(() -> stat(Stat.SCHEDULER_RELEASE_UNKNOWN) == 1);
    }

    @Test
    void aFullHoldQueueSendsTheRestBackSoon() {
        open();
        List<Evpid> all = new ArrayList<>();
        for (int m = 1; m <= 11; m++) {
            List<Plan> plans = new ArrayList<>();
            List<Evpid> ids = new ArrayList<>();
            for (int low = 0; low < 100; low++) {
                plans.add(new Plan(low, MTA, START - DAY, 4 * DAY, 0, 0, m, false, false));
                ids.add(id(m, low));
            }
            queue.send(0, new MessageReady(0, new Msgid(m), Origin.NEW, plans));
            batches(100);
            queue.send(0, new HoldRows(Agent.MTA, 1, 7, ids));
            all.addAll(ids);
        }
        await().until(() -> stat(Stat.SCHEDULER_RAMQUEUE_HOLD_OVERFLOW) == 100);
        // A day old, and yet back within a minute, not after the gap of its age.
        later(60);
        assertThat(batches(100)).containsExactlyInAnyOrderElementsOf(all.subList(1000, 1100));
    }

    @Test
    void heldRowsExpire() {
        open();
        ready(Origin.NEW, 5, new Plan(1, MTA, START, 100, 0, 0, 1, false, false));
        queue.expect(Dispatch.class);
        queue.send(0, new HoldRows(Agent.MTA, 1, 7, List.of(id(5, 1))));
        later(99);
        silence();
        later(1);
        queue.expect(Expire.class);
    }

    @Test
    void aRowRemovedInFlightAndThenHeldIsRemovedNotDelivered() {
        open();
        Evpid e = dispatched(5, MTA);
        ask(new ControlToScheduler.Remove(new Selection.OneEnvelope(e), 1001));
        assertThat(answer().text()).isEqualTo("1 in flight");
        queue.send(0, new HoldRows(Agent.MTA, 1, 7, List.of(e)));
        Discard d = queue.get(Discard.class);
        assertThat(d.evpids()).containsExactly(e);
        assertThat(d.uid()).isEqualTo(1001);
        ask(new ControlToScheduler.Remove(new Selection.OneEnvelope(e), 1001));
        assertThat(answer().count()).isZero();
    }

    // ---- deaths

    @Test
    void nothingIsSentBeforeTheQueueToldWhatTheAgentHolds() {
        ready(Origin.NEW, 5, plan(1, MTA), plan(2, MDA));
        silence();
        queue.send(0, new InFlightSnapshot(Agent.MDA, List.of()));
        assertThat(queue.get(Dispatch.class).agent()).isEqualTo(Agent.MDA);
        silence();
        queue.send(0, new InFlightSnapshot(Agent.MTA, List.of(id(5, 1))));
        silence(); // it has it already
        done(id(5, 1));
        await().until(() -> size() == 1);
    }

    @Test
    void rowsOfALostAgentReturnInOneToFiveSecondsWithTheirCountOfRetries() {
        open();
        List<Evpid> all = held(5, 7);
        for (int i = 0; i < 600; i++) {
            all.add(dispatched(5000 + i, MTA));
        }
        Evpid removed = dispatched(2, MTA);
        Evpid suspended = dispatched(3, MTA);
        Evpid local = dispatched(4, MDA);
        ask(new ControlToScheduler.Remove(new Selection.OneEnvelope(removed), 0));
        answer();
        ask(new ControlToScheduler.Suspend(new Selection.OneEnvelope(suspended), 0));
        queue.expect(MarkSuspended.class);
        answer();
        queue.send(0, new AgentLost(Agent.MTA));
        assertThat(queue.get(Discard.class).evpids()).containsExactly(removed);
        assertThat(batches(5)).containsExactlyInAnyOrderElementsOf(all.subList(0, 5));
        silence();
        await().until(() -> inFlight() == 1 + 1 + 5);
        later(5);
        assertThat(batches(600)).containsExactlyInAnyOrderElementsOf(all.subList(5, 605));
        silence();
        done(local);
        await().until(() -> stat(Stat.SCHEDULER_DELIVERY_OK) == 1);
        assertThat(
                        harness.onLoop(
                                () -> {
                                    EnvelopeTable t = harness.process().schedule().table();
                                    return t.retry(t.find(all.getLast().value()));
                                }))
                .isZero();
    }

    @Test
    void whileTheQueueIsAwayNothingIsLostAndThenOnlyWhatNobodyHoldsIsTriedAgain() {
        open();
        List<Evpid> sent = new ArrayList<>();
        for (int i = 0; i < 700; i++) {
            sent.add(dispatched(100 + i, i % 2 == 0 ? MTA : MDA));
        }
        Evpid heldOne = dispatched(2, MTA);
        queue.send(0, new HoldRows(Agent.MTA, 1, 7, List.of(heldOne)));
        Evpid removed = dispatched(3, MTA);
        retry(removed, 1);
        ask(new ControlToScheduler.Remove(new Selection.OneEnvelope(removed), 55));
        answer();
        queue.expect(Discard.class);
        ready(Origin.NEW, 4, new Plan(1, MTA, START - DAY, 10, 1, 0, 1, false, false));
        queue.expect(Expire.class);

        queue.die();
        await().until(
                        () ->
                                harness.onLoop(
                                        () -> {
                                            Schedule s = harness.process().schedule();
                                            return s.table().size() == 703;
                                        }));
        queue.rejoin();
        queue.expect(ReadySeen.class);
        silence();
        List<Evpid> kept = sent.stream().filter(e -> e.msgid().value() % 3 == 0).toList();
        for (int from = 0; from < kept.size(); from += 100) {
            List<Evpid> part = kept.subList(from, Math.min(from + 100, kept.size()));
            queue.sendMore(0, new InFlightSnapshot(Agent.MTA, only(part, 0)));
            queue.sendMore(0, new InFlightSnapshot(Agent.MDA, only(part, 1)));
        }
        silence();
        queue.send(0, new InFlightSnapshot(Agent.MTA, List.of()));
        assertThat(batches(1)).containsExactly(heldOne); // its release may have died
        silence();
        queue.send(0, new InFlightSnapshot(Agent.MDA, List.of()));
        queue.send(0, new InFlightSnapshot(Agent.BOUNCE, List.of()));
        List<Message> again = List.of(queue.next().message(), queue.next().message());
        assertThat(again)
                .containsExactlyInAnyOrder(
                        new Discard(List.of(removed), 55), new Expire(List.of(id(4, 1))));
        int stay = kept.size() + 3;
        await().until(() -> inFlight() == stay);
        later(5);
        List<Evpid> freed = sent.stream().filter(e -> e.msgid().value() % 3 != 0).toList();
        assertThat(batches(freed.size())).containsExactlyInAnyOrderElementsOf(freed);
        silence();
    }

    private static List<Evpid> only(List<Evpid> evpids, int parity) {
        return evpids.stream().filter(e -> (e.msgid().value() - 100) % 2 == parity).toList();
    }

    @Test
    void aQueueThatDiesInTheMiddleOfASnapshotStartsItAnew() {
        open();
        Evpid a = dispatched(1, MTA);
        Evpid b = dispatched(2, MTA);
        queue.die();
        queue.rejoin();
        queue.expect(ReadySeen.class);
        queue.sendMore(0, new InFlightSnapshot(Agent.MTA, List.of(a)));
        silence();
        queue.die();
        queue.rejoin();
        queue.expect(ReadySeen.class);
        queue.send(0, new InFlightSnapshot(Agent.MTA, List.of(b)));
        await().until(() -> inFlight() == 1);
        later(5);
        assertThat(batches(1)).containsExactly(a);
        silence();
    }

    @Test
    void theHighestSequenceIsToldWhenTheQueueReturns() {
        queue.send(0, new MessageReady(41, new Msgid(1), Origin.NEW, List.of(plan(1, MTA))));
        queue.sendMore(0, new MessageReady(42, new Msgid(2), Origin.NEW, List.of(plan(1, MTA))));
        assertThat(queue.get(ReadySeen.class).seq()).isEqualTo(41); // 42 is not complete
        queue.die();
        queue.rejoin();
        assertThat(queue.get(ReadySeen.class).seq()).isEqualTo(41);
    }

    @Test
    void withoutAnySnapshotBatchesBeginAfterAWhile() {
        try (Harness<SchedulerProcess> impatient =
                new Harness<>(
                        Role.SCHEDULER,
                        c -> new SchedulerProcess(c, clock::get, Backoff.MTA, Backoff.LOCAL, 50))) {
            Harness<SchedulerProcess>.Peer q = impatient.peer(Role.QUEUE);
            q.expect(ReadySeen.class);
            q.send(
                    0,
                    new MessageReady(
                            0, new Msgid(1), Origin.NEW, List.of(plan(1, EnvelopeType.MTA))));
            assertThat(q.get(Dispatch.class).agent()).isEqualTo(Agent.MTA);
        }
    }

    @Test
    void aLostControlTakesItsOperationsAlong() {
        pauseAtBirth();
        control.die();
        control.rejoin();
        ask(new ControlToScheduler.ListMessages(Msgid.NONE, 10));
        control.expect(MessageIds.class);
        answer();
    }

    // ---- results that make no sense

    @Test
    void resultsOfUnknownOrIdleRowsAreCountedAndIgnored() {
        open();
        Evpid e = dispatched(5, MTA);
        retry(e, 1);
        done(e); // not in flight any more
        done(id(77, 7));
        retry(id(77, 7), 3);
        queue.send(0, new HoldRows(Agent.MTA, 1, 7, List.of(id(77, 7))));
        queue.send(0, new Gone(List.of(id(77, 7))));
        queue.send(0, new Vanished(id(77, 7), true));
        queue.send(0, new LocalDelay(id(77, 7), 1));
        await().until(() -> stat(Stat.SCHEDULER_REPAIR) == 6);
        assertThat(size()).isOne();
    }

    @Test
    void anEnvelopeThatVanishedLeavesTheFlight() {
        open();
        Evpid e = dispatched(5, MTA);
        await().until(() -> inFlight() == 1);
        queue.send(0, new Vanished(e, true));
        await().until(() -> inFlight() == 0 && size() == 0);
    }

    @Test
    void aKnownEnvelopeIsIgnoredByRowNotByMessage() {
        open();
        dispatched(5, MTA);
        ready(Origin.FOUND, 5, plan(1, MTA), plan(2, MTA));
        assertThat(queue.get(Dispatch.class).evpids()).containsExactly(id(5, 2));
        assertThat(stat(Stat.SCHEDULER_DUPLICATE)).isOne();
    }

    // ---- warnings

    @Test
    void theSenderIsWarnedAtTheDeferralBeforeTheSilence() {
        open();
        Evpid e = dispatched(5, MTA);
        later(3 * 3600);
        retry(e, 1); // next 4 h after creation
        WarnDelayed w = queue.get(WarnDelayed.class);
        assertThat(w).isEqualTo(new WarnDelayed(e, START + 4 * 3600, 4 * 3600, 4 * DAY));
        later(3600);
        queue.expect(Dispatch.class);
        queue.send(0, new Retry(List.of(new RetryRow(e, 2, START + 4 * 3600))));
        silence(); // told once
    }

    @Test
    void bouncesAndRemovedRowsWarnNobodyNorDoesALoad() {
        open();
        Evpid bounce = dispatched(5, BOUNCE);
        Evpid removed = dispatched(6, MTA);
        ask(new ControlToScheduler.Remove(new Selection.OneEnvelope(removed), 0));
        answer();
        later(DAY);
        retry(bounce, 1);
        retry(removed, 1);
        queue.expect(Discard.class);
        ready(Origin.LOADED, 9, new Plan(1, MTA, START, 4 * DAY, 30, 0, 1, false, false));
        silence();
    }

    // ---- operators

    @Test
    void pausedAgentsGetNothingAndPausingTwiceIsFine() {
        pauseAtBirth();
        open();
        ready(Origin.NEW, 5, plan(1, MTA), plan(2, MDA), plan(3, BOUNCE));
        assertThat(queue.get(Dispatch.class).agent()).isEqualTo(Agent.BOUNCE);
        silence();
        ask(new ControlToScheduler.PauseAgent(Role.MTA));
        assertThat(answer().ok()).isTrue();
        ask(new ControlToScheduler.ResumeAgent(Role.MTA));
        assertThat(answer().ok()).isTrue();
        assertThat(queue.get(Dispatch.class).agent()).isEqualTo(Agent.MTA);
        silence();
        ask(new ControlToScheduler.PauseAgent(Role.SMTP));
        assertThat(answer().ok()).isFalse();
    }

    @Test
    void whatExpiresBehindAPausedAgentExpires() {
        pauseAtBirth();
        open();
        ready(Origin.NEW, 5, new Plan(1, MTA, START, 100, 0, 0, 1, false, false));
        silence();
        later(101);
        ask(new ControlToScheduler.ResumeAgent(Role.MTA));
        queue.expect(Expire.class);
    }

    @Test
    void suspensionIsStoredSurvivesALoadAndAMissedTryIsMadeAtResume() {
        open();
        ready(Origin.LOADED, 5, new Plan(1, MTA, START, 4 * DAY, 0, 0, 1, true, false));
        await().until(() -> size() == 1);
        silence();
        ask(new ControlToScheduler.Unsuspend(new Selection.OneMessage(new Msgid(5)), 1000));
        assertThat(queue.get(MarkSuspended.class))
                .isEqualTo(new MarkSuspended(List.of(id(5, 1)), false, 1000));
        queue.expect(Dispatch.class);
        assertThat(answer().count()).isOne();
        ask(new ControlToScheduler.Suspend(new Selection.OneMessage(new Msgid(5)), 1000));
        assertThat(queue.get(MarkSuspended.class).on()).isTrue();
        assertThat(answer().text()).isEqualTo("1 in flight");
        retry(id(5, 1), 1);
        await().until(() -> inFlight() == 0);
        later(DAY);
        silence();
        ask(new ControlToScheduler.Suspend(new Selection.OneMessage(new Msgid(5)), 1000));
        assertThat(answer().count()).isZero();
    }

    @Test
    void schedulingASuspendedRowGivesOneTry() {
        open();
        ready(Origin.LOADED, 5, new Plan(1, MTA, START, 4 * DAY, 0, 0, 1, true, false));
        await().until(() -> size() == 1);
        ask(new ControlToScheduler.Schedule(new Selection.OneEnvelope(id(5, 1)), 0));
        assertThat(answer().count()).isOne();
        queue.expect(Dispatch.class);
        retry(id(5, 1), 1);
        await().until(() -> inFlight() == 0);
        later(DAY);
        silence();
    }

    @Test
    void aReadyRowCanBeScheduledResumedAndRemovedAgain() {
        pauseAtBirth();
        open();
        ready(Origin.LOADED, 5, new Plan(1, MTA, START, 4 * DAY, 0, 0, 1, true, false));
        await().until(() -> size() == 1);
        Selection one = new Selection.OneEnvelope(id(5, 1));
        ask(new ControlToScheduler.Schedule(one, 0));
        assertThat(answer().count()).isOne();
        ask(new ControlToScheduler.Schedule(one, 0));
        assertThat(answer().count()).isOne(); // already ready: counted as done
        ask(new ControlToScheduler.Unsuspend(one, 0));
        assertThat(answer().count()).isOne();
        queue.expect(MarkSuspended.class);
        ask(new ControlToScheduler.Remove(one, 3));
        assertThat(answer().count()).isOne();
        queue.expect(Discard.class);
        ask(new ControlToScheduler.Schedule(one, 0));
        assertThat(answer().count()).isZero(); // it must not come back to life
        ask(new ControlToScheduler.Suspend(one, 0));
        assertThat(answer().count()).isZero();
        queue.send(0, new Gone(List.of(id(5, 1))));
        await().until(() -> size() == 0);
        assertThat(stat(Stat.SCHEDULER_ENVELOPE_REMOVED)).isOne();
        assertThat(stat(Stat.SCHEDULER_ENVELOPE)).isZero();
    }

    @Test
    void removeAllIsWorkedOffInTurnsAndLaterMailIsNotTouched() {
        pauseAtBirth();
        open();
        for (int i = 0; i < 40; i++) {
            List<Plan> plans = new ArrayList<>();
            for (int low = 0; low < 200; low++) {
                plans.add(plan(low, MTA));
            }
            queue.send(0, new MessageReady(0, new Msgid(100 + 1000 * i), Origin.NEW, plans));
        }
        await().until(() -> size() == 8000);
        ask(new ControlToScheduler.Remove(ALL, 0));
        ask(new ControlToScheduler.ListMessages(Msgid.NONE, 1024)); // in the order asked
        ready(Origin.NEW, 0x7fffffff, plan(1, MTA));
        ControlDone done = answer();
        assertThat(done.count()).isBetween(8000L, 8001L);
        control.expect(MessageIds.class);
        answer();
        int discarded = 0;
        while (discarded < done.count()) {
            Message m = queue.next().message();
            discarded += ((Discard) m).evpids().size();
            queue.send(0, new Gone(((Discard) m).evpids()));
        }
        await().until(() -> size() == 8001 - done.count());
    }

    @Test
    void aSuspensionIsRefusedWhileItCannotBeStored() {
        queue.die();
        ask(new ControlToScheduler.Suspend(ALL, 0));
        assertThat(answer().ok()).isFalse();
        ask(new ControlToScheduler.ListEnvelopes(new Evpid(0), 10));
        assertThat(answer().ok()).isFalse();
    }

    @Test
    void listingPagesWalkAllEnvelopesAscendingAndSkipWhatIsRemoved() {
        pauseAtBirth();
        open();
        Random random = new Random(5);
        List<Evpid> all = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            int msgid = i == 0 ? -1 : random.nextInt();
            ready(Origin.NEW, msgid, plan(1, MTA), plan(2, MTA));
            all.add(id(msgid, 1));
            all.add(id(msgid, 2));
        }
        await().until(() -> size() == 600);
        all.sort(null);
        for (int i = 0; i < 600; i += 3) {
            ask(new ControlToScheduler.Remove(new Selection.OneEnvelope(all.get(i)), 0));
            answer();
        }
        List<Evpid> expected = new ArrayList<>();
        for (int i = 0; i < 600; i++) {
            if (i % 3 != 0) {
                expected.add(all.get(i));
            }
        }
        queue.drain();
        List<Evpid> listed = new ArrayList<>();
        long from = 0;
        do {
            ask(new ControlToScheduler.ListEnvelopes(new Evpid(from), 50));
            DescribeEnvelopes page = describe();
            page.rows().forEach(r -> listed.add(r.evpid()));
            assertThat(page.rows().size()).isLessThanOrEqualTo(50);
            from = page.last() + 1;
        } while (from != 1);
        assertThat(listed).isEqualTo(expected);

        List<Msgid> messages = new ArrayList<>();
        long next = 0;
        do {
            ask(new ControlToScheduler.ListMessages(new Msgid((int) next), 100));
            messages.addAll(control.get(MessageIds.class).ids());
            next = answer().last() + 1;
        } while (next != 1); // the last msgid is 0xffffffff, and the listing ends nevertheless
        assertThat(messages).hasSize(300).isSorted();
    }

    /** The next listing; batches may come between. */
    private DescribeEnvelopes describe() {
        while (true) {
            Harness.Received r = queue.next();
            if (r.message() instanceof DescribeEnvelopes page) {
                assertThat(r.frame().peer()).isEqualTo(7);
                return page;
            }
        }
    }

    @Test
    void aListingTellsStateTimeRetriesAndHoldKey() {
        open();
        Evpid inFlight = dispatched(1, MTA);
        Evpid pending = dispatched(2, MTA);
        retry(pending, 2);
        Evpid held = dispatched(3, MTA);
        clock.addAndGet(10_000);
        queue.send(0, new HoldRows(Agent.MTA, 4, 0xabcL, List.of(held)));
        ask(new ControlToScheduler.Suspend(new Selection.OneEnvelope(pending), 0));
        answer();
        ask(new ControlToScheduler.ListEnvelopes(new Evpid(0), 256));
        DescribeEnvelopes page = describe();
        assertThat(page.last()).isZero();
        assertThat(page.rows())
                .containsExactly(
                        new DescribeRow(inFlight, EnvelopeState.IN_FLIGHT, START, 0, 0),
                        new DescribeRow(
                                pending,
                                EnvelopeState.PENDING | EnvelopeState.SUSPENDED,
                                START + 1600,
                                2,
                                0),
                        new DescribeRow(
                                held,
                                EnvelopeState.PENDING | EnvelopeState.HELD,
                                START + 10,
                                0,
                                0xabcL));
        ask(new ControlToScheduler.ShowHolds());
        assertThat(control.get(ShowRow.class).fields())
                .containsExactly("0000000000000abc", "mta", "4", "1", Long.toString(START + 10));
        assertThat(answer().count()).isOne();
    }

    // ---- loading

    @Test
    void aHundredThousandAreLoadedWhileNewMailFlows() {
        open();
        queue.send(0, new LoadProgress(LoadPhase.BEGIN, 0));
        Random random = new Random(1);
        int fresh = 0;
        for (int i = 0; i < 1000; i++) {
            List<Plan> plans = new ArrayList<>();
            for (int low = 0; low < 100; low++) {
                // Deferred mail whose next try is some hours away.
                plans.add(
                        new Plan(
                                low, MTA, START, 4 * DAY, 5, 0, random.nextInt(500), false, false));
            }
            queue.send(0, new MessageReady(0, new Msgid(random.nextInt()), Origin.LOADED, plans));
            if (i % 100 == 50) {
                ready(Origin.NEW, 1 + fresh++, plan(1, MDA));
            }
        }
        queue.send(0, new LoadProgress(LoadPhase.END, 100_000));
        for (int i = 0; i < fresh; i++) {
            done(queue.get(Dispatch.class).evpids().getFirst());
        }
        await().until(() -> size() == 100_000);
        assertThat(stat(Stat.SCHEDULER_LOADED)).isEqualTo(100_000);
        assertThat(stat(Stat.SCHEDULER_TURN_COUNT)).isGreaterThan(90);
    }

    @Test
    void overdueRetriesAreSpreadAfterARestartAndFreshOnesAreNot() {
        open();
        List<Plan> plans = new ArrayList<>();
        for (int low = 0; low < 100; low++) {
            plans.add(new Plan(low, MTA, START - DAY, 4 * DAY, 1, 0, low, false, false));
        }
        plans.add(new Plan(1000, MTA, START - DAY, 4 * DAY, 0, 0, 1000, false, false));
        queue.send(0, new MessageReady(0, new Msgid(8), Origin.LOADED, plans));
        assertThat(batches(1)).contains(id(8, 1000));
        await().until(() -> stat(Stat.SCHEDULER_SPREAD) == 100);
        assertThat(inFlight()).isLessThan(20);
        later(60);
        await().until(() -> inFlight() == 101);
    }

    @Test
    void aResultForARowStillInTheLineOfLoadedMailIsNotLost() {
        open();
        List<Plan> plans = new ArrayList<>();
        for (int low = 0; low < 256; low++) {
            plans.add(new Plan(low, MTA, START, 4 * DAY, 5, 0, low, false, low == 200));
        }
        for (int m = 1; m <= 30; m++) {
            queue.send(0, new MessageReady(0, new Msgid(m), Origin.LOADED, plans));
        }
        done(id(30, 200));
        retry(id(29, 200), 9);
        queue.send(0, new Vanished(id(28, 200), true));
        queue.send(0, new HoldRows(Agent.MTA, 1, 5, List.of(id(27, 200))));
        await().until(() -> size() == 30 * 256 - 2);
        await().until(() -> inFlight() == 30 - 4);
        assertThat(stat(Stat.SCHEDULER_REPAIR)).isZero();
    }

    @Test
    void whatAnAgentHoldsEntersAsInFlightWhenItIsLoadedLater() {
        queue.send(0, new LoadProgress(LoadPhase.BEGIN, 0));
        queue.send(0, new InFlightSnapshot(Agent.MTA, List.of(id(5, 1), id(6, 1))));
        queue.send(0, new InFlightSnapshot(Agent.MDA, List.of()));
        queue.send(0, new InFlightSnapshot(Agent.BOUNCE, List.of()));
        ready(Origin.LOADED, 5, plan(1, MTA), plan(2, MTA));
        queue.send(0, new LoadProgress(LoadPhase.END, 2));
        assertThat(batches(1)).containsExactly(id(5, 2));
        silence();
        await().until(() -> inFlight() == 2);
        done(id(5, 1));
        await().until(() -> size() == 1);
    }
}
