package smtpd.mda;

import java.net.InetSocketAddress;
import java.util.List;
import smtpd.envelope.Envelope;
import smtpd.envelope.Evpid;
import smtpd.mda.deliver.Method;

/** One envelope in mda, from its hand-over to the acknowledgement of its result. */
final class Delivery {

    final Evpid evpid;
    final Envelope envelope;
    final Method method;
    final UserQueue user;
    final HeldMessage message;

    /** Names the session in the log; 0 until it has one. */
    long session;

    /** Monotonic start of the session. */
    long startedNanos;

    /** File that nobody else may write meanwhile; null for none. */
    String file;

    /** Addresses of an LMTP host. */
    List<InetSocketAddress> hosts = List.of();

    Delivery(Evpid evpid, Envelope envelope, Method method, UserQueue user, HeldMessage message) {
        this.evpid = evpid;
        this.envelope = envelope;
        this.method = method;
        this.user = user;
        this.message = message;
    }
}
