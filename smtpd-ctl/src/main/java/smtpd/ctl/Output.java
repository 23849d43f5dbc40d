package smtpd.ctl;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/**
 * Standard output. Unlike a PrintStream it does not hide that the reader went away, and it writes
 * in large pieces.
 */
final class Output {

    /** Nobody reads any more ({@code smtpctl show queue | head}): the command ends quietly. */
    static final class ReaderGone extends RuntimeException {
        private static final long serialVersionUID = 1L;

        ReaderGone() {
            super(null, null, false, false);
        }
    }

    private static final int PIECE = 16 << 10;

    private final OutputStream out;
    private final byte[] buffer = new byte[PIECE];
    private int used;

    Output(OutputStream out) {
        this.out = out;
    }

    void line(String text) {
        bytes(text.getBytes(StandardCharsets.UTF_8));
        bytes(new byte[] {'\n'});
    }

    void bytes(byte[] bytes) {
        if (bytes.length > buffer.length - used) {
            flush();
        }
        if (bytes.length > buffer.length) {
            write(bytes, bytes.length);
        } else {
            System.arraycopy(bytes, 0, buffer, used, bytes.length);
            used += bytes.length;
        }
    }

    void flush() {
        int length = used;
        used = 0;
        write(buffer, length);
        try {
            out.flush();
        } catch (IOException e) {
            throw gone(e);
        }
    }

    private void write(byte[] bytes, int length) {
        if (length == 0) {
            return;
        }
        try {
            out.write(bytes, 0, length);
        } catch (IOException e) {
            throw gone(e);
        }
    }

    private static RuntimeException gone(IOException e) {
        String reason = String.valueOf(e.getMessage());
        return reason.contains("Broken pipe") || reason.contains("Pipe")
                ? new ReaderGone()
                : new UncheckedIOException(e);
    }
}
