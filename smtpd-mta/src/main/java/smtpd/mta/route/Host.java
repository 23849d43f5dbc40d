package smtpd.mta.route;

import java.net.InetAddress;

/** One address of a mail host. */
final class Host extends Counted {

    final InetAddress address;

    /** The last name it was found under. */
    String name;

    Host(InetAddress address, String name) {
        this.address = address;
        this.name = name;
    }
}
