package smtpd.ctl;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.function.Consumer;
import smtpd.imsg.CtlToControl;
import smtpd.imsg.FrameHeader;

/** The connection to control: one question at a time, blocking. */
final class Daemon implements AutoCloseable {

    private final SocketChannel channel;
    private final ByteBuffer in = ByteBuffer.allocate(2 * FrameHeader.CAP);

    private Daemon(SocketChannel channel) {
        this.channel = channel;
        in.flip();
    }

    /**
     * Connects.
     *
     * @throws Failure with status 4 when nobody listens there
     */
    static Daemon connect(Path socket) {
        try {
            SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
            try {
                channel.connect(UnixDomainSocketAddress.of(socket));
                return new Daemon(channel);
            } catch (IOException e) {
                channel.close();
                throw refused(socket, e);
            }
        } catch (IOException e) {
            throw refused(socket, e);
        }
    }

    private static Failure refused(Path socket, IOException e) {
        String reason = String.valueOf(e.getMessage());
        if (reason.contains("ermission denied")) {
            return new Failure(Exit.NOT_PERMITTED, socket + ": permission denied");
        }
        if (reason.contains("ath too long")) {
            return new Failure(Exit.COMMAND_LINE, socket + ": path too long for a socket");
        }
        return new Failure(Exit.NOT_RUNNING, "smtpd doesn't seem to be running");
    }

    /**
     * Asks and hands each part of the answer to {@code rows}.
     *
     * @return the end of the answer, which may be a refusal
     * @throws Failure when the user may not ask, or the connection breaks
     */
    Answer.Done ask(Request request, Consumer<Answer> rows) {
        send(request);
        while (true) {
            Answer answer = next();
            if (answer instanceof Answer.Done done) {
                return checked(done);
            }
            rows.accept(answer);
        }
    }

    private void send(Request request) {
        try {
            ByteBuffer out = request.bytes();
            while (out.hasRemaining()) {
                channel.write(out);
            }
        } catch (IOException e) {
            // It closed: what it said before, if anything, is still to be read.
            return;
        }
    }

    private static Answer.Done checked(Answer.Done done) {
        if (!done.ok() && done.count() == CtlToControl.NOT_PERMITTED) {
            throw new Failure(Exit.NOT_PERMITTED, "not permitted: this needs root");
        }
        return done;
    }

    private Answer next() {
        need(FrameHeader.SIZE);
        int start = in.position();
        int length = in.getInt(start);
        int type = in.getShort(start + 4) & 0xffff;
        int protocol = in.getInt(start + 8);
        if (protocol != CtlToControl.PROTOCOL) {
            throw new Failure(
                    Exit.PROTOCOL,
                    "incompatible smtpctl and smtpd: they speak "
                            + CtlToControl.PROTOCOL
                            + " and "
                            + Integer.toUnsignedString(protocol));
        }
        if (length < FrameHeader.SIZE || length > FrameHeader.CAP) {
            throw new Failure(Exit.PROTOCOL, "smtpd answers with a frame of " + length + " bytes");
        }
        need(length);
        ByteBuffer body = in.slice(in.position() + FrameHeader.SIZE, length - FrameHeader.SIZE);
        in.position(in.position() + length);
        return Answer.read(type, body);
    }

    private void need(int bytes) {
        try {
            while (in.remaining() < bytes) {
                in.compact();
                int count;
                try {
                    count = channel.read(in);
                } finally {
                    in.flip();
                }
                if (count < 0) {
                    throw new Failure(Exit.LOST, "connection lost");
                }
            }
        } catch (IOException e) {
            throw new Failure(Exit.LOST, "connection lost");
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            return; // nothing is lost: all was read
        }
    }
}
