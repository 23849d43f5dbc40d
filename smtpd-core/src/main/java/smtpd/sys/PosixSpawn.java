package smtpd.sys;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static smtpd.sys.SysException.check;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/**
 * posix_spawn(3) of one {@link Program}, everything written to native memory beforehand, so that
 * the thread that starts it may already be restricted or be somebody else: it loads no class and
 * opens no file.
 */
final class PosixSpawn {
    private static final Call SPAWN = Libc.function("posix_spawn");
    private static final Call WAITPID = Libc.function("waitpid");
    private static final Call ACTIONS_INIT = Libc.function("posix_spawn_file_actions_init");
    private static final Call ACTIONS_DESTROY = Libc.function("posix_spawn_file_actions_destroy");
    private static final Call ADD_DUP2 = Libc.function("posix_spawn_file_actions_adddup2");
    private static final Call ADD_OPEN = Libc.function("posix_spawn_file_actions_addopen");
    private static final Call ADD_CHDIR = Libc.function("posix_spawn_file_actions_addchdir_np");

    /** glibc 2.34 and later. */
    private static final Optional<Call> ADD_CLOSE_FROM =
            Libc.functionIfThere("posix_spawn_file_actions_addclosefrom_np");

    private static final Call ATTR_INIT = Libc.function("posix_spawnattr_init");
    private static final Call ATTR_FLAGS = Libc.function("posix_spawnattr_setflags");
    private static final Call ATTR_SIGDEFAULT = Libc.function("posix_spawnattr_setsigdefault");
    private static final Call ATTR_SIGMASK = Libc.function("posix_spawnattr_setsigmask");

    private static final short SETSIGDEF = 0x04;
    private static final short SETSIGMASK = 0x08;
    private static final short SETSID = 0x80;
    private static final int WNOHANG = 1;
    private static final int CLOSE_RANGE_CLOEXEC = 4;
    private static final int SIGSET_BYTES = 128;

    /** More than glibc's 80 and 336. */
    private static final int ACTIONS_BYTES = 256;

    private static final int ATTR_BYTES = 512;

    /**
     * All but KILL and STOP, which cannot be set. Also 32 and 33, the C library's own: it would
     * leave them ignored in the child.
     */
    private static final long ALL_SIGNALS = ~(1L << 8 | 1L << 18);

    private final String path;
    private final int firstClosed;
    private final Arena arena = Arena.ofAuto();
    private final MemorySegment nativePath;
    private final MemorySegment actions;
    private final MemorySegment attributes;
    private final MemorySegment arguments;
    private final MemorySegment environment;
    private final MemorySegment result;

    PosixSpawn(Program program) throws SysException {
        path = program.path();
        firstClosed = program.fds().size();
        nativePath = arena.allocateFrom(path);
        arguments = strings(program.arguments());
        environment = strings(program.environment());
        result = arena.allocate(JAVA_INT);
        attributes = attributes(program.isSession());
        actions = arena.allocate(ACTIONS_BYTES, 16);
        fails("posix_spawn_file_actions_init", ACTIONS_INIT.of(actions.address()));
        try {
            addActions(program);
        } catch (SysException e) {
            free();
            throw e;
        }
    }

    /**
     * Sources may be numbered like targets of others, so each goes above all of them first. A
     * descriptor moved by dup2(2) loses close-on-exec.
     */
    private void addActions(Program program) throws SysException {
        List<Integer> fds = program.fds();
        int base = fds.size();
        for (int fd : fds) {
            base = Math.max(base, fd + 1);
        }
        long list = actions.address();
        for (int i = 0; i < fds.size(); i++) {
            if (fds.get(i) >= 0) {
                fails("adddup2", ADD_DUP2.of(list, fds.get(i), base + i));
            }
        }
        long devNull = arena.allocateFrom("/dev/null").address();
        for (int i = 0; i < fds.size(); i++) {
            fails(
                    "file action",
                    fds.get(i) >= 0
                            ? ADD_DUP2.of(list, base + i, i)
                            : ADD_OPEN.of(list, i, devNull, Open.RDWR, 0));
        }
        if (ADD_CLOSE_FROM.isPresent()) {
            fails("addclosefrom", ADD_CLOSE_FROM.get().of(list, firstClosed));
        }
        if (program.folder() != null) {
            long folder = arena.allocateFrom(program.folder()).address();
            fails("addchdir", ADD_CHDIR.of(list, folder));
        }
    }

    private MemorySegment attributes(boolean isSession) throws SysException {
        MemorySegment attr = arena.allocate(ATTR_BYTES, 16);
        MemorySegment signals = arena.allocate(SIGSET_BYTES, 8);
        fails("posix_spawnattr_init", ATTR_INIT.of(attr.address()));
        fails("setsigmask", ATTR_SIGMASK.of(attr.address(), signals.address()));
        signals.set(JAVA_LONG, 0, ALL_SIGNALS);
        fails("setsigdefault", ATTR_SIGDEFAULT.of(attr.address(), signals.address()));
        int flags = SETSIGDEF | SETSIGMASK | (isSession ? SETSID : 0);
        fails("setflags", ATTR_FLAGS.of(attr.address(), flags));
        return attr;
    }

    private MemorySegment strings(List<String> texts) throws SysException {
        MemorySegment list = arena.allocate(ADDRESS, texts.size() + 1L);
        for (int i = 0; i < texts.size(); i++) {
            if (texts.get(i).indexOf('\0') >= 0) {
                throw new SysException("posix_spawn " + path + ": NUL in a string", Errno.EINVAL);
            }
            list.setAtIndex(ADDRESS, i, arena.allocateFrom(texts.get(i)));
        }
        return list;
    }

    /** Starts it on the calling thread, as whoever that is: the pid. */
    int start() throws SysException {
        if (ADD_CLOSE_FROM.isEmpty()) {
            // Marks ours instead: all descriptors of this process are meant to be so anyway.
            Libc.syscall(Nr.CLOSE_RANGE, firstClosed, 0xffffffffL, CLOSE_RANGE_CLOEXEC);
        }
        long error =
                SPAWN.of(
                        result.address(),
                        nativePath.address(),
                        actions.address(),
                        attributes.address(),
                        arguments.address(),
                        environment.address());
        fails("posix_spawn " + path, error);
        return result.get(JAVA_INT, 0);
    }

    /** Gives back what the C library allocated; once. */
    void free() {
        ACTIONS_DESTROY.of(actions.address());
    }

    /** waitpid(2), for as long as it takes. */
    static ExitStatus await(int pid) throws SysException {
        MemorySegment status = Scratch.current().struct;
        long got;
        do {
            got = WAITPID.of(pid, status.address(), 0);
        } while (got == -Errno.EINTR);
        check("waitpid", "" + pid, got);
        return new ExitStatus(status.get(JAVA_INT, 0));
    }

    /** waitpid(2) with WNOHANG. */
    static Optional<ExitStatus> reap(int pid) throws SysException {
        MemorySegment status = Scratch.current().struct;
        long got = WAITPID.of(pid, status.address(), WNOHANG);
        if (got == 0 || got == -Errno.EINTR) {
            return Optional.empty();
        }
        check("waitpid", "" + pid, got);
        return Optional.of(new ExitStatus(status.get(JAVA_INT, 0)));
    }

    /** These functions return the error number. */
    private static void fails(String call, long error) throws SysException {
        if (error != 0) {
            throw new SysException(call, (int) Math.abs(error));
        }
    }
}
