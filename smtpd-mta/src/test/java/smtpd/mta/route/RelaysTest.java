package smtpd.mta.route;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import smtpd.imsg.DnsStatus;
import smtpd.imsg.LkaToMta;
import smtpd.imsg.Resolve;
import smtpd.imsg.Resolved;
import smtpd.imsg.SocketAddr;
import smtpd.mta.session.Content;
import smtpd.mta.session.Result;
import smtpd.mta.session.Sink;

class RelaysTest {

    private final List<Sink> sinks = new ArrayList<>();
    private Sink first;
    private World world;

    @BeforeEach
    void open() throws Exception {
        first = new Sink("127.0.0.1", 0);
        sinks.add(first);
        world = new World(first.port());
    }

    @AfterEach
    void close() throws Exception {
        world.close();
        for (Sink sink : sinks) {
            sink.close();
        }
    }

    /** A further host of the same port. */
    private Sink sink(String address) throws Exception {
        Sink sink = new Sink(address, first.port());
        sinks.add(sink);
        return sink;
    }

    private void awaitResults(int count) {
        await().untilAsserted(() -> assertThat(world.results()).hasSize(count));
    }

    @Test
    void mailGoesToTheBestMailHost() throws Exception {
        Sink second = sink("127.0.0.2");
        world.mx("d.test", World.mx(20, "127.0.0.2"), World.mx(10, "127.0.0.1"));
        world.mail(world.key("d.test"), "b@d.test", "c@d.test");
        awaitResults(2);
        assertThat(world.count(Result.Kind.DELIVERED)).isEqualTo(2);
        assertThat(first.mails).hasSize(1);
        assertThat(second.connections.get()).isZero();
        assertThat(world.outcomes).hasSize(1);
        assertThat(world.outcomes.getFirst().session().peer())
                .isEqualTo("mx-127-0-0-1.test [127.0.0.1]");
        assertThat(world.contentDone).hasSize(1);
    }

    @Test
    void deadBestHostMeansTheNextAtOnce() throws Exception {
        sink("127.0.0.2");
        world.mx("d.test", World.mx(10, "127.0.0.3"), World.mx(20, "127.0.0.2"));
        world.mail(world.key("d.test"), "b@d.test");
        awaitResults(1);
        assertThat(world.count(Result.Kind.DELIVERED)).isEqualTo(1);
        assertThat(world.route("127.0.0.3").disabled).isTrue();
        assertThat(world.route("127.0.0.3").penalty).isEqualTo(1);
    }

    @Test
    void refusingBannerMeansTheNextHost() throws Exception {
        Sink second = sink("127.0.0.2");
        first.answers = command -> command.equals("BANNER") ? "554 5.7.1 no\r\n" : null;
        world.mx("d.test", World.mx(10, "127.0.0.1"), World.mx(20, "127.0.0.2"));
        world.mail(world.key("d.test"), "b@d.test");
        awaitResults(1);
        assertThat(second.mails).hasSize(1);
    }

    @Test
    void busyBestHostIsWaitedFor() throws Exception {
        Sink second = sink("127.0.0.2");
        first.answers = command -> command.equals("BANNER") ? Sink.HANG : null;
        world.mx("d.test", World.mx(10, "127.0.0.1"), World.mx(20, "127.0.0.2"));
        for (int i = 0; i < 5; i++) {
            world.mail(world.key("d.test"), "b@d.test");
        }
        await().until(() -> first.connections.get() == 1);
        assertThat(second.connections.get()).isZero();
        assertThat(world.started).hasSize(1);
        assertThat(world.connector(world.key("d.test")).flagText()).isEqualTo("LIMIT_ROUTE");
    }

    @Test
    void allHostsDownDefersAndNamesThem() {
        world.mx("d.test", World.mx(10, "127.0.0.3"), World.mx(20, "127.0.0.4"));
        world.mail(world.key("d.test"), "b@d.test");
        awaitResults(1);
        assertThat(world.results().getFirst())
                .isEqualTo(
                        "b@d.test DEFERRED 451 4.4.1 Network error on destination MXs: 127.0.0.3"
                                + " connection refused; 127.0.0.4 connection refused");
    }

    @Test
    void refusingHostsDeferWithTheirWords() {
        first.answers = command -> command.equals("BANNER") ? "554 5.7.1 no\r\n" : null;
        world.mx("d.test", World.mx(10, "127.0.0.1"));
        world.mail(world.key("d.test"), "b@d.test");
        awaitResults(1);
        assertThat(world.results().getFirst()).isEqualTo("b@d.test DEFERRED 454 4.7.1 no");
    }

    @Test
    void hostsThatTakeNoMailAtAllFail() throws Exception {
        Sink second = sink("127.0.0.2");
        first.answers = command -> command.equals("BANNER") ? "521 no mail here\r\n" : null;
        second.answers = first.answers;
        world.mx("d.test", World.mx(10, "127.0.0.1"), World.mx(20, "127.0.0.2"));
        world.mail(world.key("d.test"), "b@d.test");
        awaitResults(1);
        assertThat(world.results().getFirst()).isEqualTo("b@d.test FAILED 521 5.3.2 no mail here");
    }

    @Test
    void failedRelayDefersNewMailAtOnceAndReleasesWhatIsHeld() {
        world.mx("d.test", World.mx(10, "127.0.0.3"));
        world.mail(world.key("d.test"), "b@d.test");
        awaitResults(1);
        world.mail(world.key("d.test"), "c@d.test");
        awaitResults(2);
        assertThat(world.started).hasSize(1);
    }

    @Test
    void routePenaltyGrowsAndIsProbedWithOneConnection() throws Exception {
        world.mx("d.test", World.mx(10, "127.0.0.5"));
        long[] aside = {15, 60, 135, 240};
        for (int i = 0; i < aside.length; i++) {
            world.mail(world.key("d.test"), "b@d.test");
            awaitResults(i + 1);
            Route route = world.route("127.0.0.5");
            assertThat(route.disabled).isTrue();
            assertThat(route.timerAt - world.millis()).isEqualTo(aside[i] * 1000);
            // It fails again before the decay of a step: so twice the step up.
            int penalty = i + 1;
            world.pass(aside[i] * 1000);
            assertThat(route.disabled).isFalse();
            assertThat(route.penalty).isEqualTo(penalty - 1);
            route.penalty = penalty;
        }
        Sink fifth = sink("127.0.0.5");
        for (int i = 0; i < 4; i++) {
            world.mail(world.key("d.test"), "b@d.test");
        }
        awaitResults(8);
        assertThat(world.count(Result.Kind.DELIVERED)).isEqualTo(4);
        assertThat(fifth.openPeak.get()).isLessThanOrEqualTo(2);
        assertThat(world.route("127.0.0.5").penalty).isZero();
    }

    @Test
    void asideTimesAreThoseOfTheTable() {
        assertThat(List.of(1, 2, 3, 4, 5, 15, 16).stream().map(Route::asideMillis))
                .containsExactly(
                        15_000L, 60_000L, 135_000L, 240_000L, 375_000L, 3_375_000L, 3_600_000L);
    }

    @Test
    void resumedRouteIsUsedAtOnce() throws Exception {
        world.mx("d.test", World.mx(10, "127.0.0.6"));
        world.mail(world.key("d.test"), "b@d.test");
        awaitResults(1);
        sink("127.0.0.6");
        assertThat(world.<Integer>on(() -> world.relays.enableRoute(0))).isEqualTo(1);
        world.mail(world.key("d.test"), "c@d.test");
        awaitResults(2);
        assertThat(world.count(Result.Kind.DELIVERED)).isEqualTo(1);
    }

    @Test
    void oneTaskOpensOneConnectionHoweverSlowTheGreeting() {
        first.answers = command -> command.equals("BANNER") ? Sink.HANG : null;
        world.mx("h.test", World.mx(-1, "127.0.0.1"));
        world.mail(world.host("h.test"), "b@d.test");
        await().until(() -> first.connections.get() == 1);
        world.mail(world.host("h.test"), "b@d.test");
        assertThat(world.started).hasSize(1);
    }

    @Test
    void smarthostGetsManyConnectionsAsItsWindowGrows() {
        world.mx("h.test", World.mx(-1, "127.0.0.1"));
        first.answers =
                command -> {
                    if (command.equals(".")) {
                        java.util.concurrent.locks.LockSupport.parkNanos(3_000_000);
                    }
                    return null;
                };
        for (int i = 0; i < 49; i++) {
            world.mail(world.host("h.test"), "b" + i + "@d.test");
        }
        awaitResults(49);
        assertThat(world.count(Result.Kind.DELIVERED)).isEqualTo(49);
        assertThat(first.openPeak.get()).isBetween(2, 20);
    }

    @Test
    void aboveHighWaterMailIsHeldAndAskedForAgain() {
        AtomicBoolean go = new AtomicBoolean();
        first.answers =
                command -> {
                    while (command.equals("BANNER") && !go.get()) {
                        java.util.concurrent.locks.LockSupport.parkNanos(1_000_000);
                    }
                    return null;
                };
        world.mx("h.test", World.mx(-1, "127.0.0.1"));
        for (int i = 0; i < 60; i++) {
            world.mail(world.host("h.test"), "b" + i + "@d.test");
        }
        assertThat(world.held).hasSize(10);
        go.set(true);
        awaitResults(50);
        await().untilAsserted(() -> assertThat(world.releases).contains(10, 0));
    }

    @Test
    void domainsOfOneMailHostShareAConnection() {
        world.mx("one.test", World.mx(10, "127.0.0.1"));
        world.mx("two.test", World.mx(10, "127.0.0.1"));
        world.mx("three.test", World.mx(10, "127.0.0.1"));
        world.mail(world.key("one.test"), "a@one.test");
        awaitResults(1);
        world.mail(world.key("two.test"), "b@two.test");
        awaitResults(2);
        world.mail(world.key("three.test"), "c@three.test");
        awaitResults(3);
        assertThat(first.connections.get()).isEqualTo(1);
        assertThat(world.count(Result.Kind.DELIVERED)).isEqualTo(3);
    }

    @Test
    void relaysThatDifferInTheNameTheyGreetWithShareNoConnection() {
        world.mx("one.test", World.mx(10, "127.0.0.1"));
        RelayKey plain = world.key("one.test");
        RelayKey other =
                new RelayKey(
                        "one.test",
                        false,
                        world.port,
                        false,
                        "smtp+notls",
                        "",
                        "",
                        "",
                        "",
                        "",
                        "",
                        "other.test",
                        "",
                        "",
                        false);
        world.mail(plain, "a@one.test");
        awaitResults(1);
        world.mail(other, "b@one.test");
        world.pass(6_000);
        awaitResults(2);
        assertThat(first.commands).contains("EHLO client.test", "EHLO other.test");
    }

    @Test
    void nullMxFailsWithoutConnection() {
        world.dns.put("d.test", new Resolved(DnsStatus.NULL_MX, List.of(), false));
        world.mail(world.key("d.test"), "b@d.test");
        awaitResults(1);
        assertThat(world.results())
                .containsExactly("b@d.test FAILED 556 5.1.10 Domain does not accept mail");
        assertThat(world.started).isEmpty();
    }

    @Test
    void dnsFailureDefersAndIsAskedAgainLater() {
        world.dns.put("d.test", new Resolved(DnsStatus.RETRY, List.of(), false));
        world.mail(world.key("d.test"), "b@d.test");
        awaitResults(1);
        assertThat(world.results())
                .containsExactly("b@d.test DEFERRED 451 4.4.3 Temporary failure in MX lookup");
        world.pass(6_000);
        world.mx("d.test", World.mx(10, "127.0.0.1"));
        world.mail(world.key("d.test"), "b@d.test");
        awaitResults(2);
        assertThat(world.count(Result.Kind.DELIVERED)).isEqualTo(1);
    }

    @Test
    void ourselvesAmongTheMailHostsIsALoop() {
        world.ours.add(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), world.port));
        world.mx("d.test", World.mx(10, "127.0.0.1"), World.mx(20, "127.0.0.2"));
        world.mail(world.key("d.test"), "b@d.test");
        awaitResults(1);
        assertThat(world.results())
                .containsExactly("b@d.test FAILED 550 5.4.6 Mail for d.test loops back to myself");
        assertThat(world.started).isEmpty();
    }

    @Test
    void smarthostThatIsOurselvesDefers() {
        world.ours.add(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), world.port));
        world.mx("h.test", World.mx(-1, "127.0.0.1"));
        world.mail(world.host("h.test"), "b@d.test");
        awaitResults(1);
        assertThat(world.results())
                .containsExactly(
                        "b@d.test DEFERRED 451 4.4.6 Mail for h.test loops back to myself");
    }

    @Test
    void worseHostsThanOurselvesAreIgnored() {
        world.ours.add(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.2"), world.port));
        world.mx(
                "d.test",
                World.mx(10, "127.0.0.7"),
                World.mx(20, "127.0.0.2"),
                World.mx(30, "127.0.0.1"));
        world.mail(world.key("d.test"), "b@d.test");
        awaitResults(1);
        assertThat(world.count(Result.Kind.DEFERRED)).isEqualTo(1);
        assertThat(first.connections.get()).isZero();
    }

    @Test
    void backupUsesOnlyBetterHosts() {
        world.preference = new LkaToMta.MxPreferenceIs(DnsStatus.OK, 20);
        world.mx("d.test", World.mx(10, "127.0.0.7"), World.mx(20, "127.0.0.1"));
        world.mail(world.key("d.test", false, "", "", "us.test"), "b@d.test");
        awaitResults(1);
        assertThat(world.count(Result.Kind.DEFERRED)).isEqualTo(1);
        assertThat(first.connections.get()).isZero();
    }

    @Test
    void backupWhosePlaceCannotBeAskedDefers() {
        world.preference = new LkaToMta.MxPreferenceIs(DnsStatus.RETRY, -1);
        world.mx("d.test", World.mx(10, "127.0.0.1"));
        world.mail(world.key("d.test", false, "", "", "us.test"), "b@d.test");
        awaitResults(1);
        assertThat(world.results())
                .containsExactly("b@d.test DEFERRED 451 4.4.3 Cannot find backup preference");
        assertThat(first.connections.get()).isZero();
    }

    @Test
    void relaysRotateSourcesForThemselves() {
        world.sources.put(
                "src",
                List.of(
                        SocketAddr.of(InetAddress.ofLiteral("::1"), 0),
                        SocketAddr.of(InetAddress.ofLiteral("127.0.0.8"), 0)));
        world.mx("one.test", World.mx(10, "127.0.0.1"));
        world.mx("two.test", World.mx(10, "127.0.0.1"));
        world.mail(world.key("one.test", false, "src", "", ""), "a@one.test");
        world.mail(world.key("two.test", false, "src", "", ""), "b@two.test");
        awaitResults(2);
        assertThat(world.count(Result.Kind.DELIVERED)).isEqualTo(2);
    }

    @Test
    void sourceWithoutNameIsSkipped() {
        world.sources.put(
                "src",
                List.of(
                        SocketAddr.of(InetAddress.ofLiteral("127.0.0.7"), 0),
                        SocketAddr.of(InetAddress.ofLiteral("127.0.0.8"), 0)));
        world.helos.put("127.0.0.8", "eight.test");
        world.mx("one.test", World.mx(10, "127.0.0.1"));
        world.mail(world.key("one.test", false, "src", "names", ""), "a@one.test");
        awaitResults(1);
        assertThat(world.count(Result.Kind.DELIVERED)).isEqualTo(1);
        assertThat(first.commands).contains("EHLO eight.test");
    }

    @Test
    void unusableSourcesDefer() {
        world.sources.put("src", List.of(SocketAddr.of(InetAddress.ofLiteral("192.0.2.7"), 0)));
        world.mx("one.test", World.mx(10, "127.0.0.1"));
        world.mail(world.key("one.test", false, "src", "", ""), "a@one.test");
        awaitResults(1);
        assertThat(world.results())
                .containsExactly("a@one.test DEFERRED 451 4.3.5 No valid route to destination");
    }

    @Test
    void mailTooBigForOneHostGoesToTheOther() throws Exception {
        Sink second = sink("127.0.0.2");
        first.ehlo = "250-sink.test\r\n250 SIZE 10\r\n";
        world.mx("d.test", World.mx(10, "127.0.0.1"), World.mx(20, "127.0.0.2"));
        world.mail(world.key("d.test"), "b@d.test");
        await().until(() -> first.commands.contains("EHLO client.test"));
        await().until(() -> world.on(world::hasAlarm));
        world.pass(3_000);
        awaitResults(1);
        assertThat(world.count(Result.Kind.DELIVERED)).isEqualTo(1);
        assertThat(second.mails).hasSize(1);
    }

    @Test
    void mailTooBigForAllHostsFailsAndNothingIsSent() throws Exception {
        Sink second = sink("127.0.0.2");
        first.ehlo = "250-sink.test\r\n250 SIZE 10\r\n";
        second.ehlo = "250-sink.test\r\n250 SIZE 11\r\n";
        world.mx("d.test", World.mx(10, "127.0.0.1"), World.mx(20, "127.0.0.2"));
        world.mail(world.key("d.test"), "b@d.test");
        await().until(() -> first.commands.contains("EHLO client.test"));
        await().until(() -> world.on(world::hasAlarm));
        world.pass(3_000);
        awaitResults(1);
        assertThat(world.results().getFirst())
                .startsWith("b@d.test FAILED 552 5.3.4 Message size 22 exceeds limit 11 of ");
        assertThat(first.commands).noneMatch(command -> command.startsWith("MAIL"));
    }

    @Test
    void greylistingTouchesNoRoute() {
        first.answers = command -> command.startsWith("RCPT") ? "451 4.7.1 Greylisted\r\n" : null;
        world.mx("d.test", World.mx(10, "127.0.0.1"));
        world.mail(world.key("d.test"), "b@d.test");
        awaitResults(1);
        assertThat(world.outcomes.getFirst().result().reason().key()).isEqualTo("greylisted");
        assertThat(world.route("127.0.0.1").penalty).isZero();
        assertThat(world.route("127.0.0.1").pausedUntil).isLessThan(world.millis());
    }

    @Test
    void rateLimitHalvesTheWindowAndPausesTheRoute() {
        first.answers = command -> command.startsWith("MAIL") ? "421 4.7.28 too fast\r\n" : null;
        world.mx("d.test", World.mx(10, "127.0.0.1"));
        world.mail(world.key("d.test"), "b@d.test");
        awaitResults(1);
        assertThat(world.outcomes.getFirst().result().reason().key()).isEqualTo("rate-limited");
        Route route = world.route("127.0.0.1");
        assertThat(route.pausedUntil - world.millis()).isEqualTo(60_000);
        assertThat(route.window()).isEqualTo(1);
        first.answers = null;
        world.mail(world.key("d.test"), "c@d.test");
        world.pass(59_000);
        assertThat(world.results()).hasSize(1);
        world.pass(2_000);
        awaitResults(2);
    }

    @Test
    void fiveErrorsOnAGoodRoutePutItAside() {
        first.answers = command -> command.startsWith("DATA") ? Sink.RST : null;
        world.mx("h.test", World.mx(-1, "127.0.0.1"));
        for (int i = 0; i < 5; i++) {
            world.mail(world.host("h.test"), "b@d.test");
            awaitResults(i + 1);
        }
        await().until(() -> world.route("127.0.0.1").disabled);
        assertThat(world.route("127.0.0.1").penalty).isEqualTo(2);
    }

    @Test
    void mailHostsAreAskedAgainAfterFiveMinutes() {
        world.mx("d.test", World.mx(10, "127.0.0.1"));
        world.mail(world.key("d.test"), "b@d.test");
        awaitResults(1);
        world.mail(world.key("d.test"), "b@d.test");
        awaitResults(2);
        assertThat(world.questions.stream().filter(Resolve.class::isInstance)).hasSize(1);
        world.pass(301_000);
        world.mail(world.key("d.test"), "b@d.test");
        world.pass(10_000);
        awaitResults(3);
        assertThat(world.questions.stream().filter(Resolve.class::isInstance)).hasSize(2);
    }

    @Test
    void contentIsAskedForWhenASessionStarts() {
        world.mx("d.test", World.mx(10, "127.0.0.1"));
        Message message = new Message(new smtpd.envelope.Msgid(77), 2, 1);
        world.mail(world.key("d.test"), message, "b@d.test");
        await().untilAsserted(() -> assertThat(world.contentWanted).containsExactly(message));
        world.on(
                () -> {
                    message.content(new Content.InMemory(new byte[] {'x', '\n'}, 0, 2));
                    world.relays.contentArrived(message);
                    return null;
                });
        awaitResults(1);
        assertThat(world.count(Result.Kind.DELIVERED)).isEqualTo(1);
    }

    @Test
    void deferredEnvelopesAreTriedWhenTheDomainWorksAgain() throws Exception {
        world.mx("d.test", World.mx(10, "127.0.0.5"));
        Message lost = world.mail(world.key("d.test"), "b@d.test");
        awaitResults(1);
        sink("127.0.0.5");
        world.pass(60_000);
        world.mail(world.key("d.test"), "c@d.test");
        awaitResults(2);
        await().untilAsserted(
                        () ->
                                assertThat(world.again)
                                        .containsExactly(smtpd.envelope.Evpid.of(lost.id(), 1)));
    }

    @Test
    void errorFlagsEndWhenTheRouteIsEnabled() {
        world.mx("d.test", World.mx(10, "127.0.0.5"));
        world.mail(world.key("d.test"), "b@d.test");
        awaitResults(1);
        assertThat(world.connector(world.key("d.test")).has(Connector.Flag.ERROR_ROUTE_NET))
                .isTrue();
        world.pass(15_000);
        Connector connector = world.connector(world.key("d.test"));
        assertThat(connector == null || !connector.hasError()).isTrue();
    }

    @Test
    void manyRecipientsBeyondTheLimitGoInSeveralTransactions() {
        world.mx("h.test", World.mx(-1, "127.0.0.1"));
        String[] all = new String[250];
        for (int i = 0; i < all.length; i++) {
            all[i] = "r" + i + "@d.test";
        }
        world.mail(world.host("h.test"), all);
        awaitResults(250);
        assertThat(first.mails.stream().map(mail -> mail.to().size()))
                .containsExactly(100, 100, 50);
        assertThat(first.connections.get()).isEqualTo(1);
    }

    @Test
    void nothingIsLeftAtRest() {
        world.mx("d.test", World.mx(10, "127.0.0.1"));
        world.mx("e.test", World.mx(10, "127.0.0.9"));
        for (int i = 0; i < 10; i++) {
            world.mail(world.key("d.test"), "b@d.test");
            world.mail(world.key("e.test"), "b@e.test");
        }
        awaitResults(20);
        assertThat(world.leftovers()).isEmpty();
    }
}
