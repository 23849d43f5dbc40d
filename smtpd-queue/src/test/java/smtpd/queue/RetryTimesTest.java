package smtpd.queue;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import smtpd.conf.Config;
import smtpd.conf.Retry;
import smtpd.envelope.EnvelopeBuilder;
import smtpd.envelope.EnvelopeType;
import smtpd.imsg.Message;
import smtpd.imsg.QueueToScheduler.LoadPhase;
import smtpd.imsg.QueueToScheduler.LoadProgress;
import smtpd.imsg.QueueToScheduler.MessageReady;
import smtpd.imsg.QueueToScheduler.Plan;
import smtpd.imsg.QueueToScheduler.RouteTimes;

/** The scheduler hears the retry times of an action before the first mail of its route. */
final class RetryTimesTest {

    private static final byte[] MAIL = QueueRig.bytes("Subject: x\n\nhello\n");

    private Config config;
    private List<String> actions;

    @TempDir Path root;
    private QueueRig rig;

    @BeforeEach
    void start() throws Exception {
        config =
                QueueRig.configuration(
                        """
                        accept for domain slow.example.org relay retry base 1m max 1h jitter 0
                        accept for domain some.example.org relay retry max 2h
                        accept for any relay
                        """);
        actions = List.copyOf(config.actions().keySet());
        rig = new QueueRig(QueueRig.fs(root), 1, config);
        rig.meet();
    }

    @AfterEach
    void stop() {
        rig.close();
    }

    private EnvelopeBuilder mail(int rule, String to) {
        return QueueRig.relayed(to).action(actions.get(rule));
    }

    /** Stores mail; what the scheduler hears, up to its announcement. */
    private List<Message> heard(EnvelopeBuilder mail) {
        long sid = rig.sid();
        assertThat(rig.rcpt(sid, 0, mail.build()).outcome().isOk()).isTrue();
        assertThat(rig.commit(sid, QueueRig.inline(MAIL, 1)).outcome().isOk()).isTrue();
        List<Message> all = new ArrayList<>();
        do {
            all.add(rig.scheduler.next().message());
        } while (!(all.getLast() instanceof MessageReady));
        return all;
    }

    private static long key(Message ready) {
        return ((MessageReady) ready).plans().getFirst().routeKey();
    }

    @Test
    void timesOfAnActionPrecedeTheFirstMailOfItsRouteOnly() {
        List<Message> first = heard(mail(0, "a@slow.example.org"));
        assertThat(first).hasSize(2);
        assertThat(first.getFirst()).isEqualTo(new RouteTimes(key(first.getLast()), 60, 3600, 0));
        List<Message> second = heard(mail(0, "b@slow.example.org"));
        assertThat(second).hasSize(1);
        assertThat(key(second.getLast())).isEqualTo(key(first.getLast()));
    }

    @Test
    void whatTheActionDoesNotSayIsLeftToTheScheduler() {
        List<Message> some = heard(mail(1, "a@some.example.org"));
        assertThat(some.getFirst()).isEqualTo(new RouteTimes(key(some.getLast()), 0, 7200, -1));
    }

    @Test
    void anActionWithoutTimesSendsNoneAndSharesNoRouteWithOneThatHasSome() {
        List<Message> own = heard(mail(0, "a@example.com"));
        List<Message> plain = heard(mail(2, "a@example.com"));
        assertThat(plain).hasSize(1);
        assertThat(key(plain.getLast())).isNotEqualTo(key(own.getLast()));
        assertThat(heard(mail(2, "b@example.net"))).hasSize(1);
    }

    @Test
    void anotherSchedulerHearsTheTimesAgainOnce() {
        List<Message> before = heard(mail(0, "a@slow.example.org"));
        heard(mail(0, "b@slow.example.org"));
        rig.scheduler.die();
        rig.scheduler.rejoin();
        List<Message> loaded = new ArrayList<>();
        while (true) {
            Message m = rig.scheduler.next().message();
            if (m instanceof LoadProgress p && p.phase() == LoadPhase.END) {
                break;
            }
            if (m instanceof RouteTimes || m instanceof MessageReady) {
                loaded.add(m);
            }
        }
        assertThat(loaded).hasSize(3);
        assertThat(loaded.getFirst()).isEqualTo(before.getFirst());
        assertThat(loaded.get(1)).isInstanceOf(MessageReady.class);
        assertThat(heard(mail(0, "c@slow.example.org"))).hasSize(1);
    }

    @Test
    void moreRoutesThanAreRememberedAreToldAgainAndHoldNoMoreMemory() {
        RetryTimes times = new RetryTimes(config.actions());
        Retry retry = config.actions().get(actions.getFirst()).retry();
        List<RouteTimes> told = new ArrayList<>();
        for (int round = 0; round < 2; round++) {
            for (long key = 0; key <= RetryTimes.MAX_ROUTES; key++) {
                times.note(key, retry);
                times.unheard(List.of(plan(key)), told::add);
                times.unheard(List.of(plan(key)), told::add);
            }
        }
        assertThat(told).hasSize(2 * (RetryTimes.MAX_ROUTES + 1));
        assertThat(times.size()).isEqualTo(RetryTimes.MAX_ROUTES);
    }

    private static Plan plan(long key) {
        return new Plan(1, EnvelopeType.MTA, 0, 60, 0, 0, key, false, false);
    }
}
