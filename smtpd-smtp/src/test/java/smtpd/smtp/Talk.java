package smtpd.smtp;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A real client on a real socket: sends bytes, reads replies, waits at most ten seconds. */
final class Talk implements AutoCloseable {

    private static final long PATIENCE_MILLIS = 10_000;

    private final SocketChannel channel;
    private final Selector selector;
    private final StringBuilder unread = new StringBuilder();
    private boolean ended;

    private Talk(SocketAddress address, SocketChannel channel) {
        try {
            this.channel = channel;
            channel.connect(address);
            channel.configureBlocking(false);
            selector = Selector.open();
            channel.register(selector, SelectionKey.OP_READ);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Talk to(InetSocketAddress address) {
        try {
            return new Talk(address, SocketChannel.open());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Talk to(Path socket) {
        try {
            return new Talk(
                    UnixDomainSocketAddress.of(socket),
                    SocketChannel.open(StandardProtocolFamily.UNIX));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Talk send(String text) {
        return send(text.getBytes(ISO_8859_1));
    }

    Talk send(byte[] bytes) {
        try {
            ByteBuffer buffer = ByteBuffer.wrap(bytes);
            long deadline = System.nanoTime() + PATIENCE_MILLIS * 1_000_000;
            while (buffer.hasRemaining()) {
                if (channel.write(buffer) == 0) {
                    if (System.nanoTime() > deadline) {
                        throw new AssertionError("the server does not read");
                    }
                    Thread.onSpinWait();
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return this;
    }

    /** Sends what it can within the time; gives how many bytes that was. */
    int trySend(byte[] bytes, long millis) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        long deadline = System.nanoTime() + millis * 1_000_000;
        try {
            while (buffer.hasRemaining() && System.nanoTime() < deadline) {
                channel.write(buffer);
            }
        } catch (IOException e) {
            return buffer.position();
        }
        return buffer.position();
    }

    Talk half() {
        try {
            channel.shutdownOutput();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return this;
    }

    private boolean fill() {
        try {
            ByteBuffer buffer = ByteBuffer.allocate(8192);
            if (selector.select(PATIENCE_MILLIS) == 0) {
                throw new AssertionError("no reply; so far: " + unread);
            }
            selector.selectedKeys().clear();
            int count = channel.read(buffer);
            if (count < 0) {
                ended = true;
                return false;
            }
            unread.append(new String(buffer.array(), 0, count, ISO_8859_1));
            return true;
        } catch (IOException e) {
            ended = true;
            return false;
        }
    }

    /** The next line without CR LF; null at the end. */
    String line() {
        while (true) {
            int end = unread.indexOf("\r\n");
            if (end >= 0) {
                String line = unread.substring(0, end);
                unread.delete(0, end + 2);
                return line;
            }
            if (ended || !fill()) {
                return null;
            }
        }
    }

    /** The next reply, lines joined by {@code |}; null at the end. */
    String readReply() {
        String line = line();
        StringBuilder reply = new StringBuilder();
        while (line != null) {
            reply.append(reply.isEmpty() ? "" : "|").append(line);
            if (line.length() < 4 || line.charAt(3) != '-') {
                return reply.toString();
            }
            line = line();
        }
        return reply.isEmpty() ? null : reply.toString();
    }

    /** The next reply begins so. */
    String expect(String start) {
        String reply = readReply();
        if (reply == null || !reply.startsWith(start)) {
            throw new AssertionError("got " + reply + " instead of " + start);
        }
        return reply;
    }

    /** Several replies in order. */
    void expectAll(String... starts) {
        for (String start : starts) {
            expect(start);
        }
    }

    /** The server closes and says nothing more. */
    void expectEnd() {
        String reply = readReply();
        if (reply != null) {
            throw new AssertionError("got " + reply + " instead of the end");
        }
    }

    /** All replies until the server closes. */
    List<String> rest() {
        List<String> replies = new ArrayList<>();
        String reply = readReply();
        while (reply != null) {
            replies.add(reply);
            reply = readReply();
        }
        return replies;
    }

    /** Sends a command and gives its reply. */
    String ask(String command) {
        return send(command + "\r\n").readReply();
    }

    InetSocketAddress local() {
        try {
            return (InetSocketAddress) channel.getLocalAddress();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Goes away without a word, by RST. */
    void reset() {
        try {
            channel.setOption(java.net.StandardSocketOptions.SO_LINGER, 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        close();
    }

    @Override
    public void close() {
        try {
            selector.close();
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
