package smtpd.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class EnvelopeTableTest {

    private final EnvelopeTable table = new EnvelopeTable();

    private int add(long id) {
        return table.add(id, 0, EnvelopeTable.EPOCH, EnvelopeTable.EPOCH + 100, 0, 0);
    }

    private List<Long> page(long from, long to, int limit) {
        int[] rows = new int[limit];
        int n = table.ascending(from, to, rows);
        List<Long> ids = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            ids.add(table.evpid(rows[i]));
        }
        return ids;
    }

    @Test
    void rowsAreFoundAndListedInUnsignedOrderWhateverComesAndGoes() {
        long seed = Long.getLong("seed", 1);
        Random random = new Random(seed);
        TreeMap<Long, Integer> model = new TreeMap<>(Long::compareUnsigned);
        for (int i = 0; i < 30_000; i++) {
            if (random.nextInt(5) < 3 || model.isEmpty()) {
                // Few msgids, so that messages have many rows; both ends of the range among them.
                long msgid =
                        switch (random.nextInt(10)) {
                            case 0 -> 0xffffffffL;
                            case 1 -> 1;
                            default -> (long) random.nextInt(300) * 0x0101_0101 & 0xffffffffL;
                        };
                long id = msgid << 32 | (random.nextInt() & 0xffffffffL);
                if (!model.containsKey(id)) {
                    model.put(id, add(id));
                }
            } else {
                Long id = model.ceilingKey(random.nextLong());
                if (id == null) {
                    id = model.firstKey();
                }
                table.remove(model.remove(id));
                assertThat(table.find(id)).isEqualTo(-1);
            }
            if (i % 50 == 0) {
                long from = random.nextBoolean() ? 0 : random.nextLong();
                long to = random.nextInt(4) == 0 ? random.nextLong() : -1L;
                if (Long.compareUnsigned(from, to) > 0) {
                    continue;
                }
                int limit = 1 + random.nextInt(random.nextBoolean() ? 20 : 1000);
                assertThat(page(from, to, limit))
                        .as("seed %d step %d", seed, i)
                        .isEqualTo(
                                model.subMap(from, true, to, true).keySet().stream()
                                        .limit(limit)
                                        .toList());
            }
        }
        assertThat(table.size()).isEqualTo(model.size());
        assertThat(table.messages())
                .isEqualTo((int) model.keySet().stream().map(id -> id >>> 32).distinct().count());
        for (Map.Entry<Long, Integer> e : model.entrySet()) {
            assertThat(table.find(e.getKey())).isEqualTo(e.getValue());
        }
    }

    @Test
    void timesSinceTwentyTwentyReachPastTwentyHundred() {
        long far = EnvelopeTable.EPOCH + 0xfffffff0L;
        assertThat(EnvelopeTable.unpack(EnvelopeTable.pack(far))).isEqualTo(far);
        assertThat(EnvelopeTable.unpack(EnvelopeTable.pack(0))).isEqualTo(EnvelopeTable.EPOCH);
    }

    @Test
    void aRetryCountSaturates() {
        int row = add(1L << 32 | 5);
        table.flag(row, EnvelopeTable.SUSPENDED);
        table.retry(row, 1_000_000);
        assertThat(table.retry(row)).isEqualTo(65_535);
        assertThat(table.has(row, EnvelopeTable.SUSPENDED)).isTrue();
        assertThat(table.type(row)).isZero();
    }

    @Test
    void aMillionEnvelopesTakeAbout64BytesEach() {
        Random random = new Random(1);
        DueHeap heap = new DueHeap(table);
        for (int i = 0; i < 1_000_000; i++) {
            int row = add(random.nextLong());
            table.state(row, EnvelopeTable.PENDING);
            table.next(row, EnvelopeTable.EPOCH + random.nextInt(1_000_000));
            heap.add(row);
        }
        while (table.settle(1024)) {
            // The rest of the growing, as the turns of the process would do it.
        }
        assertThat((table.bytes() + heap.bytes()) / 1_000_000.0).isLessThan(70);
    }
}
