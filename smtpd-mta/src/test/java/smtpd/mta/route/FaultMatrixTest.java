package smtpd.mta.route;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import smtpd.mta.session.Sink;
import smtpd.mta.session.Timeouts;

/**
 * Every way a peer can go wrong, in every state: each recipient has exactly one result, the right
 * one, nothing is left behind, and the next mail goes through.
 */
class FaultMatrixTest {

    private static final String ONE = "one@d.test";
    private static final String TWO = "two@d.test";
    private static final long SHORT = 700;

    /** Where the peer misbehaves, as the sink names the command. */
    private enum At {
        BANNER("BANNER"),
        EHLO("EHLO"),
        MAIL("MAIL"),
        RCPT("RCPT TO:<one"),
        DATA("DATA"),
        EOM(".");

        final String command;

        At(String command) {
            this.command = command;
        }

        boolean isBeforeMail() {
            return compareTo(MAIL) < 0;
        }

        /** Short only where the peer is slow, so that a busy machine is not taken for one. */
        Timeouts timeouts() {
            long[] all = {10_000, 10_000, 10_000, 10_000, 10_000, 10_000};
            all[ordinal()] = SHORT;
            return new Timeouts(
                    10_000, all[0], all[1], all[2], all[3], all[4], 10_000, all[5], 10_000, 500);
        }
    }

    private static final Map<String, String> FAULTS = new LinkedHashMap<>();

    static {
        FAULTS.put("4yz", "451 4.3.0 later\r\n");
        FAULTS.put("5yz", "554 5.3.0 no\r\n");
        FAULTS.put("421", "421 4.3.2 bye\r\n");
        FAULTS.put("599", "599 odd\r\n");
        FAULTS.put("199", "199 odd\r\n");
        FAULTS.put("garbage", "what?\r\n");
        FAULTS.put("mixed", "250-a\r\n251 b\r\n");
        FAULTS.put("101 lines", "250-x\r\n".repeat(100) + "250 x\r\n");
        FAULTS.put("long line", "250 " + "x".repeat(5_000) + "\r\n");
        FAULTS.put("drip", Sink.DRIP);
        FAULTS.put("silence", Sink.HANG);
        FAULTS.put("reset", Sink.RST);
        FAULTS.put("end", Sink.FIN);
        FAULTS.put("half", Sink.HALF);
    }

    /** What becomes of the two recipients. */
    private static List<String> expected(At at, String fault, boolean twoHosts) {
        boolean permanent = fault.equals("5yz") || fault.equals("599");
        boolean refusal = permanent || fault.equals("4yz");
        if (at.isBeforeMail()) {
            boolean lost = fault.equals("reset") || fault.equals("end") || fault.equals("half");
            // Who hangs up on EHLO is called again with HELO.
            boolean delivered = twoHosts || (at == At.EHLO && lost);
            return delivered ? List.of("DELIVERED", "DELIVERED") : List.of("DEFERRED", "DEFERRED");
        }
        String judged = permanent ? "FAILED" : "DEFERRED";
        return List.of(judged, at == At.RCPT && refusal ? "DELIVERED" : judged);
    }

    @Test
    void everyFaultInEveryStateHasItsResult() throws Exception {
        List<Future<?>> cases = new ArrayList<>();
        try (ExecutorService threads = Executors.newFixedThreadPool(6)) {
            for (At at : At.values()) {
                for (String fault : FAULTS.keySet()) {
                    for (boolean twoHosts : List.of(false, true)) {
                        for (boolean pipelining : List.of(false, true)) {
                            cases.add(
                                    threads.submit(
                                            () -> {
                                                check(at, fault, twoHosts, pipelining);
                                                return null;
                                            }));
                        }
                    }
                }
            }
            for (Future<?> each : cases) {
                each.get(4, TimeUnit.MINUTES);
            }
        }
        assertThat(cases).hasSize(6 * 14 * 4);
    }

    private static void check(At at, String fault, boolean twoHosts, boolean pipelining)
            throws Exception {
        String about =
                at + " " + fault + (twoHosts ? " two hosts" : "") + (pipelining ? " piped" : "");
        AtomicBoolean bad = new AtomicBoolean(true);
        try (Sink first = new Sink("127.0.0.1", 0);
                Sink second = new Sink("127.0.0.2", first.port());
                World world = new World(first.port(), at.timeouts())) {
            first.answers =
                    command ->
                            bad.get() && command.startsWith(at.command) ? FAULTS.get(fault) : null;
            if (!pipelining) {
                first.ehlo = "250 sink.test\r\n";
                second.ehlo = first.ehlo;
            }
            if (twoHosts) {
                world.mx("d.test", World.mx(10, "127.0.0.1"), World.mx(20, "127.0.0.2"));
            } else {
                world.mx("d.test", World.mx(10, "127.0.0.1"));
            }
            world.mail(world.key("d.test"), ONE, TWO);
            awaitResults(world, 2, about);
            List<String> wanted = expected(at, fault, twoHosts);
            assertThat(world.results())
                    .as(about)
                    .anyMatch(result -> result.startsWith(ONE + " " + wanted.get(0)))
                    .anyMatch(result -> result.startsWith(TWO + " " + wanted.get(1)));
            if (!at.isBeforeMail()) {
                assertThat(second.connections.get()).as(about).isZero();
            }
            bad.set(false);
            world.pass(20_000);
            world.mail(world.key("d.test"), "next@d.test");
            await(about)
                    .atMost(30, TimeUnit.SECONDS)
                    .pollInterval(10, TimeUnit.MILLISECONDS)
                    .until(
                            () -> {
                                world.pass(1_000);
                                return world.results().size() == 3;
                            });
            assertThat(world.results().getLast())
                    .as(about)
                    .isEqualTo("next@d.test DELIVERED 250 2.0.0 taken");
            assertThat(world.leftovers()).as(about).isEmpty();
        }
    }

    private static void awaitResults(World world, int count, String about) {
        await(about)
                .atMost(30, TimeUnit.SECONDS)
                .untilAsserted(() -> assertThat(world.results()).hasSize(count));
    }
}
