package smtpd.sys;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static smtpd.sys.SysException.check;

import java.lang.foreign.MemorySegment;
import java.util.Set;

/** capabilities(7) of the calling thread. */
public enum Capability {
    CHOWN(0),
    DAC_OVERRIDE(1),
    FOWNER(3),
    KILL(5),
    SETGID(6),
    SETUID(7),
    SETPCAP(8),
    NET_BIND_SERVICE(10),
    SYS_RESOURCE(24);

    private static final int VERSION_3 = 0x20080522;
    private static final int PR_CAPBSET_READ = 23;
    private static final int PR_CAPBSET_DROP = 24;
    private static final int PR_CAP_AMBIENT = 47;
    private static final int PR_CAP_AMBIENT_CLEAR_ALL = 4;
    private static final int HIGHEST_POSSIBLE = 63;

    private final int number;

    Capability(int number) {
        this.number = number;
    }

    /**
     * Empties permitted, effective, inheritable and ambient set for good, by raw capset(2). After
     * setresuid(2) from uid 0 the kernel has emptied most already; from any other uid it has not.
     */
    static void dropAll() throws SysException {
        Libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
        MemorySegment data = header();
        check("capset", Libc.syscall(Nr.CAPSET, data.address(), data.address() + 8, 0));
    }

    /** Whether permitted and effective set are empty, by capget(2). */
    static boolean areNone() throws SysException {
        MemorySegment data = header();
        check("capget", Libc.syscall(Nr.CAPGET, data.address(), data.address() + 8, 0));
        for (int set = 0; set < 2; set++) {
            long at = 8 + 12L * set;
            if (data.get(JAVA_INT, at) != 0 || data.get(JAVA_INT, at + 4) != 0) {
                return false;
            }
        }
        return true;
    }

    /**
     * Takes everything but {@code keep} out of the bounding set of this thread and of all it
     * creates: no exec can bring it back. Needs CAP_SETPCAP.
     */
    static void bound(Set<Capability> keep) throws SysException {
        long kept = 0;
        for (Capability capability : keep) {
            kept |= 1L << capability.number;
        }
        for (int number = 0; number <= HIGHEST_POSSIBLE; number++) {
            long state = Libc.prctl(PR_CAPBSET_READ, number, 0, 0, 0);
            if (state < 0) {
                return; // EINVAL: above the last one this kernel knows
            }
            if (state == 1 && (kept & 1L << number) == 0) {
                check("PR_CAPBSET_DROP", Libc.prctl(PR_CAPBSET_DROP, number, 0, 0, 0));
            }
        }
    }

    /** struct __user_cap_header_struct (8 bytes), then two of __user_cap_data_struct, zero. */
    private static MemorySegment header() {
        MemorySegment data = Scratch.current().zeroed(32);
        data.set(JAVA_INT, 0, VERSION_3);
        return data;
    }
}
