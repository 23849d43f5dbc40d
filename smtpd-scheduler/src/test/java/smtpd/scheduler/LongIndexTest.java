package smtpd.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class LongIndexTest {

    @Test
    void findsWhatIsThereWhileGrowingAndShrinking() {
        long seed = Long.getLong("seed", 1);
        Random random = new Random(seed);
        LongColumn keys = new LongColumn();
        LongIndex index = new LongIndex(keys);
        Map<Long, Integer> model = new HashMap<>();
        List<Long> order = new ArrayList<>();
        int rows = 0;
        for (int i = 0; i < 120_000; i++) {
            boolean grows = i < 50_000 || (i > 80_000 && i < 100_000);
            if (random.nextInt(10) < (grows ? 8 : 3) || order.isEmpty()) {
                // Few bits, so that chains and repeated keys happen.
                long key = random.nextInt(1 << 20) * (random.nextBoolean() ? 1L : 1L << 32);
                if (!model.containsKey(key)) {
                    keys.reach(rows);
                    keys.set(rows, key);
                    index.add(rows);
                    model.put(key, rows++);
                    order.add(key);
                }
            } else {
                int at = random.nextInt(order.size());
                long key = order.set(at, order.getLast());
                order.removeLast();
                index.remove(model.remove(key));
                assertThat(index.find(key)).isEqualTo(-1);
            }
            if (!order.isEmpty()) {
                long key = order.get(random.nextInt(order.size()));
                assertThat(index.find(key))
                        .as("seed %d step %d", seed, i)
                        .isEqualTo(model.get(key));
            }
            assertThat(index.find(random.nextLong() | 1L << 62)).isEqualTo(-1);
            assertThat(index.size()).isEqualTo(model.size());
        }
        for (Map.Entry<Long, Integer> entry : model.entrySet()) {
            assertThat(index.find(entry.getKey())).as("seed %d", seed).isEqualTo(entry.getValue());
        }
    }

    @Test
    void growingEndsBeforeTheNextGrowingIsNeeded() {
        LongColumn keys = new LongColumn();
        LongIndex index = new LongIndex(keys);
        for (int row = 0; row < 500_000; row++) {
            keys.reach(row);
            keys.set(row, Hash.mix(row));
            index.add(row);
        }
        for (int row = 0; row < 500_000; row++) {
            assertThat(index.find(Hash.mix(row))).isEqualTo(row);
        }
    }
}
