package smtpd.sys;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/**
 * The native memory one thread needs for its calls, kept for the thread's life so that a call
 * allocates nothing: the errno slot, room for one small C structure, two paths, and a copy buffer
 * made at its first use. Collected with the thread.
 */
final class Scratch {
    private static final ThreadLocal<Scratch> CURRENT = ThreadLocal.withInitial(Scratch::new);
    private static final int COPY_BYTES = 64 * 1024;
    private static final int STRUCT_BYTES = 512;
    private static final int FIRST_PATH_BYTES = 256;
    private static final int PATH_MAX = 4096;

    /** Where the linker stores errno right after the call. */
    final MemorySegment errno;

    /** For one C structure of at most 512 bytes; zeroed by whoever needs it zero. */
    final MemorySegment struct;

    private MemorySegment first;
    private MemorySegment second;
    private MemorySegment copy;

    private Scratch() {
        MemorySegment block = Arena.ofAuto().allocate(16 + STRUCT_BYTES + 2 * FIRST_PATH_BYTES, 16);
        errno = block.asSlice(0, Linker.Option.captureStateLayout());
        struct = block.asSlice(16, STRUCT_BYTES);
        first = block.asSlice(16 + STRUCT_BYTES, FIRST_PATH_BYTES);
        second = block.asSlice(16 + STRUCT_BYTES + FIRST_PATH_BYTES, FIRST_PATH_BYTES);
    }

    static Scratch current() {
        return CURRENT.get();
    }

    int errno() {
        return errno.get(JAVA_INT, 0);
    }

    /** The first 512 bytes, zeroed up to {@code bytes}. */
    MemorySegment zeroed(int bytes) {
        return struct.asSlice(0, bytes).fill((byte) 0);
    }

    /** 64 KiB through which heap arrays reach the kernel. */
    MemorySegment copy() {
        if (copy == null) {
            copy = Arena.ofAuto().allocate(COPY_BYTES, 64);
        }
        return copy;
    }

    /** The path as a C string; valid until the next call of this method on this thread. */
    long path(String path) {
        if (isTooLong(first, path)) {
            first = Arena.ofAuto().allocate(3L * path.length() + 1);
        }
        return put(first, path);
    }

    /** The second path of rename and link. */
    long secondPath(String path) {
        if (isTooLong(second, path)) {
            second = Arena.ofAuto().allocate(3L * path.length() + 1);
        }
        return put(second, path);
    }

    private static boolean isTooLong(MemorySegment room, String path) {
        return 3L * path.length() + 1 > room.byteSize();
    }

    /** A NUL inside would make the kernel see another, shorter path: such a name cannot exist. */
    private static long put(MemorySegment room, String path) {
        if (path.indexOf('\0') >= 0 || path.length() > PATH_MAX) {
            return NO_PATH;
        }
        room.setString(0, path, StandardCharsets.UTF_8);
        return room.address();
    }

    /** A null pointer: the kernel answers EFAULT. */
    static final long NO_PATH = 0;
}
