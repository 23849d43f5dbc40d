package smtpd.queue.backend;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import smtpd.envelope.Msgid;

class LanesTest {

    @Test
    void everyLaneKeepsItsOrderAndNothingIsStuck() throws Exception {
        long seed = Long.getLong("seed", 1);
        Random random = new Random(seed);
        Map<Msgid, List<Integer>> given = new HashMap<>();
        Map<Msgid, List<Integer>> done = new HashMap<>();
        int tasks = 5_000;
        CountDownLatch latch = new CountDownLatch(tasks);
        try (ExecutorService pool = Executors.newFixedThreadPool(8)) {
            Lanes lanes = new Lanes(pool);
            for (int i = 0; i < tasks; i++) {
                Set<Msgid> keys = new HashSet<>();
                for (int n = random.nextInt(3); n >= 0; n--) {
                    keys.add(new Msgid(random.nextInt(10) + 1));
                }
                int number = i;
                keys.forEach(k -> given.computeIfAbsent(k, _ -> new ArrayList<>()).add(number));
                lanes.submit(
                        keys,
                        () -> {
                            for (Msgid k : keys) {
                                synchronized (done) {
                                    done.computeIfAbsent(k, _ -> new ArrayList<>()).add(number);
                                }
                            }
                            latch.countDown();
                        });
            }
            assertThat(latch.await(60, TimeUnit.SECONDS)).as("seed %s", seed).isTrue();
        }
        assertThat(done).as("seed %s", seed).isEqualTo(given);
    }
}
