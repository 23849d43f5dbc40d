/**
 * Puts one mail into one mailbox: maildir, mbox, file, command, LMTP.
 *
 * <p>Called by {@code smtpd.mda} with plain values (no frame, no envelope text); calls the kernel
 * through {@code smtpd.sys} and nothing else of the daemon. Runs in the mda process. Each delivery
 * has a thread of its own that becomes the recipient for good and then does system calls only; what
 * needs mda's own rights (mailbox file and dot lock of an mbox, killing a command's group) is done
 * by threads that keep them.
 *
 * <p>A failure is a {@link smtpd.mda.deliver.Verdict}, never an exception; it leaves the mailbox as
 * it was. Whatever is not proven permanent is temporary.
 */
package smtpd.mda.deliver;
