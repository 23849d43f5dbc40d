package smtpd.imsg;

import java.util.Arrays;

/**
 * Mail content inside a frame, at most 192 KiB: a window of an array that nobody writes any more.
 *
 * @param array bytes, shared and never changed after construction
 * @param offset first byte of the content in {@code array}
 * @param length bytes of content
 */
public record Content(byte[] array, int offset, int length) {

    /** No content in this frame; it is told otherwise where the content is. */
    public static final Content NONE = new Content(new byte[0], 0, 0);

    /** Most content one frame can carry. */
    public static final int MAX_LENGTH = 192 * 1024;

    public Content {
        java.util.Objects.checkFromIndexSize(offset, length, array.length);
    }

    public static Content of(byte[] bytes) {
        return new Content(bytes, 0, bytes.length);
    }

    /** A copy of the bytes, for those who need an array of exactly this length. */
    public byte[] toBytes() {
        return Arrays.copyOfRange(array, offset, offset + length);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Content c
                && Arrays.equals(
                        array, offset, offset + length, c.array, c.offset, c.offset + c.length);
    }

    @Override
    public int hashCode() {
        return length;
    }

    @Override
    public String toString() {
        return "[" + length + " bytes]";
    }
}
