package smtpd.mda.deliver;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;

/**
 * The connection to an LMTP server, whatever kind of socket it is. One thread uses it at a time.
 */
interface LmtpWire extends AutoCloseable {

    /**
     * Reads what is there, waiting at most so long.
     *
     * @return bytes read, −1 at the end
     * @throws SocketTimeoutException when nothing came
     */
    int read(byte[] into, int timeoutMillis) throws IOException;

    void write(byte[] bytes, int count, int timeoutMillis) throws IOException;

    @Override
    void close();

    /** Connects by TCP. */
    static LmtpWire tcp(InetSocketAddress address, int timeoutMillis) throws IOException {
        Socket socket = new Socket();
        try {
            socket.connect(address, timeoutMillis);
            socket.setTcpNoDelay(true);
        } catch (IOException e) {
            socket.close();
            throw e;
        }
        return new Tcp(socket);
    }

    /** A TCP connection. */
    final class Tcp implements LmtpWire {

        private final Socket socket;

        Tcp(Socket socket) {
            this.socket = socket;
        }

        @Override
        public int read(byte[] into, int timeoutMillis) throws IOException {
            socket.setSoTimeout(Math.max(1, timeoutMillis));
            return socket.getInputStream().read(into);
        }

        // A blocked write is bounded by the kernel's retransmission and by the watch that closes
        // the socket at the delivery's deadline.
        @Override
        public void write(byte[] bytes, int count, int timeoutMillis) throws IOException {
            socket.getOutputStream().write(bytes, 0, count);
        }

        @Override
        public void close() {
            try {
                socket.close();
            } catch (IOException e) {
                // nothing is left to lose
            }
        }
    }
}
