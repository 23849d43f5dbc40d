package smtpd.envelope;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

class EnvelopeFuzzTest {

    @Test
    void damagedTextsNeverThrowAndWhatIsReadableRoundTrips() {
        long seed = Long.getLong("seed", 1);
        Random random = new Random(seed);
        byte[][] seeds = {
            WholeFiles.bytes(WholeFiles.LOCAL),
            WholeFiles.bytes(WholeFiles.RELAY),
            WholeFiles.bytes(WholeFiles.BOUNCE),
            WholeFiles.bytes(WholeFiles.classic("x-unknown: 1", "mda-user: b")),
            WholeFiles.bytes(
                    WholeFiles.classic("mta-relay-host: h", "mta-relay-flags: tls auth")
                            .replace("version: 2", "version: 1"))
        };
        for (int round = 0; round < 5_000; round++) {
            byte[] text = mutate(seeds[random.nextInt(seeds.length)].clone(), random);
            Verdict v = EnvelopeText.parse(text, "s", 1_767_300_000L);
            if (v instanceof Verdict.Usable r) {
                byte[] dump = EnvelopeText.dump(r.envelope());
                Verdict again = EnvelopeText.parse(dump, "s", 1_767_300_000L);
                assertThat(again)
                        .as("seed %s round %s", seed, round)
                        .isInstanceOf(Verdict.Sound.class);
                assertThat(((Verdict.Sound) again).envelope())
                        .as("seed %s round %s", seed, round)
                        .isEqualTo(r.envelope());
            }
        }
    }

    private static byte[] mutate(byte[] text, Random random) {
        byte[] t = text;
        for (int n = random.nextInt(4); n >= 0; n--) {
            int at = random.nextInt(t.length);
            switch (random.nextInt(5)) {
                case 0 -> t[at] = (byte) random.nextInt(256);
                case 1 -> t[at] = (byte) "\n\r: \t@0%-".charAt(random.nextInt(9));
                case 2 -> t = java.util.Arrays.copyOf(t, at + 1);
                case 3 -> {
                    byte[] more = new byte[t.length + 1];
                    System.arraycopy(t, 0, more, 0, at);
                    more[at] = (byte) random.nextInt(256);
                    System.arraycopy(t, at, more, at + 1, t.length - at);
                    t = more;
                }
                default -> {
                    int len = Math.min(random.nextInt(30), t.length - at);
                    byte[] more = new byte[t.length + len];
                    System.arraycopy(t, 0, more, 0, at + len);
                    System.arraycopy(t, at, more, at + len, t.length - at);
                    t = more;
                }
            }
        }
        return t;
    }
}
