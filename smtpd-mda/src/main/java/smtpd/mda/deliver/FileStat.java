package smtpd.mda.deliver;

/** The part of {@code struct statx} a delivery looks at. */
record FileStat(
        int mode,
        int links,
        int uid,
        long size,
        long inode,
        long device,
        long atime,
        int atimeNanos,
        long mtime,
        int mtimeNanos) {

    private static final int TYPE = 0170000;

    boolean isRegular() {
        return (mode & TYPE) == 0100000;
    }

    boolean isDirectory() {
        return (mode & TYPE) == 0040000;
    }

    boolean isCharacterDevice() {
        return (mode & TYPE) == 0020000;
    }

    boolean isSymlink() {
        return (mode & TYPE) == 0120000;
    }

    boolean isSetgid() {
        return (mode & 02000) != 0;
    }

    boolean isSameFile(FileStat other) {
        return inode == other.inode && device == other.device;
    }
}
