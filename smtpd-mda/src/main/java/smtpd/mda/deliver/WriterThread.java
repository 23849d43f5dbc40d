package smtpd.mda.deliver;

import java.util.List;
import smtpd.sys.SysException;

/**
 * A thread that becomes one recipient for good, confined to his folders, and writes his mails.
 *
 * <p>Threads inherit credentials from the one that makes them, so what runs here makes none: no
 * log, no executor, no virtual thread. What became of a mail is left in it; {@link Writers} tells.
 */
final class WriterThread {

    private final Writers writers;
    private final Reach reach;
    private final Rights.Recipient recipient;
    private final Thread thread;

    /** Whose mails it writes. */
    final Writers.Line line;

    /** What it is to write next; null when it takes a rest. Guarded by {@link Writers}. */
    List<Write> batch;

    /** Whether it counts as one that writes. Guarded by {@link Writers}. */
    boolean isWriting;

    /** Whether it is to end at once. Guarded by {@link Writers}. */
    boolean isDismissed;

    /** Whether it has ended, or is about to. Guarded by {@link Writers}. */
    boolean isGone;

    /** Whether it hangs in the kernel, as far as anybody knows. Guarded by {@link Writers}. */
    boolean isGivenUp;

    /** Everything that allocates happens here, not after the change of credentials. */
    WriterThread(Writers writers, Writers.Line line, Rights rights, Account account, Reach reach) {
        this.writers = writers;
        this.line = line;
        this.reach = reach;
        this.recipient = rights.of(account);
        this.thread =
                Thread.ofPlatform()
                        .name("dlv-" + account.name())
                        .daemon(true)
                        .stackSize(256 * 1024)
                        .inheritInheritableThreadLocals(false)
                        .unstarted(this::run);
    }

    Thread thread() {
        return thread;
    }

    private void run() {
        try (Desk desk = new Desk()) {
            SysException refused = become();
            List<Write> mails = writers.first(this);
            while (mails != null) {
                if (refused == null) {
                    write(mails, desk);
                } else {
                    refuse(mails, refused);
                }
                mails = writers.next(this, mails);
            }
        } catch (RuntimeException | Error e) {
            writers.broke(this, e); // told by another thread: this one may not log
        }
    }

    private SysException become() {
        try {
            reach.confine();
            recipient.becomeWriter();
            return null;
        } catch (SysException e) {
            return e;
        }
    }

    private static void refuse(List<Write> mails, SysException e) {
        for (Write mail : mails) {
            mail.verdict = Deliverer.cannotBecome(mail.account, e);
        }
    }

    private static void write(List<Write> mails, Desk desk) {
        desk.begin(mails.size() > 1);
        for (Write mail : mails) {
            try {
                mail.backend.start(desk);
            } catch (RuntimeException | Error e) {
                mail.broken = e;
            }
        }
        for (Write mail : mails) {
            if (mail.broken == null) {
                try {
                    mail.backend.sync(desk);
                } catch (RuntimeException | Error e) {
                    mail.broken = e;
                }
            }
        }
        for (Write mail : mails) {
            if (mail.broken == null) {
                try {
                    mail.verdict = mail.backend.finish(desk);
                } catch (RuntimeException | Error e) {
                    mail.broken = e;
                }
            }
        }
        desk.end();
    }
}
