package smtpd.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

class BackoffTest {

    private static final long DAY = 86_400;

    private final Backoff mta = new Backoff(400_000, Backoff.MAX_GAP, 0);

    @Test
    void theStepsForOtherHostsAreThoseOfTheTable() {
        String[] expected = {
            "0:00:00",
            "0:06:40",
            "0:26:40",
            "1:00:00",
            "1:46:40",
            "2:46:40",
            "4:00:00",
            "5:26:40",
            "7:06:40",
            "9:00:00",
            "11:06:40",
            "13:26:40",
            "16:00:00",
            "18:46:40",
            "21:46:40",
            "25:00:00"
        };
        for (int retry = 0; retry < expected.length; retry++) {
            String[] hms = expected[retry].split(":", -1);
            long seconds =
                    Long.parseLong(hms[0]) * 3600
                            + Long.parseLong(hms[1]) * 60
                            + Long.parseLong(hms[2]);
            assertThat(mta.first(1, 2, 1000, retry)).isEqualTo(1000 + seconds);
        }
    }

    @Test
    void fourDaysHoldTheStepsTheOriginalsHad() {
        Backoff uncapped = new Backoff(400_000, 7 * DAY * 1000, 0);
        long last = 0;
        int steps = 0;
        for (int retry = 1; uncapped.first(1, 1, 0, retry) < 4 * DAY; retry++) {
            last = uncapped.first(1, 1, 0, retry);
            steps++;
        }
        assertThat(steps).isEqualTo(29);
        assertThat(last).isEqualTo(3 * DAY + 21 * 3600 + 26 * 60 + 40);
    }

    @Test
    void theGapIsCappedFromStep27On() {
        for (int retry = 0; retry < 200; retry++) {
            long gap = mta.first(1, 1, 0, retry + 1) - mta.first(1, 1, 0, retry);
            assertThat(gap).isEqualTo(retry < 27 ? 400L * (2 * retry + 1) : 6 * 3600);
        }
    }

    @Test
    void aLocalTryComesAfterTenSeconds() {
        Backoff local = new Backoff(10_000, Backoff.MAX_GAP, 0);
        assertThat(local.next(1, 1, 500, 1, 501)).isEqualTo(510);
        assertThat(local.next(1, 1, 500, 2, 511)).isEqualTo(540);
    }

    @Test
    void retryZeroIsAtOnceEvenWhenOld() {
        assertThat(mta.first(1, 1, 1000, 0)).isEqualTo(1000);
    }

    @Test
    void anOverdueStepAtInsertStaysOverdue() {
        assertThat(mta.first(1, 1, 1000, 3)).isEqualTo(1000 + 3600);
    }

    @Test
    void nextIsTheFirstStepInTheFutureWhateverTheLoopWouldCost() {
        long seed = Long.getLong("seed", 1);
        Random random = new Random(seed);
        for (int i = 0; i < 20_000; i++) {
            Backoff b =
                    new Backoff(
                            1000L * (1 + random.nextInt(3600)),
                            1000L * random.nextInt((int) (7 * DAY)),
                            random.nextInt(51));
            int msgid = random.nextInt();
            long route = random.nextLong();
            long ctime = 1_700_000_000L;
            int retry = random.nextInt(20);
            long now = ctime + random.nextInt((int) (5 * DAY));
            int step = retry;
            while (b.first(msgid, route, ctime, step) <= now) {
                step++;
            }
            assertThat(b.next(msgid, route, ctime, retry, now))
                    .as("seed %d, round %d: %s retry %d", seed, i, b, retry)
                    .isEqualTo(b.first(msgid, route, ctime, step));
        }
    }

    @Test
    void aClockSetBackDoesNotPushMailIntoTheFuture() {
        assertThat(mta.next(1, 1, 10_000, 1, 5_000)).isEqualTo(5_400);
    }

    @Test
    void jitterIsTheSameForAllRecipientsOfOneMessageOnOneRouteAndTimesOnlyGrow() {
        Backoff jittered = Backoff.MTA;
        boolean differs = false;
        for (int msgid = 1; msgid < 1000; msgid++) {
            long before = 0;
            for (int retry = 0; retry < 40; retry++) {
                long time = jittered.first(msgid, 77, 0, retry);
                assertThat(time).isEqualTo(jittered.first(msgid, 77, 0, retry));
                assertThat(time).isGreaterThanOrEqualTo(before);
                before = time;
            }
            long first = jittered.first(msgid, 77, 0, 1);
            assertThat(first).isBetween(360L, 440L);
            differs |= first != jittered.first(msgid, 78, 0, 1);
        }
        assertThat(differs).isTrue();
    }

    @Test
    void absurdCountsAndAgesStayInRange() {
        Backoff longest = new Backoff(3_600_000, 7 * DAY * 1000, 50);
        long now = 1_700_000_000L;
        assertThat(longest.next(1, 1, 0, 65_535, now)).isGreaterThan(now);
        assertThat(mta.next(1, 1, 0, 65_535, now)).isGreaterThan(now);
        assertThat(mta.next(1, 1, 0, 1, now)).isBetween(now + 1, now + 6 * 3600);
    }
}
