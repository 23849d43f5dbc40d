package smtpd.conf;

import java.util.Optional;
import smtpd.table.TableRef;

/**
 * A place to accept SMTP sessions, as declared. Which addresses {@code on} means only the parent
 * knows (it binds them); each of them gets a socket.
 *
 * @param id place in the configuration, from 0
 * @param on interface, interface group, address, host name, {@code all} or {@code egress}
 * @param port from 1 to 65535
 * @param tag label of its sessions; empty: none
 * @param hostname banner, EHLO and Received name; absent: the server name
 * @param hostnames mapping from the local address of a connection to that name
 * @param maskSource leave the client out of our Received header
 * @param dsn offer DSN (RFC 3461)
 */
public record Listener(
        int id,
        Position at,
        String on,
        Family family,
        int port,
        String tag,
        Optional<String> hostname,
        Optional<TableRef> hostnames,
        boolean maskSource,
        boolean dsn) {

    /** Address families to use. */
    public enum Family {
        ANY,
        INET4,
        INET6
    }

    /**
     * Options of the submission socket, which exists whether declared or not.
     *
     * @param tag label of its sessions; empty: {@code local}
     */
    public record Socket(String tag, boolean maskSource, boolean dsn) {
        public static final Socket DEFAULT = new Socket("", false, true);
    }
}
