package smtpd.mta.route;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import org.junit.jupiter.api.Test;

class RouteTest {

    private static final int MAX = 5;
    private long now = 1_000_000;
    private final Route route =
            new Route(1, new Source(null), new Host(InetAddress.ofLiteral("192.0.2.25")));

    private void accepted(int times) {
        for (int i = 0; i < times; i++) {
            route.accepted(MAX, now);
        }
    }

    @Test
    void windowStartsAtOneIsTwoWhenReadyAndGrowsWithEachMail() {
        assertThat(route.allowed(MAX, true)).isEqualTo(1);
        route.becameReady();
        assertThat(route.window()).isEqualTo(2);
        accepted(2);
        assertThat(route.window()).isEqualTo(4);
        accepted(10);
        assertThat(route.window()).isEqualTo(MAX);
        assertThat(route.allowed(3, true)).isEqualTo(3);
        assertThat(route.allowed(20, false)).isEqualTo(20);
    }

    @Test
    void windowIsHalvedOnceInTenSecondsAndGrowsAgainAfterAMinute() {
        route.becameReady();
        accepted(10);
        assertThat(route.halve(now)).isTrue();
        assertThat(route.window()).isEqualTo(2);
        now += 9_999;
        assertThat(route.halve(now)).isFalse();
        accepted(5);
        assertThat(route.window()).isEqualTo(2);
        now += 1;
        assertThat(route.halve(now)).isTrue();
        assertThat(route.window()).isEqualTo(1);
        now += 10_000;
        route.halve(now);
        assertThat(route.window()).isEqualTo(1);
        now += 59_999;
        accepted(1);
        assertThat(route.window()).isEqualTo(1);
        now += 1;
        accepted(1);
        assertThat(route.window()).isEqualTo(2);
    }

    @Test
    void moreThanHalfOfTwentyMailsPutOffHalvesTheWindow() {
        route.becameReady();
        accepted(10);
        for (int i = 0; i < 10; i++) {
            route.complained(now);
        }
        assertThat(route.window()).isEqualTo(MAX);
        route.complained(now);
        assertThat(route.window()).isEqualTo(2);
    }

    @Test
    void routeDoesWellWhenNoneOfItsLastTwentyMailsWasPutOff() {
        assertThat(route.isDoingWell()).isFalse();
        route.ready = 1;
        assertThat(route.isDoingWell()).isTrue();
        route.complained(now);
        accepted(19);
        assertThat(route.isDoingWell()).isFalse();
        accepted(1);
        assertThat(route.isDoingWell()).isTrue();
        route.ready = 0;
        assertThat(route.isDoingWell()).isFalse();
    }

    @Test
    void pauseDoublesWithinTheHourUpToHalfAnHour() {
        long[] expected = {60, 120, 240, 480, 960, 1_800, 1_800};
        for (long seconds : expected) {
            route.pause(now);
            assertThat(route.pausedUntil - now).isEqualTo(seconds * 1_000);
        }
        now += 3_600_001;
        route.pause(now);
        assertThat(route.pausedUntil - now).isEqualTo(60_000);
    }

    @Test
    void acceptedMailForgivesEverything() {
        route.penalty = 7;
        route.errors = 3;
        accepted(1);
        assertThat(route.penalty).isZero();
        assertThat(route.errors).isZero();
    }

    @Test
    void windowIsKeptForTenMinutesAfterTheLastUse() {
        route.becameReady();
        accepted(1);
        assertThat(route.isForgettable(now + 600_000)).isFalse();
        assertThat(route.isForgettable(now + 600_001)).isTrue();
    }
}
