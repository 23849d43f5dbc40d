package smtpd.queue.fs;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import smtpd.envelope.Msgid;

class IndexTest {

    @Test
    void countsAgreeWithAMapThroughGrowthAndGaps() {
        long seed = Long.getLong("seed", 1);
        Random random = new Random(seed);
        Index index = new Index();
        Map<Msgid, Integer> model = new HashMap<>();
        for (int i = 0; i < 200_000; i++) {
            Msgid id = new Msgid(random.nextInt(5_000) * 0x10001 + 1);
            switch (random.nextInt(3)) {
                case 0 -> {
                    index.set(id, 3);
                    model.put(id, 3);
                }
                case 1 -> {
                    index.add(id, -1);
                    model.computeIfPresent(id, (_, n) -> n == 1 ? null : n - 1);
                }
                default -> {
                    index.forget(id);
                    model.remove(id);
                }
            }
        }
        assertThat(index.messages()).as("seed %s", seed).isEqualTo(model.size());
        assertThat(index.envelopes())
                .as("seed %s", seed)
                .isEqualTo(model.values().stream().mapToInt(n -> n).sum());
        for (int i = 0; i < 5_000; i++) {
            Msgid id = new Msgid(i * 0x10001 + 1);
            assertThat(index.count(id)).as("seed %s", seed).isEqualTo(model.getOrDefault(id, -1));
        }
    }
}
