package smtpd.mda.deliver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which thread writes whose mail, without any change of identity: rights are our own. */
final class WritersTest {

    private static final int BOB = 1000;
    private static final int EVE = 1001;
    private static final long PATIENCE = 20_000_000_000L;

    @TempDir Path dir;
    private Writers writers = new Writers(new Rights.OfUser(BOB), 4);

    @BeforeAll
    static void classesAreLoadedBeforeAThreadIsConfined() {
        Warmup.run();
    }

    @AfterEach
    void everyThreadEnds() {
        writers.close();
        await().until(() -> writers.threads() == 0);
    }

    /** Says which thread wrote it, once the gate is open. */
    private static final class Probe implements Backend {
        private final Verdict verdict;
        private final CountDownLatch begun = new CountDownLatch(1);
        private final CountDownLatch gate = new CountDownLatch(1);
        private volatile Thread thread;
        private volatile boolean together;

        Probe(Verdict verdict, boolean isOpen) {
            this.verdict = verdict;
            if (isOpen) {
                gate.countDown();
            }
        }

        static Probe open() {
            return new Probe(Verdict.OK, true);
        }

        static Probe closed() {
            return new Probe(Verdict.OK, false);
        }

        @Override
        public void start(Desk desk) {
            thread = Thread.currentThread();
            together = desk.isSeveral();
            begun.countDown();
        }

        @Override
        public Verdict finish(Desk desk) {
            try {
                gate.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            return verdict;
        }
    }

    private Account account(int uid) {
        return new Account("u" + uid, uid, uid, dir.toString());
    }

    private BlockingQueue<Deliverer.Ended> submit(int uid, Backend backend) {
        return submit(uid, backend, PATIENCE);
    }

    private BlockingQueue<Deliverer.Ended> submit(int uid, Backend backend, long nanos) {
        BlockingQueue<Deliverer.Ended> told = new ArrayBlockingQueue<>(2);
        Reach reach = Reach.of(dir.toString());
        long deadline = System.nanoTime() + nanos;
        writers.submit(new Write(account(uid), reach, backend, deadline, told::add));
        return told;
    }

    private static Verdict verdict(BlockingQueue<Deliverer.Ended> told)
            throws InterruptedException {
        return ended(told).verdict();
    }

    private static Deliverer.Ended ended(BlockingQueue<Deliverer.Ended> told)
            throws InterruptedException {
        Deliverer.Ended ended = told.poll(20, TimeUnit.SECONDS);
        assertThat(ended).isNotNull();
        return ended;
    }

    @Test
    void theNextMailOfAUserTakesHisThreadAndAnotherUsersDoesNot() throws Exception {
        Probe first = Probe.open();
        Probe second = Probe.open();
        Probe others = Probe.open();
        verdict(submit(BOB, first));
        verdict(submit(BOB, second));
        verdict(submit(EVE, others)); // same home, same rights of the test: but another uid
        assertThat(second.thread).isSameAs(first.thread);
        assertThat(others.thread).isNotSameAs(first.thread);
        assertThat(others.thread.getName()).isEqualTo("dlv-u1001");
    }

    @Test
    void anotherReachIsAnotherThread() throws Exception {
        Probe first = Probe.open();
        Probe second = Probe.open();
        verdict(submit(BOB, first));
        BlockingQueue<Deliverer.Ended> told = new ArrayBlockingQueue<>(1);
        long deadline = System.nanoTime() + PATIENCE;
        writers.submit(new Write(account(BOB), Reach.NOTHING, second, deadline, told::add));
        verdict(told);
        assertThat(second.thread).isNotSameAs(first.thread);
    }

    @Test
    void mailsThatWaitAreWrittenTogether() throws Exception {
        writers.close();
        writers = new Writers(new Rights.OfUser(BOB), 1);
        Probe first = Probe.closed();
        List<Probe> rest = List.of(Probe.open(), Probe.open(), Probe.open());
        var told = submit(BOB, first);
        List<BlockingQueue<Deliverer.Ended>> later = new ArrayList<>();
        for (Probe probe : rest) {
            later.add(submit(BOB, probe));
        }
        first.begun.await();
        first.gate.countDown();
        assertThat(verdict(told)).isEqualTo(Verdict.OK);
        for (var one : later) {
            assertThat(verdict(one)).isEqualTo(Verdict.OK);
        }
        assertThat(first.together).isFalse();
        assertThat(rest).allMatch(probe -> probe.together && probe.thread == first.thread);
    }

    @Test
    void aFailureEndsTheThread() throws Exception {
        Probe first = new Probe(Verdict.temporary("4.3.0", "no"), true);
        Probe second = Probe.open();
        assertThat(verdict(submit(BOB, first)).text()).isEqualTo("no");
        assertThat(verdict(submit(BOB, second))).isEqualTo(Verdict.OK);
        assertThat(second.thread).isNotSameAs(first.thread);
    }

    @Test
    void aThreadWithoutMailEndsSoon() throws Exception {
        Probe probe = Probe.open();
        verdict(submit(BOB, probe));
        await().until(() -> !probe.thread.isAlive());
        assertThat(writers.threads()).isZero();
    }

    @Test
    void noMoreThanAllowedWriteAtOnceAndNobodyStarves() throws Exception {
        writers.close();
        writers = new Writers(new Rights.OfUser(BOB), 2);
        AtomicInteger now = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        Backend counting =
                new Backend() {
                    @Override
                    public void start(Desk desk) {
                        if (!desk.isSeveral()) {
                            most.accumulateAndGet(now.incrementAndGet(), Math::max);
                            now.decrementAndGet();
                        }
                    }

                    @Override
                    public Verdict finish(Desk desk) {
                        return Verdict.OK;
                    }
                };
        List<BlockingQueue<Deliverer.Ended>> all = Collections.synchronizedList(new ArrayList<>());
        for (int mail = 0; mail < 200; mail++) {
            for (int uid = BOB; uid < BOB + 5; uid++) {
                all.add(submit(uid, counting));
            }
        }
        for (var told : all) {
            assertThat(verdict(told)).isEqualTo(Verdict.OK);
        }
        assertThat(most.get()).isBetween(1, 2);
    }

    @Test
    void aBusyUserGivesWayToOneThatWaits() throws Exception {
        writers.close();
        writers = new Writers(new Rights.OfUser(BOB), 1);
        Probe first = Probe.closed();
        var told = submit(BOB, first);
        first.begun.await();
        var eve = submit(EVE, Probe.open());
        Probe late = Probe.closed();
        var bob = submit(BOB, late);
        first.gate.countDown();
        verdict(told);
        assertThat(verdict(eve)).isEqualTo(Verdict.OK); // though bob's thread had more to do
        late.gate.countDown();
        assertThat(verdict(bob)).isEqualTo(Verdict.OK);
    }

    @Test
    void aHangingFileSystemLeavesItsThreadBehindAndIsTemporary() throws Exception {
        writers.close();
        writers = new Writers(new Rights.OfUser(BOB), 1);
        Probe hanging = Probe.closed();
        var told = submit(BOB, hanging, 1);
        hanging.begun.await();
        Deliverer.Ended ended = ended(told);
        assertThat(ended.verdict().text()).isEqualTo("delivery timed out");
        assertThat(ended.stuck()).isSameAs(hanging.thread);
        // its place is free for others, and nobody gets this thread again
        assertThat(verdict(submit(EVE, Probe.open()))).isEqualTo(Verdict.OK);
        hanging.gate.countDown();
        await().until(() -> !hanging.thread.isAlive());
        assertThat(told).isEmpty(); // a late success is not told
    }

    @Test
    void mailThatWaitsTooLongForAThreadIsTemporaryWithoutOne() throws Exception {
        writers.close();
        writers = new Writers(new Rights.OfUser(BOB), 1);
        Probe busy = Probe.closed();
        var first = submit(BOB, busy);
        busy.begun.await();
        Deliverer.Ended ended = ended(submit(EVE, Probe.open(), 1));
        assertThat(ended.verdict().text()).isEqualTo("delivery timed out");
        assertThat(ended.stuck()).isNull();
        busy.gate.countDown();
        assertThat(verdict(first)).isEqualTo(Verdict.OK);
    }

    @Test
    void aDefectIsTemporaryAndSpoilsNoOtherMail() throws Exception {
        Backend broken =
                _ -> {
                    throw new IllegalStateException("made by a test");
                };
        assertThat(verdict(submit(BOB, broken)).text()).isEqualTo("delivery broke off");
        assertThat(verdict(submit(BOB, Probe.open()))).isEqualTo(Verdict.OK);
    }

    @Test
    void manyRestingThreadsAreNotKept() throws Exception {
        BlockingQueue<Thread> seen = new LinkedBlockingQueue<>();
        for (int uid = BOB; uid < BOB + 100; uid++) {
            Probe probe = Probe.open();
            verdict(submit(uid, probe));
            seen.add(probe.thread);
        }
        await().until(() -> writers.threads() <= 32);
        assertThat(seen).hasSize(100);
    }
}
