package smtpd.sys;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;

/** Which file system a descriptor is on, statfs(2). */
public final class FileSystemType {
    private static final Call FSTATFS = Libc.function("fstatfs");
    private static final long NFS_SUPER_MAGIC = 0x6969;

    private FileSystemType() {}

    /** Whether flock(2) is the same lock as fcntl(2)'s there; false also when it cannot tell. */
    public static boolean isNfs(int fd) {
        MemorySegment statfs = Scratch.current().zeroed(256);
        return FSTATFS.of(fd, statfs.address()) == 0 && statfs.get(JAVA_LONG, 0) == NFS_SUPER_MAGIC;
    }
}
