package smtpd.mta.route;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import smtpd.imsg.DnsStatus;
import smtpd.imsg.LkaToMta;
import smtpd.imsg.ReverseLookup;
import smtpd.mta.session.Result;
import smtpd.mta.session.Sink;
import smtpd.mta.session.Timeouts;

/** Which host gets the mail, when, over how many connections, and who is asked next. */
class DestinationTest {

    private final List<Sink> sinks = new ArrayList<>();
    private CountDownLatch go = new CountDownLatch(1);
    private Sink first;
    private World world;

    @BeforeEach
    void open() throws Exception {
        first = new Sink("127.0.0.1", 0);
        sinks.add(first);
        world =
                new World(
                        first.port(),
                        new Timeouts(
                                10_000, 20_000, 20_000, 20_000, 20_000, 20_000, 20_000, 20_000,
                                20_000, 500));
    }

    @AfterEach
    void close() throws Exception {
        go.countDown();
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

    /** Answers this command only when the test lets it. */
    private void stall(Sink sink, String command) {
        CountDownLatch opened = go;
        sink.answers =
                given -> {
                    if (given.startsWith(command)) {
                        waitFor(opened);
                    }
                    return null;
                };
    }

    private static void waitFor(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void equalHostsAreBothUsedAtLoad() throws Exception {
        Sink second = sink("127.0.0.2");
        stall(first, ".");
        stall(second, ".");
        world.mx("d.test", World.mx(10, "127.0.0.1"), World.mx(10, "127.0.0.2"));
        for (int i = 0; i < 20; i++) {
            world.mail(world.key("d.test"), "b" + i + "@d.test");
        }
        await().until(
                        () -> {
                            world.pass(100);
                            return first.connections.get() > 0 && second.connections.get() > 0;
                        });
        go.countDown();
        awaitResults(20);
        assertThat(world.count(Result.Kind.DELIVERED)).isEqualTo(20);
    }

    @Test
    void oneOfEqualHostsIsUsedAtRest() throws Exception {
        Sink second = sink("127.0.0.2");
        world.mx("d.test", World.mx(10, "127.0.0.1"), World.mx(10, "127.0.0.2"));
        for (int i = 0; i < 4; i++) {
            world.mail(world.key("d.test"), "b" + i + "@d.test");
            world.pass(10_000);
            awaitResults(i + 1);
        }
        assertThat(List.of(first.mails.size(), second.mails.size()))
                .containsExactlyInAnyOrder(4, 0);
    }

    @Test
    void relayThatFailsReleasesWhatItHolds() {
        first.answers =
                command -> {
                    if (command.equals("BANNER")) {
                        waitFor(go);
                        return "554 5.7.1 no\r\n";
                    }
                    return null;
                };
        world.mx("h.test", World.mx(-1, "127.0.0.1"));
        for (int i = 0; i < 60; i++) {
            world.mail(world.host("h.test"), "b" + i + "@d.test");
        }
        assertThat(world.held).hasSize(10);
        go.countDown();
        awaitResults(50);
        assertThat(world.count(Result.Kind.DEFERRED)).isEqualTo(50);
        assertThat(world.releases).containsExactly(-1);
    }

    @Test
    void routeWhoseTimeAsideIsOverIsProbedWithOneConnection() throws Exception {
        world.mx("d.test", World.mx(10, "127.0.0.5"));
        world.mail(world.key("d.test"), "b@d.test");
        awaitResults(1);
        Sink fifth = sink("127.0.0.5");
        stall(fifth, "BANNER");
        world.pass(15_000);
        for (int i = 0; i < 10; i++) {
            world.mail(world.key("d.test"), "b" + i + "@d.test");
        }
        await().until(() -> fifth.connections.get() == 1);
        world.pass(20_000);
        assertThat(world.started).hasSize(2);
        go.countDown();
        awaitResults(11);
        assertThat(world.count(Result.Kind.DELIVERED)).isEqualTo(10);
    }

    @Test
    void penaltyOfARouteThatIsNotUsedIsLivedDown() {
        world.mx("d.test", World.mx(10, "127.0.0.5"));
        world.mail(world.key("d.test"), "b@d.test");
        awaitResults(1);
        Route route = world.route("127.0.0.5");
        world.on(
                () -> {
                    world.relays.disable(route, 2, false);
                    return null;
                });
        assertThat(route.penalty).isEqualTo(3);
        world.pass(135_000);
        assertThat(route.disabled).isFalse();
        assertThat(route.penalty).isEqualTo(2);
        world.pass(60_000);
        assertThat(route.penalty).isEqualTo(1);
        world.pass(15_000);
        assertThat(route.penalty).isZero();
    }

    @Test
    void hostThatDoesWellGetsConnectionsAtOnceAndFiveSecondsApartAfterAComplaint() {
        world.mx("d.test", World.mx(10, "127.0.0.1"));
        for (int i = 0; i < 3; i++) {
            world.mail(world.key("d.test"), "b" + i + "@d.test");
            awaitResults(i + 1);
        }
        assertThat(first.connections.get()).isEqualTo(1);
        stall(first, ".");
        world.mail(world.key("d.test"), "c@d.test");
        await().until(() -> first.commands.stream().filter("DATA"::equals).count() == 4);
        world.mail(world.key("d.test"), "d@d.test");
        await().until(() -> first.connections.get() == 2);
        Route route = world.route("127.0.0.1");
        world.on(
                () -> {
                    route.complained(world.millis());
                    return null;
                });
        world.mail(world.key("d.test"), "e@d.test");
        world.mail(world.key("d.test"), "f@d.test");
        world.pass(4_900);
        assertThat(world.started).hasSize(2);
        world.pass(200);
        assertThat(world.started).hasSize(3);
        go.countDown();
        awaitResults(7);
    }

    @Test
    void explicitDelayHoldsForHostsByMxAndForHostsByName() {
        world.limits("limit mta conn-delay-route 5\n");
        world.mx("d.test", World.mx(10, "127.0.0.1"));
        world.mx("h.test", World.mx(-1, "127.0.0.1"));
        int results = 0;
        for (RelayKey key : List.of(world.key("d.test"), world.host("h.test"))) {
            int before = world.started.size();
            world.pass(60_000);
            await().until(() -> first.openNow.get() == 0);
            world.mail(key, "a@d.test");
            awaitResults(++results);
            go = new CountDownLatch(1);
            stall(first, ".");
            for (int i = 0; i < 4; i++) {
                world.mail(key, "b" + i + "@d.test");
            }
            world.pass(4_900);
            assertThat(world.started).as(key.text()).hasSize(before + 1);
            world.pass(200);
            assertThat(world.started).as(key.text()).hasSize(before + 2);
            first.answers = null;
            go.countDown();
            results += 4;
            awaitResults(results);
        }
    }

    @Test
    void mailRefusedByOneHostIsNotOfferedToAnother() throws Exception {
        Sink second = sink("127.0.0.2");
        first.answers = command -> command.startsWith("RCPT") ? "550 5.7.1 policy\r\n" : null;
        world.mx("d.test", World.mx(10, "127.0.0.1"), World.mx(20, "127.0.0.2"));
        world.mail(world.key("d.test"), "b@d.test");
        awaitResults(1);
        assertThat(world.results()).containsExactly("b@d.test FAILED 550 5.7.1 policy");
        assertThat(second.connections.get()).isZero();
    }

    @Test
    void hostThatGreetsWithOurNameMeansTheNextHost() throws Exception {
        Sink second = sink("127.0.0.2");
        first.ehlo = "250 client.test\r\n";
        world.mx("d.test", World.mx(10, "127.0.0.1"), World.mx(20, "127.0.0.2"));
        world.mx("e.test", World.mx(10, "127.0.0.1"));
        world.mail(world.key("d.test"), "b@d.test");
        awaitResults(1);
        assertThat(second.mails).hasSize(1);
        world.mail(world.key("e.test"), "b@e.test");
        awaitResults(2);
        assertThat(world.results().get(1))
                .startsWith("b@e.test DEFERRED 451 4.4.1")
                .endsWith("127.0.0.1 Host greeted us with our own name");
    }

    @Test
    void familyOfTheLimitsIsTheOnlyOneUsed() throws Exception {
        Sink six = sink("::1");
        world.limits("limit mta inet4\n");
        world.mx("d.test", World.mx(10, "::1"), World.mx(20, "127.0.0.1"));
        world.mx("e.test", World.mx(10, "::1"));
        world.mail(world.key("d.test"), "b@d.test");
        awaitResults(1);
        world.mail(world.key("e.test"), "b@e.test");
        awaitResults(2);
        assertThat(world.results())
                .containsExactly(
                        "b@d.test DELIVERED 250 2.0.0 taken",
                        "b@e.test DEFERRED 451 4.4.4 Address family mismatch on destination MXs");
        assertThat(six.connections.get()).isZero();
    }

    @Test
    void mailMovesFiveTimesAndIsThenDeferred() {
        world.mx(
                "d.test",
                World.mx(10, "127.0.0.11"),
                World.mx(20, "127.0.0.12"),
                World.mx(30, "127.0.0.13"),
                World.mx(40, "127.0.0.14"),
                World.mx(50, "127.0.0.15"),
                World.mx(60, "127.0.0.16"),
                World.mx(70, "127.0.0.17"),
                World.mx(80, "127.0.0.18"));
        world.mail(world.key("d.test"), "b@d.test");
        awaitResults(1);
        assertThat(world.results())
                .containsExactly("b@d.test DEFERRED 451 4.4.1 connection refused");
        assertThat(world.started).hasSize(6);
    }

    @Test
    void connectionLostAtReuseMeansANewOneAndNoRetry() {
        world.mx("h.test", World.mx(-1, "127.0.0.1"));
        world.mail(world.host("h.test"), "a@d.test");
        awaitResults(1);
        first.answers =
                command -> {
                    if (command.startsWith("MAIL")) {
                        first.answers = null;
                        return Sink.FIN;
                    }
                    return null;
                };
        world.mail(world.host("h.test"), "b@d.test");
        awaitResults(2);
        assertThat(world.count(Result.Kind.DELIVERED)).isEqualTo(2);
        assertThat(first.connections.get()).isEqualTo(2);
    }

    @Test
    void backupWithNobodyBetterDefers() {
        world.preference = new LkaToMta.MxPreferenceIs(DnsStatus.OK, 10);
        world.mx("d.test", World.mx(10, "127.0.0.1"), World.mx(20, "127.0.0.2"));
        world.mail(world.key("d.test", false, "", "", "us.test"), "b@d.test");
        awaitResults(1);
        assertThat(world.results())
                .containsExactly("b@d.test DEFERRED 451 4.4.4 No MX found for destination");
        assertThat(world.started).isEmpty();
    }

    @Test
    void noConnectionsAllowedMeansThatMailWaitsUntilTheLimitChanges() {
        world.limits("limit mta max-conn-per-domain 0\n");
        world.mx("d.test", World.mx(10, "127.0.0.1"));
        world.mail(world.key("d.test"), "b@d.test");
        await().until(() -> world.connector(world.key("d.test")) != null);
        world.pass(60_000);
        assertThat(world.started).isEmpty();
        List<List<String>> rows = world.on(() -> world.relays.views().relays(0).rows());
        assertThat(rows.get(1).getLast()).isEqualTo("LIMIT_DOMAIN");
        world.limits("");
        awaitResults(1);
        assertThat(world.count(Result.Kind.DELIVERED)).isEqualTo(1);
    }

    @Test
    void errorsAreShownWithTheirRelay() {
        world.mx("d.test", World.mx(10, "127.0.0.5"));
        world.mail(world.key("d.test"), "b@d.test");
        awaitResults(1);
        List<List<String>> rows = world.on(() -> world.relays.views().relays(0).rows());
        assertThat(rows.get(0).get(6)).isEqualTo("15");
        assertThat(rows.get(1).getLast()).isEqualTo("ERROR_ROUTE_NET");
    }

    // -- lists of hosts

    private void mailByList(String recipient, String... hosts) {
        List<RelayKey> keys = new ArrayList<>();
        for (String host : hosts) {
            keys.add(world.host(host));
        }
        world.mail(
                keys.getFirst(),
                keys.subList(1, keys.size()),
                world.message("Subject: x\n\ny\n"),
                recipient);
    }

    @Test
    void hostThatCannotBeReachedMeansTheNextOfTheList() {
        world.mx("one.test", World.mx(-1, "127.0.0.3"));
        world.mx("three.test", World.mx(-1, "127.0.0.1"));
        mailByList("b@d.test", "one.test", "two.test", "three.test");
        awaitResults(1);
        assertThat(world.results()).containsExactly("b@d.test DELIVERED 250 2.0.0 taken");
        assertThat(world.started).hasSize(2);
        mailByList("c@d.test", "one.test", "three.test");
        awaitResults(2);
        assertThat(world.started).hasSize(2);
        assertThat(world.contentDone).hasSize(2);
        assertThat(world.leftovers()).isEmpty();
    }

    @Test
    void listOfWhichNoHostCanBeReachedDefersOnce() {
        world.mx("one.test", World.mx(-1, "127.0.0.3"));
        world.mx("two.test", World.mx(-1, "127.0.0.4"));
        mailByList("b@d.test", "one.test", "two.test");
        awaitResults(1);
        assertThat(world.results())
                .containsExactly(
                        "b@d.test DEFERRED 451 4.4.1 Network error on destination MXs: 127.0.0.4"
                                + " connection refused");
        mailByList("c@d.test", "one.test", "two.test");
        awaitResults(2);
        assertThat(world.started).hasSize(2);
        assertThat(world.leftovers()).isEmpty();
    }

    @Test
    void mailRefusedByAHostOfAListIsNotOfferedToTheNext() throws Exception {
        Sink second = sink("127.0.0.2");
        first.answers = command -> command.startsWith("MAIL") ? "550 5.7.1 policy\r\n" : null;
        world.mx("one.test", World.mx(-1, "127.0.0.1"));
        world.mx("two.test", World.mx(-1, "127.0.0.2"));
        mailByList("b@d.test", "one.test", "two.test");
        awaitResults(1);
        assertThat(world.count(Result.Kind.FAILED)).isEqualTo(1);
        assertThat(second.connections.get()).isZero();
    }

    // -- results that nobody takes

    @Test
    void nothingIsBegunWhileResultsCannotBeStored() {
        world.mx("h.test", World.mx(-1, "127.0.0.1"));
        world.mail(world.host("h.test"), "a@d.test");
        awaitResults(1);
        world.full = true;
        world.mail(world.host("h.test"), "b@d.test");
        world.pass(5_000);
        assertThat(world.results()).hasSize(1);
        assertThat(first.mails).hasSize(1);
        world.full = false;
        world.on(
                () -> {
                    world.relays.goOn();
                    return null;
                });
        awaitResults(2);
        assertThat(world.count(Result.Kind.DELIVERED)).isEqualTo(2);
    }

    @Test
    void nameOfAHostIsAskedForOnce() {
        world.mx("h.test", World.mx(-1, "127.0.0.1"));
        for (int i = 0; i < 3; i++) {
            world.mail(world.host("h.test"), "a@d.test");
            awaitResults(i + 1);
        }
        assertThat(world.questions.stream().filter(ReverseLookup.class::isInstance)).hasSize(1);
    }
}
