package smtpd.mda.deliver;

/**
 * The stored content of one message, as the queue handed it over: bytes at hand, or a descriptor
 * that is only ever read with its own offset.
 *
 * @param inline the bytes, from {@code offset}; null when it is a descriptor
 * @param fd open for reading; −1 when inline. Closed by whoever opened the delivery
 * @param size what the queue recorded, in bytes; −1 when it recorded nothing
 * @param crc32c what the queue recorded
 */
public record Content(byte[] inline, int offset, int fd, long size, int crc32c) {

    /** Bytes read or written at a time. */
    static final int CHUNK = 64 * 1024;

    public static Content of(byte[] bytes, int offset, int length, int crc32c) {
        return new Content(bytes, offset, -1, length, crc32c);
    }

    public static Content of(int fd, long size, int crc32c) {
        return new Content(null, 0, fd, size, crc32c);
    }
}
