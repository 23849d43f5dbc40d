package smtpd.queue.bounce;

import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import smtpd.sys.Fd;
import smtpd.sys.SysException;

/**
 * What a notice shows of the mail it is about: its header, and for small mail the whole.
 *
 * @param header lines of the header, each with its LF, at most 32 KiB of whole lines
 * @param whole all of it, when it is not larger than {@link #MAX_WHOLE}; else null
 */
record OriginalMessage(byte[] header, byte[] whole) {

    /** Largest original that is returned in full. */
    static final int MAX_WHOLE = 50_000;

    private static final int MAX_HEADER = 32 << 10;

    static OriginalMessage missing() {
        return new OriginalMessage(new byte[0], null);
    }

    /**
     * @param size bytes of the message; {@code length} of them are here
     */
    static OriginalMessage of(byte[] bytes, int offset, int length, long size) {
        int end = offset;
        int limit = offset + Math.min(length, MAX_HEADER);
        int line = offset;
        for (int i = offset; i < limit; i++) {
            if (bytes[i] == '\n') {
                if (i == line) {
                    break; // the empty line that ends the header
                }
                line = i + 1;
                end = line;
            }
        }
        byte[] header = java.util.Arrays.copyOfRange(bytes, offset, end);
        byte[] whole =
                size <= MAX_WHOLE && length == size
                        ? java.util.Arrays.copyOfRange(bytes, offset, offset + length)
                        : null;
        return new OriginalMessage(header, whole);
    }

    /** Reads the beginning of a file and closes it, off the loop. */
    static CompletionStage<OriginalMessage> read(int fd) {
        CompletableFuture<OriginalMessage> read = new CompletableFuture<>();
        Thread.ofPlatform()
                .name("bounce-read")
                .daemon()
                .start(
                        () -> {
                            try {
                                byte[] start = new byte[MAX_WHOLE];
                                int n = 0;
                                int got;
                                while (n < start.length
                                        && (got = Fd.pread(fd, start, n, start.length - n, n))
                                                > 0) {
                                    n += got;
                                }
                                read.complete(of(start, 0, n, Fd.stat(fd).size()));
                            } catch (SysException e) {
                                read.complete(missing());
                            } finally {
                                Fd.closeQuietly(fd);
                            }
                        });
        return read;
    }

    /** The first field of this name, unfolded; empty when there is none. */
    String field(String name) {
        String wanted = name.toLowerCase(Locale.ROOT) + ":";
        String text = new String(header, StandardCharsets.UTF_8);
        StringBuilder value = null;
        for (String line : text.split("\n")) {
            if (value != null) {
                if (line.startsWith(" ") || line.startsWith("\t")) {
                    value.append(' ').append(line.strip());
                    continue;
                }
                break;
            }
            if (line.length() >= wanted.length()
                    && line.substring(0, wanted.length()).toLowerCase(Locale.ROOT).equals(wanted)) {
                value = new StringBuilder(line.substring(wanted.length()).strip());
            }
        }
        return value == null ? "" : value.toString();
    }
}
