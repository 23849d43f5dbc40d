package smtpd.mta.session;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.EventLoop;
import java.util.ArrayDeque;

/**
 * Commands out, replies in. The commands that wait for a reply stand in a queue, replies are
 * matched in order (RFC 2920), and the clock runs for the first of them.
 */
final class Dialogue {

    /**
     * A command whose reply is due.
     *
     * @param attempt the transaction it belongs to; null = none
     * @param recipient index in it
     * @param dropped whatever is answered, it changes nothing
     */
    record Awaited(Phase phase, Attempt attempt, int recipient, boolean dropped) {}

    private final Timeouts timeouts;
    private final SessionTrace trace;
    private final Deadline deadline;
    private final ArrayDeque<Awaited> awaited = new ArrayDeque<>();
    private Channel channel;

    /**
     * @param expired called when a reply has not come whole in its time
     */
    Dialogue(Timeouts timeouts, EventLoop loop, SessionTrace trace, Runnable expired) {
        this.timeouts = timeouts;
        this.trace = trace;
        this.deadline = new Deadline(loop, trace, expired);
    }

    /** From now on over this connection. */
    void over(Channel to) {
        channel = to;
    }

    Channel channel() {
        return channel;
    }

    // -- out

    ByteBuf buffer() {
        return channel.alloc().directBuffer(512);
    }

    void send(ByteBuf out) {
        trace.commands(out, out.readerIndex());
        channel.writeAndFlush(out);
    }

    /** Content has all been handed over: when the kernel has it too, its reply is waited for. */
    void sendEnd(ByteBuf out) {
        channel.writeAndFlush(out)
                .addListener(
                        (ChannelFuture written) -> {
                            if (written.isSuccess()
                                    && deadline.phase() == Phase.BODY
                                    && !awaited.isEmpty()) {
                                arm(awaited.peek().phase());
                            }
                        });
    }

    // -- in

    void await(Phase phase) {
        await(phase, null, 0, false);
    }

    void await(Phase phase, Attempt attempt, int recipient, boolean dropped) {
        awaited.add(new Awaited(phase, attempt, recipient, dropped));
        if (awaited.size() == 1) {
            arm(phase);
        }
    }

    /** True when no reply is due. */
    boolean isQuiet() {
        return awaited.isEmpty();
    }

    /** What the reply that has just come answers. */
    Awaited answered() {
        return awaited.poll();
    }

    /** The next reply due; null = none. */
    Awaited due() {
        return awaited.peek();
    }

    /** Nothing is waited for any more. */
    void forget() {
        awaited.clear();
    }

    // -- time

    /** What is waited for. */
    Phase phase() {
        return awaited.isEmpty() ? deadline.phase() : awaited.peek().phase();
    }

    /** What the clock runs for. */
    Phase timed() {
        return deadline.phase();
    }

    void arm(Phase phase) {
        deadline.arm(phase, timeouts.of(phase));
    }

    void arm(Phase phase, long millis) {
        deadline.arm(phase, millis);
    }

    /** After a reply: the clock runs for the next one. */
    void armNext() {
        if (!awaited.isEmpty()) {
            arm(awaited.peek().phase());
        }
    }

    void end() {
        awaited.clear();
        deadline.end();
    }
}
