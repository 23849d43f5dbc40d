package smtpd.mda.deliver;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import smtpd.mail.MailAddress;
import smtpd.sys.Command;
import smtpd.sys.Errno;
import smtpd.sys.ExitStatus;
import smtpd.sys.Fd;
import smtpd.sys.Identity;
import smtpd.sys.Poll;
import smtpd.sys.SysException;

/**
 * Delivery to a command: started as the recipient in a session of its own, fed with the mail,
 * listened to, and ended with everything it started when its time is up.
 */
final class Commands {

    private static final String SHELL = "/bin/sh";
    private static final String PATH =
            "/usr/bin:/bin:/usr/sbin:/sbin:/usr/local/bin:/usr/local/sbin";

    /** How often a running command's session looks whether the daemon is stopping. */
    private static final int TICK_MILLIS = 1000;

    private final long graceNanos;
    private volatile boolean stopping;

    Commands(Duration grace) {
        this.graceNanos = grace.toNanos();
    }

    /** From now on every command is out of time. */
    void stop() {
        stopping = true;
    }

    /**
     * @param text for the shell, expanded
     * @param inner the command inside a wrapper; null without one
     */
    Verdict run(
            Job job,
            Rights.Recipient recipient,
            String text,
            String inner,
            Content content,
            CopyBuffer copy,
            long deadline) {
        // A command cannot give back what it has read: nothing damaged may reach it.
        if (FileDelivery.discard(content, copy) instanceof Verdict.Temporary damaged) {
            return damaged;
        }
        try (Poll poll = new Poll();
                Feed feed = new Feed(Preamble.headers(job), content, copy)) {
            // What fits into the pipe counts as taken, however fast the command ends.
            feed.push();
            try (Command command = start(job, recipient, text, inner, feed.readEnd())) {
                feed.closeReadEnd();
                return new Session(job, command, poll, feed, deadline).run();
            }
        } catch (SysException e) {
            return new Verdict.Temporary(
                    "4.3.2",
                    "cannot start command: " + Errno.text(e.errno()),
                    Verdict.Cause.RESOURCES);
        } catch (OutOfMemoryError e) {
            return Deliverer.noThread();
        }
    }

    private static Command start(
            Job job, Rights.Recipient recipient, String text, String inner, int stdin)
            throws SysException {
        List<String> arguments = List.of(SHELL, "-c", text);
        List<String> environment = environment(job, inner);
        try {
            return Command.start(
                    recipient.command(), SHELL, arguments, environment, job.runAs().home(), stdin);
        } catch (SysException e) {
            if (!isFolderTrouble(e.errno())) {
                throw e;
            }
            // Home missing or closed to its owner: the command runs from the root.
            return Command.start(recipient.command(), SHELL, arguments, environment, "/", stdin);
        }
    }

    private static boolean isFolderTrouble(int errno) {
        return errno == Errno.ENOENT || errno == Errno.EACCES || errno == Errno.ENOTDIR;
    }

    /** Nothing is inherited. {@code LOCAL} and {@code DOMAIN} are those given at RCPT. */
    static List<String> environment(Job job, String inner) {
        List<String> environment = new ArrayList<>();
        MailAddress given = job.rcpt();
        environment.add("PATH=" + PATH);
        environment.add("HOME=" + job.runAs().home());
        environment.add("SHELL=" + SHELL);
        environment.add("USER=" + job.account().name());
        environment.add("LOGNAME=" + job.account().name());
        environment.add("SENDER=" + job.sender());
        environment.add("RECIPIENT=" + job.dest());
        environment.add("ORIGINAL_RECIPIENT=" + given);
        environment.add("LOCAL=" + given.local());
        environment.add("DOMAIN=" + given.domain());
        if (!job.subAddress().isEmpty()) {
            environment.add("EXTENSION=" + job.subAddress());
        }
        if (inner != null) {
            environment.add("MDA=" + inner);
        }
        return environment;
    }

    /** One running command, from its start to its end. */
    private final class Session {

        private final Job job;
        private final Command command;
        private final Poll poll;
        private final Feed feed;
        private final OutputTail tail = new OutputTail();
        private final byte[] said = new byte[16 * 1024];
        private final long deadline;
        private boolean outputEnded;

        Session(Job job, Command command, Poll poll, Feed feed, long deadline) {
            this.job = job;
            this.command = command;
            this.poll = poll;
            this.feed = feed;
            this.deadline = deadline;
        }

        Verdict run() {
            try {
                while (!turn(deadline)) {
                    if (feed.error() != 0) {
                        end();
                        return Fault.verdict(feed.error(), "content");
                    }
                    if (stopping || System.nanoTime() - deadline >= 0) {
                        end();
                        return stopping
                                ? new Verdict.Temporary(
                                        "4.3.0", "daemon stops", Verdict.Cause.STOPPED)
                                : Verdict.temporary("4.3.0", "terminated; timeout");
                    }
                }
                drain();
                return verdict(command.await());
            } catch (SysException e) {
                return Verdict.temporary("4.3.0", "command: " + Errno.text(e.errno()));
            }
        }

        /** Waits for one event and serves it; true when the command itself has ended. */
        private boolean turn(long until) throws SysException {
            poll.clear();
            int in = feed.writeEnd() < 0 ? -1 : poll.add(feed.writeEnd(), Poll.OUT);
            int out = outputEnded ? -1 : poll.add(command.output(), Poll.IN);
            int ended = command.pidFd() < 0 ? -1 : poll.add(command.pidFd(), Poll.IN);
            long left = (until - System.nanoTime()) / 1_000_000 + 1;
            int tick = ended < 0 ? 20 : TICK_MILLIS;
            poll.await((int) Math.max(0, Math.min(left, tick)));
            if (out >= 0 && poll.events(out) != 0) {
                listen();
            }
            if (in >= 0 && poll.events(in) != 0) {
                feed.push();
            }
            return ended < 0 ? command.reap().isPresent() : poll.events(ended) != 0;
        }

        private void listen() {
            int n = Fd.tryRead(command.output(), said, 0, said.length);
            if (n > 0) {
                tail.feed(said, 0, n);
            } else if (n != -Errno.EAGAIN) {
                outputEnded = true;
            }
        }

        /**
         * What is still in the pipe, at most as much as a pipe holds: a child in the background may
         * keep it open, and go on printing.
         */
        private void drain() {
            for (int i = 0; i < 8 && !outputEnded; i++) {
                int n = Fd.tryRead(command.output(), said, 0, said.length);
                if (n <= 0) {
                    return;
                }
                tail.feed(said, 0, n);
            }
        }

        /**
         * TERM to the group, KILL after the grace. The leader is reaped last: while it is a zombie
         * its number, which names the group, belongs to nobody else.
         */
        private void end() throws SysException {
            feed.closeWriteEnd();
            command.killGroup(Identity.SIGTERM);
            long until = System.nanoTime() + graceNanos;
            boolean leaderEnded = false;
            while (System.nanoTime() - until < 0) {
                if (leaderEnded) {
                    // Its pidfd stays readable: only the others' output is waited for.
                    int left = (int) Math.max(1, (until - System.nanoTime()) / 1_000_000);
                    if (outputEnded || Poll.one(command.output(), Poll.IN, left)) {
                        listen();
                    }
                    if (outputEnded) {
                        break; // nobody of the group is left to print
                    }
                } else {
                    leaderEnded = turn(until);
                }
            }
            command.killGroup(Identity.SIGKILL);
            command.await();
        }

        private Verdict verdict(ExitStatus status) {
            String text = tail.text();
            if (status.signal() != 0) {
                return SysExit.killed(status.signal(), text);
            }
            if (status.code() != 0) {
                return SysExit.verdict(status.code(), job.classic(), text);
            }
            return feed.isAllTaken()
                    ? Verdict.OK
                    : Verdict.temporary("4.3.0", "mda exited prematurely");
        }
    }
}
