package smtpd.scheduler;

import java.util.Arrays;

/** One long for each row, in chunks: growing never copies what is there. */
final class LongColumn {

    private static final int SHIFT = IntColumn.CHUNK_SHIFT;
    private static final int MASK = IntColumn.CHUNK - 1;

    private long[][] chunks = new long[16][];
    private int allocated;

    long get(int row) {
        return chunks[row >>> SHIFT][row & MASK];
    }

    void set(int row, long value) {
        chunks[row >>> SHIFT][row & MASK] = value;
    }

    /** Makes room for rows 0 to {@code row}. */
    void reach(int row) {
        while (row >>> SHIFT >= allocated) {
            if (allocated == chunks.length) {
                chunks = Arrays.copyOf(chunks, allocated * 2);
            }
            chunks[allocated++] = new long[IntColumn.CHUNK];
        }
    }

    long bytes() {
        return (long) allocated * IntColumn.CHUNK * Long.BYTES;
    }
}
