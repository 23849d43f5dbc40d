package smtpd.imsg;

import smtpd.mail.MailAddress;

/** What smtp asks lka. */
public sealed interface SmtpToLka extends ToLka permits SmtpToLka.ExpandRecipient, ReverseLookup {

    /**
     * May this recipient come in, and into which envelopes does it expand? Refused:
     * RecipientRefused. Accepted: lka hands the envelopes to the queue, which answers smtp with
     * RecipientStored. The header's id is the session.
     *
     * @param no transaction number in the session, +1 at each MAIL
     * @param rcptNo number of the RCPT in the transaction, from 1
     * @param configId the configuration this session began with
     * @param hostname forward-confirmed reverse name, {@code <unknown>}, or {@code UID@localhost}
     * @param username login, empty when not logged in
     * @param dsnNotify bits 1 success, 2 failure, 4 delay, 8 never
     * @param dsnRet {@code HDRS}, {@code FULL} or empty
     */
    record ExpandRecipient(
            int no,
            int rcptNo,
            long configId,
            @Max(32) String tag,
            @Max(255) String smtpname,
            @Max(255) String helo,
            @Max(255) String hostname,
            SocketAddr sockaddr,
            MailAddress sender,
            MailAddress rcpt,
            @Max(255) String username,
            boolean authenticated,
            int dsnNotify,
            @Max(8) String dsnRet,
            @Max(100) String dsnEnvid,
            @Max(500) String dsnOrcpt,
            boolean tls,
            boolean tlsVerified,
            boolean forwardConfirmed,
            boolean junk)
            implements SmtpToLka {}
}
