package smtpd.mda.deliver;

import smtpd.mail.MailAddress;

/**
 * One delivery as its envelope describes it.
 *
 * @param evpid names the file in a maildir: the same at every try
 * @param rcpt address given at RCPT
 * @param dest address after expansion
 * @param account whose mailbox it is
 * @param runAs account whose rights are taken: {@code account} but for {@code user U} actions
 * @param subAddress tag after the delimiter; empty for none
 * @param created seconds since 1970 at which the envelope was made
 * @param again whether an earlier try may have reached the mailbox (retry, or a restart since)
 * @param eightBit whether the content holds 8-bit bytes (RFC 6152)
 * @param classic whether the action was written in the classic dialect
 */
public record Job(
        long evpid,
        MailAddress sender,
        MailAddress rcpt,
        MailAddress dest,
        Account account,
        Account runAs,
        String subAddress,
        long created,
        boolean again,
        boolean classic,
        boolean eightBit,
        Method method) {}
