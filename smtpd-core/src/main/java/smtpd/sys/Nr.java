package smtpd.sys;

/**
 * Numbers of the system calls used raw or refused by the filter, from the kernel's own tables
 * ({@code unistd_64.h}, {@code asm-generic/unistd.h}); -1 where an architecture has no such call.
 */
final class Nr {
    static final int OPENAT = on(257, 56);
    static final int FCNTL = on(72, 25);
    static final int PRCTL = on(157, 167);
    static final int RENAMEAT2 = on(316, 276);
    static final int MEMFD_CREATE = on(319, 279);
    static final int SETRESUID = on(117, 147);
    static final int SETRESGID = on(119, 149);
    static final int GETRESUID = on(118, 148);
    static final int GETRESGID = on(120, 150);
    static final int SETGROUPS = on(116, 159);
    static final int SETFSUID = on(122, 151);
    static final int SETFSGID = on(123, 152);
    static final int CAPGET = on(125, 90);
    static final int CAPSET = on(126, 91);
    static final int SECCOMP = on(317, 277);
    static final int GETDENTS64 = on(217, 61);
    static final int SYNC_FILE_RANGE = on(277, 84);
    static final int PIDFD_OPEN = on(434, 434);
    static final int PIDFD_SEND_SIGNAL = on(424, 424);
    static final int GETTID = on(186, 178);
    static final int LANDLOCK_CREATE_RULESET = on(444, 444);
    static final int LANDLOCK_ADD_RULE = on(445, 445);
    static final int LANDLOCK_RESTRICT_SELF = on(446, 446);
    static final int CLOSE_RANGE = on(436, 436);
    static final int CLONE = on(56, 220);
    static final int CLONE3 = on(435, 435);
    static final int SOCKET = on(41, 198);
    static final int KILL = on(62, 129);
    static final int TKILL = on(200, 130);
    static final int TGKILL = on(234, 131);
    static final int RT_SIGQUEUEINFO = on(129, 138);
    static final int RT_TGSIGQUEUEINFO = on(297, 240);
    static final int EXECVE = on(59, 221);
    static final int EXECVEAT = on(322, 281);
    static final int SETUID = on(105, 146);
    static final int SETGID = on(106, 144);
    static final int SETREUID = on(113, 145);
    static final int SETREGID = on(114, 143);

    // Named by the seccomp filter only.
    static final int PTRACE = on(101, 117);
    static final int PROCESS_VM_READV = on(310, 270);
    static final int PROCESS_VM_WRITEV = on(311, 271);
    static final int KCMP = on(312, 272);
    static final int PROCESS_MADVISE = on(440, 440);
    static final int MOUNT = on(165, 40);
    static final int UMOUNT2 = on(166, 39);
    static final int PIVOT_ROOT = on(155, 41);
    static final int CHROOT = on(161, 51);
    static final int SETNS = on(308, 268);
    static final int UNSHARE = on(272, 97);
    static final int MOVE_MOUNT = on(429, 429);
    static final int OPEN_TREE = on(428, 428);
    static final int FSOPEN = on(430, 430);
    static final int FSCONFIG = on(431, 431);
    static final int FSMOUNT = on(432, 432);
    static final int FSPICK = on(433, 433);
    static final int MOUNT_SETATTR = on(442, 442);
    static final int SWAPON = on(167, 224);
    static final int SWAPOFF = on(168, 225);
    static final int REBOOT = on(169, 142);
    static final int INIT_MODULE = on(175, 105);
    static final int FINIT_MODULE = on(313, 273);
    static final int DELETE_MODULE = on(176, 106);
    static final int KEXEC_LOAD = on(246, 104);
    static final int KEXEC_FILE_LOAD = on(320, 294);
    static final int BPF = on(321, 280);
    static final int PERF_EVENT_OPEN = on(298, 241);
    static final int KEYCTL = on(250, 219);
    static final int ADD_KEY = on(248, 217);
    static final int REQUEST_KEY = on(249, 218);
    static final int USERFAULTFD = on(323, 282);
    static final int IO_URING_SETUP = on(425, 425);
    static final int IO_URING_ENTER = on(426, 426);
    static final int IO_URING_REGISTER = on(427, 427);
    static final int PIDFD_GETFD = on(438, 438);
    static final int OPEN_BY_HANDLE_AT = on(304, 265);
    static final int NAME_TO_HANDLE_AT = on(303, 264);
    static final int MKNOD = on(133, -1);
    static final int MKNODAT = on(259, 33);
    static final int QUOTACTL = on(179, 60);
    static final int QUOTACTL_FD = on(443, 443);
    static final int CLOCK_SETTIME = on(227, 112);
    static final int CLOCK_ADJTIME = on(305, 266);
    static final int SETTIMEOFDAY = on(164, 170);
    static final int ADJTIMEX = on(159, 171);
    static final int SETHOSTNAME = on(170, 161);
    static final int SETDOMAINNAME = on(171, 162);
    static final int ACCT = on(163, 89);
    static final int SYSLOG = on(103, 116);
    static final int VHANGUP = on(153, 58);
    static final int NFSSERVCTL = on(180, 42);
    static final int LOOKUP_DCOOKIE = on(212, 18);
    static final int PERSONALITY = on(135, 92);
    static final int IOPL = on(172, -1);
    static final int IOPERM = on(173, -1);
    static final int MODIFY_LDT = on(154, -1);
    static final int USELIB = on(134, -1);
    static final int FANOTIFY_INIT = on(300, 262);

    private Nr() {}

    private static int on(int x8664, int aarch64) {
        return Libc.X86_64 ? x8664 : aarch64;
    }
}
