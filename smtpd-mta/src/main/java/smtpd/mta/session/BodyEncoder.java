package smtpd.mta.session;

import io.netty.buffer.ByteBuf;

/**
 * Content as it goes on the wire: LF becomes CR LF, a line that starts with a dot gets another (RFC
 * 5321 4.5.2), a bare CR or a NUL becomes a space. The stuffing looks at the <em>output</em>, so no
 * unstuffed {@code CR LF .} can arise, wherever the pieces are cut.
 */
final class BodyEncoder {

    private boolean lineStart = true;
    private boolean carriageReturn;
    private int fixed;

    /** How many bytes had to be replaced. */
    int fixed() {
        return fixed;
    }

    void encode(byte[] in, int offset, int length, ByteBuf out) {
        out.ensureWritable(length + length / 16 + 64);
        int end = offset + length;
        int from = offset;
        for (int i = offset; i < end; i++) {
            byte value = in[i];
            if (carriageReturn) {
                // The CR before this byte was held back: it is part of a line end or bare.
                carriageReturn = false;
                if (value != '\n') {
                    replace(out);
                }
                from = i;
            }
            if (lineStart) {
                if (value == '.') {
                    out.writeByte('.');
                }
                lineStart = false;
            }
            if (value > '\r') {
                continue;
            }
            if (value == '\n') {
                out.writeBytes(in, from, i - from);
                out.writeByte('\r').writeByte('\n');
                from = i + 1;
                lineStart = true;
            } else if (value == '\r') {
                out.writeBytes(in, from, i - from);
                from = i + 1;
                carriageReturn = true;
            } else if (value == 0) {
                out.writeBytes(in, from, i - from);
                replace(out);
                from = i + 1;
            }
        }
        out.writeBytes(in, from, Math.max(0, end - from));
    }

    /** Ends the last line if need be, and the content: {@code CR LF . CR LF}. */
    void finish(ByteBuf out) {
        if (carriageReturn) {
            carriageReturn = false;
            replace(out);
            lineStart = false;
        }
        if (!lineStart) {
            out.writeByte('\r').writeByte('\n');
        }
        out.writeByte('.').writeByte('\r').writeByte('\n');
    }

    private void replace(ByteBuf out) {
        out.writeByte(' ');
        fixed++;
    }
}
