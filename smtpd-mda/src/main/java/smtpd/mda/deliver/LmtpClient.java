package smtpd.mda.deliver;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/**
 * One LMTP dialogue (RFC 2033): a transaction with one recipient, and the reply that belongs to it.
 *
 * <p>What the server says decides by its first digit; anything that is no reply is temporary. A
 * connection that is lost before the last reply may have delivered: also temporary.
 */
final class LmtpClient {

    static final int REPLY_MILLIS = 60_000;
    private static final int QUIT_MILLIS = 5_000;
    private static final int MAX_LINE = 4096;
    private static final int MAX_LINES = 100;

    private final LmtpWire wire;
    private final long deadline;
    private final byte[] in = new byte[4096];
    private int inAt;
    private int inEnd;
    private boolean eightBit;
    private boolean utf8;

    /**
     * @param deadline {@link System#nanoTime} at which the whole delivery ends
     */
    LmtpClient(LmtpWire wire, long deadline) {
        this.wire = wire;
        this.deadline = deadline;
    }

    /** A client for the next transaction of a connection that was greeted before. */
    LmtpClient again(long newDeadline) {
        LmtpClient next = new LmtpClient(wire, newDeadline);
        next.eightBit = eightBit;
        next.utf8 = utf8;
        return next;
    }

    LmtpWire wire() {
        return wire;
    }

    /** Reads the greeting and says LHLO; null when the server is ready. */
    Verdict greet(String serverName) {
        try {
            Reply reply = reply(REPLY_MILLIS);
            if (reply.code != 220) {
                return refused("greeting", reply);
            }
            reply = command("LHLO " + serverName);
            if (reply.digit() != 2) {
                return refused("LHLO", reply);
            }
            return null;
        } catch (IOException e) {
            return lost(e);
        }
    }

    Verdict deliver(Job job, String rcptTo, Content content, CopyBuffer copy) {
        try {
            StringBuilder mail = new StringBuilder("MAIL FROM:<").append(job.sender()).append('>');
            if (eightBit && job.eightBit()) {
                mail.append(" BODY=8BITMIME");
            }
            if (utf8 && !isAscii(mail, rcptTo)) {
                mail.append(" SMTPUTF8");
            }
            Reply reply = command(mail.toString());
            if (reply.digit() != 2) {
                return refused("MAIL", reply);
            }
            reply = command("RCPT TO:<" + rcptTo + ">");
            if (reply.digit() != 2) {
                return refused("RCPT", reply);
            }
            reply = command("DATA");
            if (reply.code != 354) {
                return refused("DATA", reply);
            }
            int r = data(job, content, copy);
            if (r < 0) {
                return Fault.verdict(-r, "content");
            }
            reply = reply(Integer.MAX_VALUE);
            return reply.digit() == 2
                    ? new Verdict.Delivered(reply.text.isEmpty() ? "Delivered" : reply.text)
                    : refused("end of data", reply);
        } catch (IOException e) {
            return lost(e);
        }
    }

    /** Says goodbye; whatever comes back, the result stands. */
    void quit() {
        try {
            write("QUIT\r\n");
            reply(QUIT_MILLIS);
        } catch (IOException e) {
            // the result stands
        }
        wire.close();
    }

    private static boolean isAscii(CharSequence a, String b) {
        return a.chars().allMatch(c -> c < 0x80) && b.chars().allMatch(c -> c < 0x80);
    }

    /** Dot-stuffed, with CRLF; minus an error number when the content cannot be read. */
    private int data(Job job, Content content, CopyBuffer copy) throws IOException {
        DotStuffing out = new DotStuffing();
        out.add(Preamble.lmtpHeaders(job));
        MemorySegment buffer = copy.first();
        ContentReader reader = new ContentReader(content, buffer);
        byte[] chunk = new byte[Content.CHUNK];
        int n;
        while ((n = reader.next()) > 0) {
            MemorySegment.copy(buffer, ValueLayout.JAVA_BYTE, 0, chunk, 0, n);
            out.add(chunk, n);
        }
        if (n < 0) {
            return n; // the connection is closed without the final dot: nothing is delivered
        }
        out.end();
        return 0;
    }

    private Reply command(String line) throws IOException {
        write(line + "\r\n");
        return reply(REPLY_MILLIS);
    }

    private void write(String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        wire.write(bytes, bytes.length, remaining(REPLY_MILLIS));
    }

    private int remaining(int limit) throws IOException {
        long left = (deadline - System.nanoTime()) / 1_000_000;
        if (left <= 0) {
            throw new InterruptedIOException("timeout");
        }
        return (int) Math.min(left, limit);
    }

    private record Reply(int code, String text) {
        int digit() {
            return code / 100;
        }
    }

    private Reply reply(int timeoutMillis) throws IOException {
        long until = System.nanoTime() + timeoutMillis * 1_000_000L;
        byte[] line = new byte[MAX_LINE];
        for (int lines = 0; lines < MAX_LINES; lines++) {
            int length = line(line, until);
            int code = code(line, length);
            if (code < 0) {
                return new Reply(0, OutputTail.printable(line, length));
            }
            String text = OutputTail.printable(line, length);
            String rest = length > 4 ? text.substring(Math.min(4, text.length())) : "";
            extension(rest);
            if (length < 4 || line[3] != '-') {
                return new Reply(code, rest);
            }
        }
        throw new IOException("reply has too many lines");
    }

    private void extension(String text) {
        String word = text.toUpperCase(Locale.ROOT);
        eightBit |= word.equals("8BITMIME");
        utf8 |= word.equals("SMTPUTF8");
    }

    private static int code(byte[] line, int length) {
        if (length < 3 || (length > 3 && line[3] != ' ' && line[3] != '-')) {
            return -1;
        }
        int code = 0;
        for (int i = 0; i < 3; i++) {
            if (line[i] < '0' || line[i] > '9') {
                return -1;
            }
            code = code * 10 + line[i] - '0';
        }
        return code;
    }

    private int line(byte[] into, long until) throws IOException {
        int length = 0;
        while (true) {
            if (inAt == inEnd) {
                long left = (until - System.nanoTime()) / 1_000_000;
                if (left <= 0) {
                    throw new InterruptedIOException("timeout");
                }
                inAt = 0;
                inEnd = 0;
                int n = wire.read(in, remaining((int) Math.min(left, Integer.MAX_VALUE)));
                if (n < 0) {
                    throw new IOException("connection closed");
                }
                inEnd = n;
                continue;
            }
            byte b = in[inAt++];
            if (b == '\n') {
                return length > 0 && into[length - 1] == '\r' ? length - 1 : length;
            }
            if (length == MAX_LINE) {
                throw new IOException("reply line is too long");
            }
            into[length++] = b;
        }
    }

    private static Verdict refused(String step, Reply reply) {
        String text = reply.code == 0 ? step + ": " + reply.text : reply.code + " " + reply.text;
        String cut = text.length() > OutputTail.MAX ? text.substring(0, OutputTail.MAX) : text;
        return switch (reply.digit()) {
            case 4 -> Verdict.temporary(enhanced(reply.text, '4', "4.0.0"), cut);
            case 5 -> new Verdict.Permanent(enhanced(reply.text, '5', "5.0.0"), cut);
            default -> Verdict.temporary("4.5.0", cut);
        };
    }

    /** The enhanced code at the start of a reply's text (RFC 2034), when its class is right. */
    private static String enhanced(String text, char digit, String otherwise) {
        int blank = text.indexOf(' ');
        String word = blank < 0 ? text : text.substring(0, blank);
        if (word.length() < 5 || word.length() > 9 || word.charAt(0) != digit) {
            return otherwise;
        }
        int dots = 0;
        for (int i = 0; i < word.length(); i++) {
            char c = word.charAt(i);
            if (c == '.') {
                dots++;
            } else if (c < '0' || c > '9') {
                return otherwise;
            }
        }
        return dots == 2 && !word.endsWith(".") && !word.contains("..") ? word : otherwise;
    }

    private static Verdict lost(IOException e) {
        return Verdict.temporary(
                "4.4.2",
                e instanceof InterruptedIOException
                        ? "LMTP server does not answer"
                        : "LMTP connection lost");
    }

    /** RFC 5321 4.5.2, with a buffer of its own. */
    private final class DotStuffing {

        private final byte[] out = new byte[Content.CHUNK];
        private int used;
        private boolean lineStart = true;

        void add(byte[] bytes) throws IOException {
            add(bytes, bytes.length);
        }

        void add(byte[] bytes, int count) throws IOException {
            for (int i = 0; i < count; i++) {
                byte b = bytes[i];
                if (used > out.length - 3) {
                    flush();
                }
                if (lineStart && b == '.') {
                    out[used++] = '.';
                }
                lineStart = b == '\n';
                if (lineStart) {
                    out[used++] = '\r';
                }
                out[used++] = b;
            }
        }

        void end() throws IOException {
            if (!lineStart) {
                add(new byte[] {'\n'});
            }
            if (used > out.length - 3) {
                flush();
            }
            out[used++] = '.';
            out[used++] = '\r';
            out[used++] = '\n';
            flush();
        }

        private void flush() throws IOException {
            wire.write(out, used, remaining(REPLY_MILLIS));
            used = 0;
        }
    }
}
