package smtpd.mta.session;

/**
 * How long each step may take, in milliseconds (RFC 5321 4.5.3.2). A limit covers the whole reply:
 * a peer that sends one byte a second does not renew it.
 *
 * @param body per 64 KiB of content that the kernel must accept
 */
public record Timeouts(
        long connect,
        long banner,
        long ehlo,
        long mail,
        long rcpt,
        long data,
        long body,
        long eom,
        long rset,
        long quit) {

    public static final Timeouts STANDARD =
            new Timeouts(
                    30_000, 300_000, 300_000, 300_000, 300_000, 120_000, 180_000, 600_000, 60_000,
                    5_000);

    long of(Phase phase) {
        return switch (phase) {
            case CONNECT -> connect;
            case BANNER -> banner;
            case EHLO, HELO -> ehlo;
            case MAIL -> mail;
            case RCPT -> rcpt;
            case DATA -> data;
            case BODY -> body;
            case EOM -> eom;
            case RSET -> rset;
            case QUIT -> quit;
            case READY -> Long.MAX_VALUE;
        };
    }
}
