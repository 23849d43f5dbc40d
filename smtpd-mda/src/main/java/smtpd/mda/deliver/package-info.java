/**
 * Puts one mail into one mailbox: maildir, mbox, file, command, LMTP.
 *
 * <p>Called by {@code smtpd.mda} with plain values (no frame, no envelope text); calls the kernel
 * through {@code smtpd.sys} and nothing else of the daemon. Runs in the mda process. A mailbox is
 * written by a thread that became the recipient for good and then does system calls only; it takes
 * his mails that wait together, and nobody else's. What needs mda's own rights (mailbox file and
 * dot lock of an mbox, killing a command's group) is done by threads that keep them.
 *
 * <p>A failure is a {@link smtpd.mda.deliver.Verdict}, never an exception; it leaves the mailbox as
 * it was. Whatever is not proven permanent is temporary.
 */
package smtpd.mda.deliver;
