package smtpd.mta.route;

import java.net.InetAddress;

/** One address of a mail host. */
final class Host extends Counted {

    final InetAddress address;

    /** What the DNS calls it (PTR, confirmed by its own addresses); empty while not known. */
    String name = "";

    boolean nameAsked;

    Host(InetAddress address) {
        this.address = address;
    }
}
