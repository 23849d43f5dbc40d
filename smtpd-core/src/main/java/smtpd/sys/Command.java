package smtpd.sys;

import java.util.List;
import java.util.Optional;

/**
 * A program run as another account, with pipes to it: the commands of local delivery and filters.
 * It leads a session of its own, so that it can be killed with everything it started. Its standard
 * output and error share one pipe, whose 64 KiB bound what waits here.
 *
 * <p>Made by a thread with the process's own identity; every descriptor belongs to the value until
 * {@link #close}. Not thread-safe: one thread drives it, usually from a {@link Poll}.
 */
public final class Command implements AutoCloseable {
    private static final long FILES = 1024;

    private final int pid;
    private final int pidFd;
    private int input;
    private int output;
    private ExitStatus status;

    private Command(int pid, int pidFd, int input, int output) {
        this.pid = pid;
        this.pidFd = pidFd;
        this.input = input;
        this.output = output;
    }

    /**
     * Starts a program from a thread made for it, which becomes the account, verifies that, spawns
     * and ends.
     *
     * @param who the account; null keeps ours
     * @param folder working directory
     * @param stdin what it reads; negative: a pipe whose end is {@link #input}
     * @throws SysException when the identity could not be taken or the program not be executed
     */
    public static Command start(
            ThreadIdentity who,
            String path,
            List<String> arguments,
            List<String> environment,
            String folder,
            int stdin)
            throws SysException {
        int[] in = stdin < 0 ? Fd.pipe() : new int[] {stdin, -1};
        int[] out = {-1, -1};
        try {
            out = Fd.pipe();
            Fd.nonBlocking(out[0], true);
            if (in[1] >= 0) {
                Fd.nonBlocking(in[1], true);
            }
            var fds = List.of(in[0], out[1], out[1]);
            var program = new Program(path, arguments, environment, folder, fds, true);
            Launch launch = launch(program, who);
            return new Command(launch.pid, launch.pidFd, in[1], out[0]);
        } catch (SysException e) {
            Fd.closeQuietly(in[1]);
            Fd.closeQuietly(out[0]);
            throw e;
        } finally {
            if (stdin < 0) {
                Fd.closeQuietly(in[0]);
            }
            Fd.closeQuietly(out[1]);
        }
    }

    private static Launch launch(Program program, ThreadIdentity who) throws SysException {
        PosixSpawn spawn = new PosixSpawn(program);
        Launch launch = new Launch(spawn, who);
        try {
            Thread thread = Thread.ofPlatform().name("command").unstarted(launch);
            thread.start();
            joinWhatever(thread);
        } finally {
            spawn.free();
        }
        if (launch.failure != null) {
            throw launch.failure;
        }
        return launch;
    }

    /** The thread always ends within milliseconds; an interrupt must not leave it unattended. */
    private static void joinWhatever(Thread thread) {
        boolean isInterrupted = false;
        while (true) {
            try {
                thread.join();
                break;
            } catch (InterruptedException e) {
                isInterrupted = true;
            }
        }
        if (isInterrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** What the thread does; it leaves its result in fields, read after join. */
    private static final class Launch implements Runnable {
        private final PosixSpawn spawn;
        private final ThreadIdentity who;
        private SysException failure;
        private int pid;
        private int pidFd;

        Launch(PosixSpawn spawn, ThreadIdentity who) {
            this.spawn = spawn;
            this.who = who;
            this.failure = new SysException("command not started", Errno.ECANCELED);
        }

        @Override
        public void run() {
            try {
                if (who != null) {
                    who.becomeFully();
                }
                pid = spawn.start();
                pidFd = (int) Libc.syscall(Nr.PIDFD_OPEN, pid, 0, 0);
                failure = null;
                // Only the user's own thread may limit the user's process; without it, no harm.
                Identity.limit(pid, Identity.RLIMIT_NOFILE, FILES, FILES);
                Identity.limit(pid, Identity.RLIMIT_CORE, 0, 0);
            } catch (SysException e) {
                if (pid == 0) {
                    failure = e;
                }
            }
        }
    }

    public int pid() {
        return pid;
    }

    /** Readable in a {@link Poll} when the program has ended; negative before Linux 5.3. */
    public int pidFd() {
        return pidFd;
    }

    /** Non-blocking end to write its standard input to; -1 when none or closed. */
    public int input() {
        return input;
    }

    /** Non-blocking end to read what it prints from; -1 when closed. */
    public int output() {
        return output;
    }

    /** Ends its standard input. */
    public void closeInput() {
        Fd.closeQuietly(input);
        input = -1;
    }

    /** How it ended, if it has: waitpid(2) without waiting. */
    public Optional<ExitStatus> reap() throws SysException {
        if (status == null) {
            status = PosixSpawn.reap(pid).orElse(null);
        }
        return Optional.ofNullable(status);
    }

    /** Waits until it ended. */
    public ExitStatus await() throws SysException {
        if (status == null) {
            status = PosixSpawn.await(pid);
        }
        return status;
    }

    /**
     * Signals the program and everything in its session's first group; nothing once it was reaped,
     * because its number may then belong to another.
     */
    public boolean killGroup(int signal) throws SysException {
        return status == null && Identity.kill(-pid, signal);
    }

    /** Closes our descriptors. The program itself goes on: kill and reap it first. */
    @Override
    public void close() {
        closeInput();
        Fd.closeQuietly(output);
        output = -1;
        Fd.closeQuietly(pidFd);
    }
}
