package smtpd.parent;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import smtpd.conf.Config;
import smtpd.conf.Listener;
import smtpd.imsg.SocketAddr;
import smtpd.sys.Errno;
import smtpd.sys.Sockets;
import smtpd.sys.SysException;

/**
 * The sockets that outlive every child: bound and listening in the parent, so that a restart
 * refuses no client.
 *
 * @param control Unix-domain socket for smtpctl
 * @param smtp in the order of the configuration; the local submission socket has listener -1
 */
record BoundSockets(int control, List<Bound> smtp) {

    /** Waiting connections a listener holds while smtp is away. */
    static final int BACKLOG = 1024;

    private static final int CONTROL_BACKLOG = 64;

    /** Everybody may connect; what a client may do is decided by its uid. */
    private static final int SOCKET_MODE = 0666;

    /**
     * One listening socket.
     *
     * @param listener number in the configuration, -1 for the submission socket
     */
    record Bound(int listener, SocketAddr address, int fd) {}

    /**
     * Binds everything a configuration names.
     *
     * @throws StartFailure naming file, line and address
     */
    static BoundSockets bind(Config config) throws StartFailure {
        String path = config.instance().socket().toString();
        if (Sockets.answers(path)) {
            throw new StartFailure("another smtpd is already listening on " + path);
        }
        int control = unix(path, CONTROL_BACKLOG);
        List<Bound> bound = new ArrayList<>();
        for (Listener listener : config.listeners()) {
            bound.addAll(bind(listener));
        }
        String submission = config.instance().submission().toString();
        bound.add(new Bound(-1, SocketAddr.LOCAL, unix(submission, BACKLOG)));
        return new BoundSockets(control, List.copyOf(bound));
    }

    private static int unix(String path, int backlog) throws StartFailure {
        try {
            return Sockets.listenUnix(path, SOCKET_MODE, backlog);
        } catch (SysException e) {
            throw new StartFailure("cannot listen on " + path + ": " + e.getMessage());
        }
    }

    private static List<Bound> bind(Listener listener) throws StartFailure {
        List<Bound> bound = new ArrayList<>();
        Set<InetAddress> addresses;
        try {
            addresses = new ListenAddresses(Path.of("/")).of(listener);
        } catch (ListenAddresses.None e) {
            throw new StartFailure(listener.at() + ": " + e.getMessage());
        }
        SysException last = null;
        for (InetAddress address : addresses) {
            InetSocketAddress where = new InetSocketAddress(address, listener.port());
            try {
                int fd = Sockets.listenTcp(where, BACKLOG);
                bound.add(new Bound(listener.id(), SocketAddr.of(where), fd));
            } catch (SysException e) {
                boolean absentFamily =
                        addresses.size() > 1
                                && (e.errno() == Errno.EADDRNOTAVAIL
                                        || e.errno() == Errno.EAFNOSUPPORT);
                if (!absentFamily) {
                    throw new StartFailure(
                            listener.at() + ": cannot listen on " + where + ": " + e.getMessage());
                }
                last = e;
            }
        }
        if (bound.isEmpty()) {
            throw new StartFailure(
                    listener.at()
                            + ": nothing to listen on for \""
                            + listener.on()
                            + "\""
                            + (last == null ? "" : ": " + last.getMessage()));
        }
        return bound;
    }
}
