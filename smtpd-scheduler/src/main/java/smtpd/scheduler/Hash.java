package smtpd.scheduler;

/** Spreads bits. Not secret: ids are drawn at random by the queue, nobody outside chooses them. */
final class Hash {

    private Hash() {}

    static long mix(long x) {
        long z = x * 0x9E3779B97F4A7C15L;
        z = (z ^ (z >>> 32)) * 0xD6E8FEB86659FD93L;
        return z ^ (z >>> 32);
    }

    /** A number in {@code 0 .. bound - 1} that is always the same for one {@code x}. */
    static int below(int bound, long x) {
        return (int) (((mix(x) >>> 32) * bound) >>> 32);
    }
}
