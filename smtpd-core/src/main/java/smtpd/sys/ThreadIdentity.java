package smtpd.sys;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static smtpd.sys.SysException.check;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Credentials of one thread, by raw system calls: the C library would change all threads. Only for
 * platform threads made for the purpose, which never create another thread, load no class after the
 * change, and end: everything started from such a thread would keep its uid for good.
 *
 * <p>Make the value before (it allocates), apply it on the thread.
 */
public final class ThreadIdentity {

    static {
        // After the change this thread may not be able to read the class path.
        try {
            Capability.areNone();
        } catch (SysException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final int uid;
    private final int gid;
    private final int groupCount;
    private final MemorySegment groups;

    /**
     * @param groups supplementary groups, none inherited; usually empty
     */
    public ThreadIdentity(int uid, int gid, int... groups) {
        this.uid = uid;
        this.gid = gid;
        this.groupCount = groups.length;
        this.groups = Arena.ofAuto().allocate(4L * groups.length + 4, 8);
        MemorySegment.copy(groups, 0, this.groups, JAVA_INT, 0, groups.length);
    }

    /**
     * For writing a mailbox: effective and file system identity of the recipient, real and saved
     * uid of the service account, no capability, no new privileges. With the recipient as real or
     * saved uid any process of that user could {@code kill -9} this thread, and Linux then ends the
     * whole process.
     *
     * @param serviceUid an account that runs no commands
     * @throws SysException also when the result is not exactly that; the thread must then end
     */
    public void becomeRecipient(int serviceUid) throws SysException {
        take(serviceUid);
    }

    /**
     * For starting a command: real, effective and saved identity of the recipient, no capability,
     * no new privileges; for good. The user may kill this thread, and the process with it, so spawn
     * at once and end.
     *
     * @throws SysException also when the result is not exactly that; the thread must then end
     */
    public void becomeFully() throws SysException {
        take(uid);
    }

    private void take(int otherUid) throws SysException {
        if (Thread.currentThread().isVirtual()) {
            throw new IllegalStateException("credentials of a carrier would serve others");
        }
        Identity.noNewPrivileges();
        check("setgroups", Libc.syscall(Nr.SETGROUPS, groupCount, groups.address(), 0));
        check("setresgid", Libc.syscall(Nr.SETRESGID, gid, gid, gid));
        check("setresuid", Libc.syscall(Nr.SETRESUID, otherUid, uid, otherUid));
        // setresuid(2) clears the sets only when it leaves uid 0 and nothing asked to keep them.
        Capability.dropAll();
        verify(otherUid);
    }

    private void verify(int otherUid) throws SysException {
        MemorySegment ids = Scratch.current().struct;
        long at = ids.address();
        check("getresuid", Libc.syscall(Nr.GETRESUID, at, at + 4, at + 8));
        check("getresgid", Libc.syscall(Nr.GETRESGID, at + 12, at + 16, at + 20));
        boolean isExact =
                ids.get(JAVA_INT, 0) == otherUid
                        && ids.get(JAVA_INT, 4) == uid
                        && ids.get(JAVA_INT, 8) == otherUid
                        && ids.get(JAVA_INT, 12) == gid
                        && ids.get(JAVA_INT, 16) == gid
                        && ids.get(JAVA_INT, 20) == gid;
        boolean isFinal = uid == 0 || otherUid == 0 || Libc.syscall(Nr.SETUID, 0) < 0;
        if (!isExact || !isFinal || !Capability.areNone()) {
            throw new SysException("thread credentials are not as asked", Errno.EPERM);
        }
    }

    /** What an opener does while the thread speaks to the file system as the user. */
    @FunctionalInterface
    public interface FileWork<T> {
        T run() throws SysException;
    }

    /**
     * Runs file system calls with the user's fsuid, fsgid and groups on a thread of the root parent
     * and goes back, setfsuid(2). The thread keeps uid 0, so the user cannot signal it; the kernel
     * takes CAP_DAC_OVERRIDE and its like away meanwhile.
     */
    public <T> T asFileOwner(FileWork<T> work) throws SysException {
        if (Identity.euid() != 0) {
            return work.run();
        }
        check("setgroups", Libc.syscall(Nr.SETGROUPS, groupCount, groups.address(), 0));
        Libc.syscall(Nr.SETFSGID, gid);
        Libc.syscall(Nr.SETFSUID, uid);
        try {
            // These calls report no failure; asking for an impossible id tells the present one.
            if ((int) Libc.syscall(Nr.SETFSUID, -1) != uid
                    || (int) Libc.syscall(Nr.SETFSGID, -1) != gid) {
                throw new SysException("setfsuid", Errno.EPERM);
            }
            return work.run();
        } finally {
            Libc.syscall(Nr.SETFSUID, 0);
            Libc.syscall(Nr.SETFSGID, 0);
        }
    }
}
