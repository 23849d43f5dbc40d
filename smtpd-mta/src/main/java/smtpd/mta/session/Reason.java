package smtpd.mta.session;

import java.util.Locale;

/** Why a delivery was put off: the closed set that counters and log lines name. */
public enum Reason {
    NONE,
    DNS_TEMPFAIL,
    NO_ROUTE,
    CONNECT_REFUSED,
    CONNECT_TIMEOUT,
    TLS_FAILED,
    BANNER_REJECT,
    GREYLISTED,
    RATE_LIMITED,
    MAILBOX_FULL,
    REMOTE_4XX,
    IO_ERROR,
    AUTH_FAILED,
    LOCAL_TEMPFAIL,
    BLOCKED,
    HELD;

    private final String key = name().toLowerCase(Locale.ROOT).replace('_', '-');

    /** As counters and logs write it; empty for {@link #NONE}. */
    public String key() {
        return this == NONE ? "" : key;
    }
}
