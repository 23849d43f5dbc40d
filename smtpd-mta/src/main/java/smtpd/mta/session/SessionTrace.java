package smtpd.mta.session;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import java.nio.charset.StandardCharsets;
import smtpd.log.Trace;

/**
 * What {@code smtpctl trace mta} and {@code trace io} show of an outgoing session. Content is
 * counted, never shown. Each method is a field read while its word is off.
 */
final class SessionTrace {

    private final long id;
    private Phase phase = Phase.CONNECT;

    SessionTrace(long id) {
        this.id = id;
    }

    /** Command lines, each ended by CR LF: the bytes of the buffer from {@code start} on. */
    void commands(ByteBuf out, int start) {
        if (!Trace.MTA.isOn()) {
            return;
        }
        int from = start;
        while (from < out.writerIndex()) {
            int lf = out.indexOf(from, out.writerIndex(), (byte) '\n');
            int end = lf < 0 ? out.writerIndex() : lf - 1;
            Trace.MTA.line(
                    id, "out", shown(out.toString(from, end - from, StandardCharsets.UTF_8)));
            from = lf < 0 ? end : lf + 1;
        }
    }

    private static String shown(String line) {
        return line.startsWith("AUTH ") ? "AUTH [redacted]" : line;
    }

    /** Encoded bytes of a content were handed to the socket. */
    void piece(int length) {
        if (Trace.MTA.isOn()) {
            Trace.MTA.line(id, "out", "[..." + length + " bytes...]");
        }
    }

    void endOfContent() {
        if (Trace.MTA.isOn()) {
            Trace.MTA.line(id, "out", "[EOM]");
        }
    }

    void reply(Reply reply) {
        if (Trace.MTA.isOn()) {
            Trace.MTA.line(id, "in", reply.text());
        }
    }

    /** While the end of a content leaves, its reply is waited for already: no step back. */
    void phase(Phase to) {
        if (to == phase || (to == Phase.BODY && phase == Phase.EOM)) {
            return;
        }
        if (Trace.MTA.isOn()) {
            Trace.MTA.line(id, "", phase + " -> " + to);
        }
        phase = to;
    }

    void closed(SessionEnd.Cause cause, String text) {
        if (Trace.MTA.isOn()) {
            Trace.MTA.line(
                    id, "", phase + " -> CLOSED " + cause + (text.isEmpty() ? "" : ": " + text));
        }
    }

    void connecting(SessionSpec spec) {
        if (Trace.MTA.isOn()) {
            Trace.MTA.line(
                    id, "", "connecting to " + spec.peer() + " port " + spec.remote().getPort());
        }
    }

    /**
     * An event of the connection.
     *
     * @param in bytes that came with it
     */
    void io(String event, Channel channel, int in) {
        if (Trace.IO.isOn()) {
            var waiting = channel.unsafe().outboundBuffer();
            long out = waiting == null ? 0 : waiting.totalPendingWriteBytes();
            Trace.IO.line(id, "", event + " ib=" + in + " ob=" + out);
        }
    }
}
