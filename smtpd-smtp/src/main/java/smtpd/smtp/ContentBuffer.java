package smtpd.smtp;

import java.util.Arrays;
import java.util.zip.CRC32C;

/**
 * The stored form of one mail while it is small enough to travel in the commit: one array that
 * grows in few steps, with its checksum. Larger mails leave it through {@link #drain}.
 */
final class ContentBuffer {

    private static final int[] STEPS = {
        4 << 10, 16 << 10, 64 << 10, 136 << 10, 208 << 10, 328 << 10
    };

    private final CRC32C crc = new CRC32C();
    private byte[] array = {};
    private int length;

    void append(byte[] a, int offset, int count) {
        crc.update(a, offset, count);
        if (length + count > array.length) {
            array = Arrays.copyOf(array, capacity(length + count));
        }
        System.arraycopy(a, offset, array, length, count);
        length += count;
    }

    private static int capacity(int wanted) {
        for (int step : STEPS) {
            if (step >= wanted) {
                return step;
            }
        }
        return (wanted + (64 << 10)) & -4096;
    }

    /** The content, valid up to {@link #length}; never written again once it was handed on. */
    byte[] array() {
        return array;
    }

    int length() {
        return length;
    }

    /** Bytes of heap this holds. */
    int capacity() {
        return array.length;
    }

    /** Takes the bytes out and starts an empty array; the checksum goes on. */
    byte[] drain() {
        byte[] bytes = array.length == length ? array : Arrays.copyOf(array, length);
        drop();
        return bytes;
    }

    /** Gives the memory back. */
    void drop() {
        array = new byte[0];
        length = 0;
    }

    /** CRC-32C of everything appended. */
    int crc32c() {
        return (int) crc.getValue();
    }
}
