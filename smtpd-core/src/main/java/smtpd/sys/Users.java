package smtpd.sys;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The user and group database through the C library, whatever stands behind it (files, LDAP, SSSD).
 * May take long: never on an event loop.
 *
 * <p>An empty result means that the source says there is no such name; an exception means that it
 * could not answer, which is temporary. getpwnam(3) gives null for both: the difference is its
 * error number, and bouncing mail because a directory server was down is the defect to avoid.
 */
public final class Users {
    private static final Call GETPWNAM = Libc.function("getpwnam_r");
    private static final Call GETPWUID = Libc.function("getpwuid_r");
    private static final Call GETGRNAM = Libc.function("getgrnam_r");
    private static final Call GETGROUPLIST = Libc.function("getgrouplist");

    private static final int FIRST_BUFFER = 2048;
    private static final int LARGEST_BUFFER = 4 << 20;
    private static final int FIRST_GROUPS = 64;
    private static final int MOST_GROUPS = 65_536;

    /** Room before the text: struct passwd (48) or group (32), the result pointer, the key. */
    private static final int RESULT = 48;

    private static final int TEXT = 64;

    private Users() {}

    /** getpwnam_r(3). */
    public static Optional<User> byName(String name) throws SysException {
        if (name.isEmpty() || name.indexOf('\0') >= 0) {
            return Optional.empty();
        }
        try (Arena arena = Arena.ofConfined()) {
            return user(arena, GETPWNAM, arena.allocateFrom(name).address(), "getpwnam " + name);
        }
    }

    /** getpwuid_r(3). */
    public static Optional<User> byUid(int uid) throws SysException {
        try (Arena arena = Arena.ofConfined()) {
            return user(arena, GETPWUID, uid, "getpwuid " + Integer.toUnsignedString(uid));
        }
    }

    /** getgrnam_r(3): the number of a group. */
    public static OptionalInt groupByName(String name) throws SysException {
        if (name.isEmpty() || name.indexOf('\0') >= 0) {
            return OptionalInt.empty();
        }
        try (Arena arena = Arena.ofConfined()) {
            long key = arena.allocateFrom(name).address();
            MemorySegment group = ask(arena, GETGRNAM, key, "getgrnam " + name);
            return group == null ? OptionalInt.empty() : OptionalInt.of(group.get(JAVA_INT, 16));
        }
    }

    /** getgrouplist(3): the user's primary group and all that name the user as member. */
    public static int[] groups(String name, int gid) throws SysException {
        if (name.indexOf('\0') >= 0) {
            throw new SysException("getgrouplist", Errno.EINVAL);
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment key = arena.allocateFrom(name);
            MemorySegment count = arena.allocate(JAVA_INT);
            for (int room = FIRST_GROUPS; room <= MOST_GROUPS; room *= 4) {
                MemorySegment list = arena.allocate(JAVA_INT, room);
                count.set(JAVA_INT, 0, room);
                long result = GETGROUPLIST.of(key.address(), gid, list.address(), count.address());
                if (result >= 0) {
                    return list.asSlice(0, 4L * count.get(JAVA_INT, 0)).toArray(JAVA_INT);
                }
            }
            throw new SysException("getgrouplist " + name, Errno.ERANGE);
        }
    }

    private static Optional<User> user(Arena arena, Call call, long key, String what)
            throws SysException {
        MemorySegment passwd = ask(arena, call, key, what);
        if (passwd == null) {
            return Optional.empty();
        }
        return Optional.of(
                new User(
                        string(passwd, 0),
                        passwd.get(JAVA_INT, 16),
                        passwd.get(JAVA_INT, 20),
                        string(passwd, 32),
                        string(passwd, 40)));
    }

    /** Null when there is no such entry. The buffer grows while the C library asks for more. */
    private static MemorySegment ask(Arena arena, Call call, long key, String what)
            throws SysException {
        for (int size = FIRST_BUFFER; ; size *= 8) {
            MemorySegment block = arena.allocate(TEXT + (long) size, 8);
            long base = block.address();
            // These functions return the error number instead of setting errno.
            long error = call.of(key, base, base + TEXT, size, base + RESULT);
            if (error == 0 && block.get(JAVA_LONG, RESULT) != 0) {
                return block;
            }
            if (isMissing(error)) {
                return null;
            }
            if (error != Errno.ERANGE || size > LARGEST_BUFFER) {
                throw new SysException(what, (int) Math.abs(error));
            }
        }
    }

    /** getpwnam(3), ERRORS: what sources answer for "no such name" besides a plain 0. */
    static boolean isMissing(long error) {
        return error == 0
                || error == Errno.ENOENT
                || error == Errno.ESRCH
                || error == Errno.EBADF
                || error == Errno.EPERM;
    }

    private static String string(MemorySegment struct, int offset) {
        MemorySegment text = struct.get(ADDRESS, offset);
        if (text.address() == 0) {
            return "";
        }
        return text.reinterpret(LARGEST_BUFFER).getString(0, StandardCharsets.UTF_8);
    }
}
