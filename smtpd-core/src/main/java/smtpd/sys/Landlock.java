package smtpd.sys;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static smtpd.sys.SysException.check;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The file trees and TCP ports a thread, and all it creates or executes, may touch: landlock(7).
 * What is not named is refused with EACCES. Collect the rules, {@link #prepare} with full rights,
 * then {@link Ruleset#restrict} on the thread concerned; there is no way back.
 *
 * <p>Give folders, not files, where a file may be replaced by rename(2): a rule binds the inode. A
 * path that does not exist is left out. Unix sockets are not covered.
 */
public final class Landlock {
    private static final long EXECUTE = 1;
    private static final long WRITE_FILE = 1 << 1;
    private static final long READ_FILE = 1 << 2;
    private static final long READ_DIR = 1 << 3;
    private static final long REMOVE_DIR = 1 << 4;
    private static final long REMOVE_FILE = 1 << 5;
    private static final long MAKE_CHAR = 1 << 6;
    private static final long MAKE_BLOCK = 1 << 11;
    private static final long REFER = 1 << 13;
    private static final long TRUNCATE = 1 << 14;
    private static final long IOCTL_DEV = 1 << 15;
    private static final long ABI_1 = (1 << 13) - 1;

    private static final long READ = READ_FILE | READ_DIR;
    private static final long ANY = ABI_1 | REFER | TRUNCATE | IOCTL_DEV;
    private static final long WRITE = ANY & ~(EXECUTE | MAKE_CHAR | MAKE_BLOCK);
    private static final long OF_A_FILE = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV;

    private static final long BIND_TCP = 1;
    private static final long CONNECT_TCP = 2;
    private static final long SCOPE_SIGNAL = 2;

    private static final int CREATE_VERSION = 1;
    private static final int RULE_PATH = 1;
    private static final int RULE_PORT = 2;

    private final Map<String, Long> paths = new LinkedHashMap<>();
    private final Map<Integer, Long> ports = new LinkedHashMap<>();
    private boolean isTcpClosed;
    private boolean isSignalScoped;
    private boolean isMoving;

    /** The kernel's Landlock version, 0 when it has none or it is switched off. */
    public static int abi() {
        return (int) Math.max(0, Libc.syscall(Nr.LANDLOCK_CREATE_RULESET, 0, 0, CREATE_VERSION));
    }

    /** Read this tree. */
    public Landlock readOnly(String path) {
        return allow(path, READ);
    }

    /** Read and execute in this tree. */
    public Landlock execute(String path) {
        return allow(path, READ | EXECUTE);
    }

    /** Everything in this tree but executing and making devices. */
    public Landlock readWrite(String path) {
        return allow(path, WRITE);
    }

    /** Remove names in this tree, and nothing else. */
    public Landlock remove(String path) {
        return allow(path, REMOVE_DIR | REMOVE_FILE | READ_DIR);
    }

    /** Everything in this tree. */
    public Landlock everything(String path) {
        return allow(path, ANY);
    }

    private Landlock allow(String path, long rights) {
        paths.merge(path, rights, (a, b) -> a | b);
        return this;
    }

    /** No TCP but the ports named: neither bind(2) nor connect(2). */
    public Landlock closeTcp() {
        isTcpClosed = true;
        return this;
    }

    public Landlock connectTcp(int port) {
        isTcpClosed = true;
        ports.merge(port, CONNECT_TCP, (a, b) -> a | b);
        return this;
    }

    public Landlock bindTcp(int port) {
        isTcpClosed = true;
        ports.merge(port, BIND_TCP, (a, b) -> a | b);
        return this;
    }

    /** No signal to a process outside. Not for a process some threads of which go further in. */
    public Landlock scopeSignals() {
        isSignalScoped = true;
        return this;
    }

    /**
     * This process renames between directories, which the first Landlock version refuses whatever
     * the rules say: on such a kernel there will be no restriction at all.
     */
    public Landlock movesFiles() {
        isMoving = true;
        return this;
    }

    /**
     * Makes the rule set with the caller's rights. Close it when every thread has taken it.
     *
     * @throws SysException when a path cannot be opened for another reason than not being there
     */
    public Ruleset prepare() throws SysException {
        int abi = abi();
        List<String> missing = new ArrayList<>();
        if (abi == 0 || (isMoving && abi == 1)) {
            missing.add(abi == 0 ? "landlock: none in this kernel" : "landlock: no REFER (ABI 1)");
            return new Ruleset(-1, missing);
        }
        if (abi < 4 && isTcpClosed) {
            missing.add("landlock: no TCP rules (ABI " + abi + ")");
        }
        if (abi < 6 && isSignalScoped) {
            missing.add("landlock: no signal scope (ABI " + abi + ")");
        }
        long handled = handled(abi);
        int fd = create(abi, handled);
        try {
            for (Map.Entry<String, Long> rule : paths.entrySet()) {
                allowPath(fd, rule.getKey(), rule.getValue() & handled);
            }
            if (abi >= 4) {
                for (Map.Entry<Integer, Long> rule : ports.entrySet()) {
                    allowPort(fd, rule.getKey(), rule.getValue());
                }
            }
            return new Ruleset(fd, missing);
        } catch (SysException e) {
            Fd.closeQuietly(fd);
            throw e;
        }
    }

    private static long handled(int abi) {
        long handled = ABI_1;
        if (abi >= 2) {
            handled |= REFER;
        }
        if (abi >= 3) {
            handled |= TRUNCATE;
        }
        if (abi >= 5) {
            handled |= IOCTL_DEV;
        }
        return handled;
    }

    /** struct landlock_ruleset_attr: 8 bytes at first, 16 with ports, 24 with scopes. */
    private int create(int abi, long handled) throws SysException {
        int size = abi >= 6 ? 24 : abi >= 4 ? 16 : 8;
        MemorySegment attr = Scratch.current().zeroed(24);
        attr.set(JAVA_LONG, 0, handled);
        attr.set(JAVA_LONG, 8, isTcpClosed && abi >= 4 ? BIND_TCP | CONNECT_TCP : 0);
        attr.set(JAVA_LONG, 16, isSignalScoped && abi >= 6 ? SCOPE_SIGNAL : 0);
        long fd = Libc.syscall(Nr.LANDLOCK_CREATE_RULESET, attr.address(), size, 0);
        return check("landlock_create_ruleset", fd);
    }

    private static void allowPath(int ruleset, String path, long rights) throws SysException {
        int at = At.tryOpen(At.CWD, path, Open.PATH, 0);
        if (at == -Errno.ENOENT || at == -Errno.ENOTDIR) {
            return;
        }
        check("landlock open", path, at);
        try {
            long given = Fd.stat(at).isDirectory() ? rights : rights & OF_A_FILE;
            MemorySegment rule = Scratch.current().zeroed(16);
            rule.set(JAVA_LONG_UNALIGNED, 0, given);
            rule.set(JAVA_INT_UNALIGNED, 8, at);
            addRule(ruleset, RULE_PATH, rule, path);
        } finally {
            Fd.closeQuietly(at);
        }
    }

    private static void allowPort(int ruleset, int port, long rights) throws SysException {
        MemorySegment rule = Scratch.current().zeroed(16);
        rule.set(JAVA_LONG, 0, rights);
        rule.set(JAVA_LONG, 8, port);
        addRule(ruleset, RULE_PORT, rule, "port " + port);
    }

    private static void addRule(int ruleset, int type, MemorySegment rule, String subject)
            throws SysException {
        long result = Libc.syscall(Nr.LANDLOCK_ADD_RULE, ruleset, type, rule.address(), 0, 0);
        check("landlock_add_rule", subject, result);
    }

    /** A finished set of rules, a descriptor of this process. */
    public static final class Ruleset implements AutoCloseable {
        private final int fd;
        private final List<String> missing;

        private Ruleset(int fd, List<String> missing) {
            this.fd = fd;
            this.missing = List.copyOf(missing);
        }

        /** What this kernel could not promise, one sentence each, to be logged once. */
        public List<String> missing() {
            return missing;
        }

        /** Binds the calling thread and all it will create. Needs no_new_privs. */
        public void restrict() throws SysException {
            if (fd >= 0) {
                check("landlock_restrict_self", Libc.syscall(Nr.LANDLOCK_RESTRICT_SELF, fd, 0, 0));
            }
        }

        @Override
        public void close() {
            Fd.closeQuietly(fd);
        }
    }
}
