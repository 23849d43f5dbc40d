package smtpd.mta.route;

import java.net.InetAddress;

/** A local address to send from. */
final class Source extends Counted {

    /** Null = the system chooses. */
    final InetAddress address;

    long brokenUntil = NEVER;

    Source(InetAddress address) {
        this.address = address;
    }

    /** {@code []} when the system chooses, an IPv6 address in brackets. */
    String text() {
        return address == null ? "[]" : text(address);
    }

    static String text(InetAddress address) {
        String text = address.getHostAddress();
        return address.getAddress().length == 16 ? "[" + text + "]" : text;
    }
}
