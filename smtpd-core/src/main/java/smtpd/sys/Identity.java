package smtpd.sys;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static smtpd.sys.SysException.check;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Who the whole process is. The C library's setgroups, setresgid and setresuid reach every thread;
 * for one thread alone see {@link ThreadIdentity}.
 */
public final class Identity {
    public static final int SIGKILL = 9;
    public static final int SIGTERM = 15;

    /** prlimit(2) resources. */
    public static final int RLIMIT_CORE = 4;

    public static final int RLIMIT_NOFILE = 7;

    private static final Call SETGROUPS = Libc.function("setgroups");
    private static final Call SETRESGID = Libc.function("setresgid");
    private static final Call SETRESUID = Libc.function("setresuid");
    private static final Call GETEUID = Libc.function("geteuid");
    private static final Call GETEGID = Libc.function("getegid");
    private static final Call GETPID = Libc.function("getpid");
    private static final Call GETPPID = Libc.function("getppid");
    private static final Call UMASK = Libc.function("umask");
    private static final Call KILL = Libc.function("kill");
    private static final Call PRLIMIT = Libc.function("prlimit");

    private static final int PR_SET_PDEATHSIG = 1;
    private static final int PR_SET_DUMPABLE = 4;
    private static final int PR_SET_NAME = 15;
    private static final int PR_SET_NO_NEW_PRIVS = 38;
    private static final int NAME_BYTES = 16;

    private Identity() {}

    /**
     * Becomes another account on all threads and for good: groups, gid, uid in that order, then
     * proves that there is no way back. The first thing a child does, before it reads any input.
     *
     * @throws SysException EPERM also when the way back to uid 0 was still open
     */
    public static void drop(int uid, int gid, int... groups) throws SysException {
        try (Arena arena = Arena.ofConfined()) {
            long list = groupList(arena, groups);
            check("setgroups", SETGROUPS.of(groups.length, list));
        }
        check("setresgid", SETRESGID.of(gid, gid, gid));
        check("setresuid", SETRESUID.of(uid, uid, uid));
        if (uid != 0 && (SETRESUID.of(0, 0, 0) >= 0 || euid() != uid || egid() != gid)) {
            throw new SysException("setresuid is not final", Errno.EPERM);
        }
    }

    static long groupList(Arena arena, int... groups) {
        return groups.length == 0 ? 0 : arena.allocateFrom(JAVA_INT, groups).address();
    }

    /** geteuid(2). */
    public static int euid() {
        return (int) GETEUID.of();
    }

    /** getegid(2). */
    public static int egid() {
        return (int) GETEGID.of();
    }

    /** getpid(2). */
    public static int pid() {
        return (int) GETPID.of();
    }

    /** getppid(2). */
    public static int parentPid() {
        return (int) GETPPID.of();
    }

    /** umask(2), of the whole process: gives the old one. */
    public static int umask(int mask) {
        return (int) UMASK.of(mask);
    }

    /**
     * PR_SET_PDEATHSIG: the kernel kills us when the parent <em>thread</em> that spawned us ends.
     * Cleared by every change of credentials, so set after the last; and if the parent died before,
     * nobody will tell, so compare its pid.
     *
     * @param parent pid of the process that must be alive
     * @throws SysException ESRCH when it is not our parent any more
     */
    public static void dieWithParent(int parent) throws SysException {
        check("PR_SET_PDEATHSIG", Libc.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0));
        if (parentPid() != parent) {
            throw new SysException("parent " + parent, Errno.ESRCH);
        }
    }

    /** PR_SET_DUMPABLE 0: no core with keys in it, no ptrace by the same account. */
    public static void undumpable() throws SysException {
        check("PR_SET_DUMPABLE", Libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
    }

    /** PR_SET_NAME of the calling thread, which is the process's when the main thread calls. */
    public static void name(String name) {
        String cut = name.length() < NAME_BYTES ? name : name.substring(0, NAME_BYTES - 1);
        Libc.prctl(PR_SET_NAME, Scratch.current().path(cut), 0, 0, 0);
    }

    /** PR_SET_NO_NEW_PRIVS of the calling thread and all it creates. */
    public static void noNewPrivileges() throws SysException {
        check("PR_SET_NO_NEW_PRIVS", Libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    }

    /**
     * kill(2): false when there is no such process.
     *
     * @param pid a process; negative: the process group of that number
     */
    public static boolean kill(int pid, int signal) throws SysException {
        if (pid == 0 || pid == -1) {
            // Our own group, or everything: never what a mail server means.
            throw new SysException("kill " + pid, Errno.EINVAL);
        }
        long result = KILL.of(pid, signal);
        if (result == -Errno.ESRCH) {
            return false;
        }
        check("kill " + pid, result);
        return true;
    }

    /**
     * prlimit(2).
     *
     * @param pid 0 for this process
     * @param resource such as {@link #RLIMIT_NOFILE}
     */
    public static void limit(int pid, int resource, long soft, long hard) throws SysException {
        MemorySegment limit = Scratch.current().struct;
        limit.set(JAVA_LONG, 0, soft);
        limit.set(JAVA_LONG, 8, hard);
        check("prlimit " + pid, PRLIMIT.of(pid, resource, limit.address(), 0));
    }

    /** The soft and the hard limit of a resource of this process. */
    public static long[] limit(int resource) throws SysException {
        MemorySegment limit = Scratch.current().zeroed(16);
        check("prlimit", PRLIMIT.of(0, resource, 0, limit.address()));
        return new long[] {limit.get(JAVA_LONG, 0), limit.get(JAVA_LONG, 8)};
    }
}
