package smtpd.scheduler;

import java.util.Arrays;

/** One number for each row, in chunks: growing never copies what is there. */
final class IntColumn {

    static final int CHUNK_SHIFT = 14;
    static final int CHUNK = 1 << CHUNK_SHIFT;
    private static final int MASK = CHUNK - 1;

    private int[][] chunks = new int[16][];
    private int allocated;

    int get(int row) {
        return chunks[row >>> CHUNK_SHIFT][row & MASK];
    }

    void set(int row, int value) {
        chunks[row >>> CHUNK_SHIFT][row & MASK] = value;
    }

    /** Makes room for rows 0 to {@code row}. */
    void reach(int row) {
        while (row >>> CHUNK_SHIFT >= allocated) {
            if (allocated == chunks.length) {
                chunks = Arrays.copyOf(chunks, allocated * 2);
            }
            chunks[allocated++] = new int[CHUNK];
        }
    }

    long bytes() {
        return (long) allocated * CHUNK * Integer.BYTES;
    }
}
