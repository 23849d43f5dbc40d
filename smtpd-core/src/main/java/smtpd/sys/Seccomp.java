package smtpd.sys;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * System calls that are refused with EPERM: seccomp(2), a deny-list, so that a new JDK that uses a
 * new harmless call does not stop the mail. Two stages: the first is inherited by a child from the
 * thread that spawns it, the second is what the child takes itself once it needs no exec and no
 * change of identity any more. The kernel caches the answer for calls whose arguments do not
 * matter, so the length of the list costs nothing while running.
 *
 * <p>Build with full rights; installing loads no class and allocates nothing.
 */
public final class Seccomp {
    private static final int ARCH = Libc.X86_64 ? 0xc000003e : 0xc00000b7;
    private static final int X32_BIT = 0x40000000;

    private static final int SET_MODE_FILTER = 1;
    private static final int FLAG_TSYNC = 1;

    private static final int RET_KILL_PROCESS = 0x80000000;
    private static final int RET_ERRNO = 0x00050000;
    private static final int RET_ALLOW = 0x7fff0000;

    private static final int LD_WORD = 0x20;
    private static final int JEQ = 0x15;
    private static final int JGE = 0x35;
    private static final int JSET = 0x45;
    private static final int RET = 0x06;

    // struct seccomp_data: nr, arch, instruction pointer, six arguments, low half first.
    private static final int AT_NR = 0;
    private static final int AT_ARCH = 4;
    private static final int AT_FIRST_ARGUMENT = 16;

    /** CLONE_NEWNS, CGROUP, UTS, IPC, USER, PID, NET: namespaces open the kernel's back rooms. */
    private static final int CLONE_NEW = 0x7e020000;

    /** What no mail server needs. */
    private static final int[] NEVER = {
        Nr.PTRACE,
        Nr.PROCESS_VM_READV,
        Nr.PROCESS_VM_WRITEV,
        Nr.KCMP,
        Nr.PROCESS_MADVISE,
        Nr.MOUNT,
        Nr.UMOUNT2,
        Nr.PIVOT_ROOT,
        Nr.CHROOT,
        Nr.SETNS,
        Nr.UNSHARE,
        Nr.MOVE_MOUNT,
        Nr.OPEN_TREE,
        Nr.FSOPEN,
        Nr.FSCONFIG,
        Nr.FSMOUNT,
        Nr.FSPICK,
        Nr.MOUNT_SETATTR,
        Nr.SWAPON,
        Nr.SWAPOFF,
        Nr.REBOOT,
        Nr.INIT_MODULE,
        Nr.FINIT_MODULE,
        Nr.DELETE_MODULE,
        Nr.KEXEC_LOAD,
        Nr.KEXEC_FILE_LOAD,
        Nr.BPF,
        Nr.PERF_EVENT_OPEN,
        Nr.KEYCTL,
        Nr.ADD_KEY,
        Nr.REQUEST_KEY,
        Nr.USERFAULTFD,
        Nr.IO_URING_SETUP,
        Nr.IO_URING_ENTER,
        Nr.IO_URING_REGISTER,
        Nr.PIDFD_GETFD,
        Nr.OPEN_BY_HANDLE_AT,
        Nr.NAME_TO_HANDLE_AT,
        Nr.MKNOD,
        Nr.MKNODAT,
        Nr.QUOTACTL,
        Nr.QUOTACTL_FD,
        Nr.CLOCK_SETTIME,
        Nr.CLOCK_ADJTIME,
        Nr.SETTIMEOFDAY,
        Nr.ADJTIMEX,
        Nr.SETHOSTNAME,
        Nr.SETDOMAINNAME,
        Nr.ACCT,
        Nr.SYSLOG,
        Nr.VHANGUP,
        Nr.NFSSERVCTL,
        Nr.LOOKUP_DCOOKIE,
        Nr.PERSONALITY,
        Nr.IOPL,
        Nr.IOPERM,
        Nr.MODIFY_LDT,
        Nr.USELIB,
        Nr.FANOTIFY_INIT
    };

    private static final int[] IDENTITY = {
        Nr.SETUID,
        Nr.SETGID,
        Nr.SETREUID,
        Nr.SETREGID,
        Nr.SETRESUID,
        Nr.SETRESGID,
        Nr.SETGROUPS,
        Nr.SETFSUID,
        Nr.SETFSGID,
        Nr.CAPSET
    };

    private record Instruction(int code, int jumpTrue, int jumpFalse, int constant) {}

    private final List<Instruction> program = new ArrayList<>();

    private Seccomp() {
        load(AT_ARCH);
        add(JEQ, 1, 0, ARCH);
        answer(RET_KILL_PROCESS);
        load(AT_NR);
        if (Libc.X86_64) {
            add(JGE, 0, 1, X32_BIT);
            answer(RET_KILL_PROCESS);
        }
    }

    /**
     * The filter of a child from its first instruction: no tracing, mounting, namespaces, modules,
     * keys, clocks, io_uring; sockets of the Unix and the two Internet families only.
     */
    public static Seccomp stage1() {
        Seccomp filter = new Seccomp();
        for (int number : NEVER) {
            filter.deny(number, Errno.EPERM);
        }
        // clone3(2) hides its flags behind a pointer; with ENOSYS glibc falls back on clone(2).
        filter.deny(Nr.CLONE3, Errno.ENOSYS);
        filter.denyNamespaces();
        filter.denySocketsBut(Sockets.AF_UNIX, Sockets.AF_INET, Sockets.AF_INET6);
        return filter;
    }

    /** An empty second stage; say what to refuse. */
    public static Seccomp stage2() {
        return new Seccomp();
    }

    /** No new program: for all but those that start helpers. */
    public Seccomp denyExec() {
        deny(Nr.EXECVE, Errno.EPERM);
        return deny(Nr.EXECVEAT, Errno.EPERM);
    }

    /** No change of uid, gid, groups, capabilities. */
    public Seccomp denyIdentity() {
        for (int number : IDENTITY) {
            deny(number, Errno.EPERM);
        }
        return this;
    }

    /** No signal but to this very process, which the JVM needs for itself. */
    public Seccomp denySignals() {
        deny(Nr.TKILL, Errno.EPERM);
        deny(Nr.PIDFD_SEND_SIGNAL, Errno.EPERM);
        int pid = Identity.pid();
        for (int number :
                new int[] {Nr.KILL, Nr.TGKILL, Nr.RT_SIGQUEUEINFO, Nr.RT_TGSIGQUEUEINFO}) {
            firstArgumentMustBe(number, pid);
        }
        return this;
    }

    /** No new socket but Unix ones; those already open and those accepted go on working. */
    public Seccomp denyInternetSockets() {
        return denySocketsBut(Sockets.AF_UNIX);
    }

    private Seccomp deny(int number, int errno) {
        if (number >= 0) {
            add(JEQ, 0, 1, number);
            answer(RET_ERRNO | errno);
        }
        return this;
    }

    private void denyNamespaces() {
        add(JEQ, 0, 4, Nr.CLONE);
        load(AT_FIRST_ARGUMENT);
        add(JSET, 0, 1, CLONE_NEW);
        answer(RET_ERRNO | Errno.EPERM);
        answer(RET_ALLOW);
    }

    private Seccomp denySocketsBut(int... families) {
        firstArgumentMustBe(Nr.SOCKET, families);
        return this;
    }

    private void firstArgumentMustBe(int number, int... allowed) {
        add(JEQ, 0, allowed.length + 3, number);
        load(AT_FIRST_ARGUMENT);
        for (int i = 0; i < allowed.length; i++) {
            add(JEQ, allowed.length - i, 0, allowed[i]);
        }
        answer(RET_ERRNO | Errno.EPERM);
        answer(RET_ALLOW);
    }

    private void load(int offset) {
        add(LD_WORD, 0, 0, offset);
    }

    private void answer(int value) {
        add(RET, 0, 0, value);
    }

    private void add(int code, int jumpTrue, int jumpFalse, int constant) {
        program.add(new Instruction(code, jumpTrue, jumpFalse, constant));
    }

    /** Writes the program into native memory. */
    public Filter prepare() {
        return new Filter(program);
    }

    /** A filter ready to be installed. */
    public static final class Filter {
        private final MemorySegment header;

        private Filter(List<Instruction> rules) {
            Arena arena = Arena.ofAuto();
            int count = rules.size() + 1;
            MemorySegment code = arena.allocate(8L * count, 8);
            for (int i = 0; i < rules.size(); i++) {
                put(code, i, rules.get(i));
            }
            put(code, count - 1, new Instruction(RET, 0, 0, RET_ALLOW));
            header = arena.allocate(16L + 8L * count, 8);
            header.set(JAVA_SHORT, 0, (short) count);
            header.set(JAVA_LONG, 8, header.address() + 16);
            header.asSlice(16).copyFrom(code);
        }

        private static void put(MemorySegment code, int place, Instruction rule) {
            long at = 8L * place;
            code.set(JAVA_SHORT, at, (short) rule.code);
            code.set(JAVA_BYTE, at + 2, (byte) rule.jumpTrue);
            code.set(JAVA_BYTE, at + 3, (byte) rule.jumpFalse);
            code.set(JAVA_INT, at + 4, rule.constant);
        }

        /**
         * Binds the calling thread and what it creates or executes; needs no_new_privs.
         *
         * @return what went wrong, to be logged once; empty when the filter is in force
         */
        public Optional<String> installOnThread() {
            return install(0);
        }

        /** Binds all threads of the process, and carries no_new_privs to them as well. */
        public Optional<String> installOnProcess() {
            return install(FLAG_TSYNC);
        }

        private Optional<String> install(int flags) {
            long result = Libc.syscall(Nr.SECCOMP, SET_MODE_FILTER, flags, header.address());
            if (result == 0) {
                return Optional.empty();
            }
            return Optional.of(
                    result > 0
                            ? "seccomp: thread " + result + " has another filter"
                            : "seccomp: " + Errno.text((int) -result));
        }
    }
}
