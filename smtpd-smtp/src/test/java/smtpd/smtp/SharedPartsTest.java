package smtpd.smtp;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import smtpd.imsg.SocketAddr;

/** What all sessions of a loop share: deadlines, and counts by source. */
class SharedPartsTest {

    private static final class Deadline extends TimerWheel.Timed {
        int expired;

        @Override
        void expired() {
            expired++;
        }
    }

    @Test
    void deadlineCanBeMovedBothWaysAndComesOnce() {
        TimerWheel wheel = new TimerWheel();
        Deadline deadline = new Deadline();
        wheel.arm(deadline, 300);
        ticks(wheel, 299);
        wheel.arm(deadline, 300);
        ticks(wheel, 299);
        assertThat(deadline.expired).isZero();
        wheel.arm(deadline, 5);
        ticks(wheel, 4);
        assertThat(deadline.expired).isZero();
        ticks(wheel, 1);
        assertThat(deadline.expired).isEqualTo(1);
        ticks(wheel, 2000);
        assertThat(deadline.expired).isEqualTo(1);
        wheel.arm(deadline, 1500);
        ticks(wheel, 1499);
        assertThat(deadline.expired).isEqualTo(1);
        ticks(wheel, 1);
        assertThat(deadline.expired).isEqualTo(2);
        wheel.arm(deadline, 2);
        wheel.forget(deadline);
        ticks(wheel, 1000);
        assertThat(deadline.expired).isEqualTo(2);
    }

    @Test
    void everyDeadlineComesAtItsSecond() {
        long seed = Long.getLong("seed", 1);
        Random random = new Random(seed);
        TimerWheel wheel = new TimerWheel();
        List<Deadline> all = new ArrayList<>();
        long[] due = new long[500];
        for (int i = 0; i < due.length; i++) {
            all.add(new Deadline());
            due[i] = Long.MAX_VALUE;
        }
        int[] expected = new int[due.length];
        for (long now = 0; now < 3000; now++) {
            for (int n = random.nextInt(20); n > 0; n--) {
                int i = random.nextInt(due.length);
                int seconds = 1 + random.nextInt(700);
                wheel.arm(all.get(i), seconds);
                due[i] = now + seconds;
            }
            wheel.tick();
            for (int i = 0; i < due.length; i++) {
                if (due[i] == now + 1) {
                    expected[i]++;
                    due[i] = Long.MAX_VALUE;
                }
                assertThat(all.get(i).expired)
                        .as("seed %d at %d", seed, now)
                        .isEqualTo(expected[i]);
            }
        }
    }

    private static void ticks(TimerWheel wheel, int count) {
        for (int i = 0; i < count; i++) {
            wheel.tick();
        }
    }

    @Test
    void sessionsAreCountedByAddressAndByPrefix() throws Exception {
        SourceCounts counts = new SourceCounts();
        SocketAddr four = SocketAddr.of(InetAddress.getByName("192.0.2.1"), 25);
        SocketAddr six = SocketAddr.of(InetAddress.getByName("2001:db8:0:1::1"), 25);
        SocketAddr neighbour = SocketAddr.of(InetAddress.getByName("2001:db8:0:1:ffff::9"), 26);
        SocketAddr stranger = SocketAddr.of(InetAddress.getByName("2001:db8:0:2::1"), 25);
        assertThat(counts.enter(four, 2)).isTrue();
        assertThat(counts.enter(four, 2)).isTrue();
        assertThat(counts.enter(four, 2)).isFalse();
        assertThat(counts.enter(four, 0)).isTrue();
        assertThat(counts.enter(six, 1)).isTrue();
        assertThat(counts.enter(neighbour, 1)).isFalse();
        assertThat(counts.enter(stranger, 1)).isTrue();
        counts.leave(six);
        assertThat(counts.enter(neighbour, 1)).isTrue();
        counts.leave(neighbour);
        counts.leave(stranger);
        for (int i = 0; i < 3; i++) {
            counts.leave(four);
        }
        assertThat(counts.size()).isZero();
    }
}
