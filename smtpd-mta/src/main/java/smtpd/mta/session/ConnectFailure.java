package smtpd.mta.session;

import io.netty.channel.ConnectTimeoutException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.util.Locale;

/** What the kernel said when a connection could not be made, and whose fault that is. */
record ConnectFailure(SessionEnd.Cause cause, String text) {

    static ConnectFailure of(Throwable error) {
        if (error instanceof ConnectTimeoutException) {
            return new ConnectFailure(
                    SessionEnd.Cause.TIMEOUT, "451 4.4.1 Connection timeout (connect)");
        }
        String plain = plain(error);
        SessionEnd.Cause cause = SessionEnd.Cause.NETWORK;
        String raw = String.valueOf(error.getMessage()).toLowerCase(Locale.ROOT);
        if (raw.startsWith("bind(") || raw.contains("cannot assign requested address")) {
            cause = SessionEnd.Cause.SOURCE;
        } else if (plain.contains("too many open files")
                || plain.contains("resource temporarily unavailable")
                || plain.contains("no buffer space")
                || plain.contains("cannot allocate memory")) {
            cause = SessionEnd.Cause.RESOURCE;
        } else if (plain.contains("permission denied") || plain.contains("invalid argument")) {
            cause = SessionEnd.Cause.SOURCE;
        }
        return new ConnectFailure(cause, "451 4.4.1 " + plain);
    }

    /** The short lower-case cause without call names and addresses. */
    static String plain(Throwable error) {
        if (error instanceof NoRouteToHostException) {
            return "no route to host";
        }
        String text = String.valueOf(error.getMessage()).toLowerCase(Locale.ROOT);
        if (error instanceof ConnectException && text.contains("connection refused")) {
            return "connection refused";
        }
        if (error.getCause() != null && text.startsWith("unable to create channel")) {
            return plain(error.getCause());
        }
        int call = text.indexOf("failed");
        if (call >= 0) {
            int colon = text.indexOf(':', call);
            text = colon >= 0 ? text.substring(colon + 1).strip() : text;
        }
        // Netty appends ": /address:port" to what the kernel said.
        int address = text.indexOf(": /");
        return address >= 0 ? text.substring(0, address) : text;
    }
}
