package smtpd.imsg;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.Arrays;

/**
 * One end of a connection: IPv4, IPv6 with its scope, or the local machine's Unix-domain socket.
 *
 * @param ip 4 or 16 bytes in network order; empty for a Unix-domain peer
 * @param port 0 to 65535; 0 when there is none
 * @param scope IPv6 scope id, else 0
 */
public record SocketAddr(byte[] ip, int port, int scope) {

    public static final SocketAddr LOCAL = new SocketAddr(new byte[0], 0, 0);

    public SocketAddr {
        if (ip.length != 0 && ip.length != 4 && ip.length != 16) {
            throw new IllegalArgumentException("address of " + ip.length + " bytes");
        }
    }

    public static SocketAddr of(InetSocketAddress address) {
        return of(address.getAddress(), address.getPort());
    }

    public static SocketAddr of(InetAddress address, int port) {
        int scope = address instanceof Inet6Address six ? six.getScopeId() : 0;
        return new SocketAddr(address.getAddress(), port, scope);
    }

    public boolean isLocal() {
        return ip.length == 0;
    }

    public boolean isIpv4() {
        return ip.length == 4;
    }

    public boolean isIpv6() {
        return ip.length == 16;
    }

    /**
     * The same as a socket address of the JDK; no name is looked up.
     *
     * @throws IllegalStateException for a Unix-domain peer
     */
    public InetSocketAddress toInetSocketAddress() {
        return new InetSocketAddress(toInetAddress(), port);
    }

    public InetAddress toInetAddress() {
        if (isLocal()) {
            throw new IllegalStateException("a local peer has no address");
        }
        try {
            // The JDK prints a scope it was given, even 0: "::1%0" must not reach headers or logs.
            return isIpv6() && scope != 0
                    ? Inet6Address.getByAddress(null, ip, scope)
                    : InetAddress.getByAddress(ip);
        } catch (UnknownHostException e) {
            throw new IllegalStateException(e);
        }
    }

    /** {@code 192.0.2.1}, {@code 2001:db8::1} in the JDK's long form, or {@code local}. */
    public String host() {
        return isLocal() ? "local" : toInetAddress().getHostAddress();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof SocketAddr a
                && port == a.port
                && scope == a.scope
                && Arrays.equals(ip, a.ip);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(ip) * 31 + port;
    }

    @Override
    public String toString() {
        if (isLocal()) {
            return "local";
        }
        return isIpv6() ? "[" + host() + "]:" + port : host() + ":" + port;
    }
}
