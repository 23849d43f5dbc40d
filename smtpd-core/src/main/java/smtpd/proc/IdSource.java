package smtpd.proc;

import java.security.SecureRandom;

/**
 * Numbers of sessions and requests: 16 bits of the maker's generation, a counter that starts at
 * random, 16 random bits. So an answer to an earlier incarnation is recognised, no id comes twice
 * in a generation, and traffic cannot be counted from them.
 */
public final class IdSource {

    private final long generation;
    private final SecureRandom random = new SecureRandom();
    private final byte[] pool = new byte[512];
    private int used = pool.length;
    private int counter;

    public IdSource(int generation) {
        this.generation = (generation & 0xffffL) << 48;
        this.counter = random.nextInt();
    }

    /** The next id; never 0. */
    public long next() {
        if (used == pool.length) {
            random.nextBytes(pool);
            used = 0;
        }
        int low = (pool[used] & 0xff) << 8 | (pool[used + 1] & 0xff);
        used += 2;
        counter++;
        long id = generation | (counter & 0xffffffffL) << 16 | low;
        return id == 0 ? next() : id;
    }

    /** The 16 bits of the maker's generation in an id. */
    public static int generationOf(long id) {
        return (int) (id >>> 48);
    }
}
