package smtpd.sys;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.MemorySegment;

/**
 * What statx(2) says of a file.
 *
 * @param device major number in the high half, minor in the low
 * @param mode type and permission bits, as {@code st_mode}
 * @param atimeNanos nanoseconds since the epoch
 * @param mtimeNanos nanoseconds since the epoch
 */
public record FileInfo(
        long inode,
        long device,
        long size,
        int links,
        int mode,
        int uid,
        int gid,
        long atimeNanos,
        long mtimeNanos) {

    private static final int TYPE_MASK = 0xf000;

    public boolean isRegular() {
        return (mode & TYPE_MASK) == 0x8000;
    }

    public boolean isDirectory() {
        return (mode & TYPE_MASK) == 0x4000;
    }

    public boolean isSymlink() {
        return (mode & TYPE_MASK) == 0xa000;
    }

    public boolean isSocket() {
        return (mode & TYPE_MASK) == 0xc000;
    }

    public boolean isCharacterDevice() {
        return (mode & TYPE_MASK) == 0x2000;
    }

    /** Whether both were read from one file, whatever its names. */
    public boolean isSameFile(FileInfo other) {
        return inode == other.inode && device == other.device;
    }

    /** The twelve permission bits. */
    public int permissions() {
        return mode & 0xfff;
    }

    static FileInfo read(MemorySegment statx) {
        return new FileInfo(
                statx.get(JAVA_LONG, 32),
                (long) statx.get(JAVA_INT, 136) << 32 | (statx.get(JAVA_INT, 140) & 0xffffffffL),
                statx.get(JAVA_LONG, 40),
                statx.get(JAVA_INT, 16),
                statx.get(JAVA_SHORT, 28) & 0xffff,
                statx.get(JAVA_INT, 20),
                statx.get(JAVA_INT, 24),
                time(statx, 64),
                time(statx, 112));
    }

    private static long time(MemorySegment statx, int offset) {
        return statx.get(JAVA_LONG, offset) * 1_000_000_000L + statx.get(JAVA_INT, offset + 8);
    }
}
