package smtpd.smtp;

import java.net.InetSocketAddress;
import smtpd.imsg.SocketAddr;

/**
 * Who is at the other end.
 *
 * @param address IP address and port, or the local machine
 * @param text the address as logs show it: {@code 192.0.2.1}, {@code 2001:db8::1} or {@code local}
 * @param uid of a local peer, else -1
 */
record Client(SocketAddr address, String text, long uid) {

    static Client of(InetSocketAddress peer) {
        SocketAddr address = SocketAddr.of(peer);
        return new Client(address, IpText.format(address.ip()), -1);
    }

    static Client local(long uid) {
        return new Client(SocketAddr.LOCAL, "local", uid);
    }

    boolean isLocal() {
        return address.isLocal();
    }

    /** As in greetings and Received: IPv6 with its tag. */
    String tagged() {
        return address.isIpv6() ? "IPv6:" + text : text;
    }
}
