package smtpd.lka.expand;

import java.util.Set;
import smtpd.envelope.EnvelopeFlag;
import smtpd.envelope.Need;
import smtpd.imsg.QueueToLka.ExpandBounce;
import smtpd.imsg.SmtpToLka.ExpandRecipient;
import smtpd.imsg.SocketAddr;
import smtpd.lka.rule.Subject;
import smtpd.mail.MailAddress;

/**
 * One recipient as it came in, with the session's facts that rules and envelopes need.
 *
 * @param isNotice a failure report of ours: from the null sender, and internal from the start
 * @param username login, empty when there is none
 * @param rcpt the address to expand
 */
public record Recipient(
        boolean isNotice,
        String tag,
        String smtpname,
        String helo,
        String hostname,
        SocketAddr source,
        MailAddress sender,
        MailAddress rcpt,
        String username,
        boolean authenticated,
        int dsnNotify,
        String dsnRet,
        String dsnEnvid,
        String dsnOrcpt,
        Set<Need> needs) {

    public Recipient {
        needs = Set.copyOf(needs);
    }

    /** Of a client's RCPT. */
    public static Recipient of(ExpandRecipient m) {
        return new Recipient(
                false,
                m.tag(),
                m.smtpname(),
                m.helo(),
                m.hostname(),
                m.sockaddr(),
                m.sender(),
                m.rcpt(),
                m.username(),
                m.authenticated(),
                m.dsnNotify(),
                m.dsnRet(),
                m.dsnEnvid(),
                m.dsnOrcpt(),
                Set.of());
    }

    /** Of a notice. */
    public static Recipient of(ExpandBounce m) {
        return new Recipient(
                true,
                "local",
                m.smtpname(),
                "localhost",
                "localhost",
                SocketAddr.LOCAL,
                MailAddress.NULL,
                m.returnPath(),
                "",
                false,
                0,
                "",
                "",
                "",
                Needs.of(m.needFlags(), m.returnPath()));
    }

    /** What the rules see of an address of this expansion. */
    Subject subject(MailAddress dest, boolean isForwarded) {
        boolean isInternal = isNotice || isForwarded;
        return new Subject(source, isInternal, authenticated, username, tag, sender, dest);
    }

    Set<EnvelopeFlag> flags(boolean isForwarded) {
        Set<EnvelopeFlag> flags = java.util.EnumSet.noneOf(EnvelopeFlag.class);
        if (authenticated) {
            flags.add(EnvelopeFlag.AUTHENTICATED);
        }
        if (isNotice) {
            flags.add(EnvelopeFlag.BOUNCE);
        }
        if (isForwarded) {
            flags.add(EnvelopeFlag.INTERNAL);
        }
        return flags;
    }
}
