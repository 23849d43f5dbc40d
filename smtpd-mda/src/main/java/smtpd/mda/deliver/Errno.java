package smtpd.mda.deliver;

/** The error numbers a delivery meets (errno(3), Linux), and what each means for the mail. */
final class Errno {

    static final int EPERM = 1;
    static final int ENOENT = 2;
    static final int EINTR = 4;
    static final int EIO = 5;
    static final int ENXIO = 6;
    static final int EAGAIN = 11;
    static final int ENOMEM = 12;
    static final int EACCES = 13;
    static final int EEXIST = 17;
    static final int ENODEV = 19;
    static final int ENOTDIR = 20;
    static final int EISDIR = 21;
    static final int EINVAL = 22;
    static final int ENFILE = 23;
    static final int EMFILE = 24;
    static final int EFBIG = 27;
    static final int ENOSPC = 28;
    static final int EROFS = 30;
    static final int EPIPE = 32;
    static final int ENAMETOOLONG = 36;
    static final int ENOSYS = 38;
    static final int ELOOP = 40;
    static final int ESTALE = 116;
    static final int EDQUOT = 122;

    /** Not the kernel's: the content could not be read. */
    static final int BODY = 10_001;

    /** Not the kernel's: the content is not what the queue recorded. */
    static final int CORRUPT = 10_002;

    /** Not the kernel's: somebody else holds a lock of the mailbox. */
    static final int LOCKED = 10_003;

    private Errno() {}

    /**
     * @param errno positive
     * @param what the file or step that failed, for the text
     */
    static Verdict verdict(int errno, String what) {
        return switch (errno) {
            case ENOSPC -> new Verdict.Temporary("4.3.1", "file system full", Verdict.Cause.FULL);
            case EDQUOT, EFBIG ->
                    new Verdict.Temporary("4.2.2", "mailbox full", Verdict.Cause.FULL);
            case BODY -> Verdict.temporary("4.3.0", "Error reading body");
            case CORRUPT ->
                    new Verdict.Temporary(
                            "4.3.0", "content does not match its record", Verdict.Cause.CONTENT);
            case LOCKED -> Verdict.temporary("4.2.0", "mailbox locked");
            case EROFS, EIO, ESTALE, ENODEV, ENXIO ->
                    new Verdict.Temporary("4.3.0", what + ": " + name(errno), Verdict.Cause.DEVICE);
            case EMFILE, ENFILE, ENOMEM, EAGAIN ->
                    new Verdict.Temporary(
                            "4.3.2", what + ": " + name(errno), Verdict.Cause.RESOURCES);
            case ELOOP, ENOTDIR, ENAMETOOLONG, EISDIR ->
                    Verdict.temporary("4.2.0", what + ": " + name(errno));
            default -> Verdict.temporary("4.3.0", what + ": " + name(errno));
        };
    }

    static String name(int errno) {
        return switch (errno) {
            case EPERM -> "operation not permitted";
            case ENOENT -> "no such file or directory";
            case EIO -> "input/output error";
            case ENXIO -> "no such device or address";
            case EAGAIN -> "resource temporarily unavailable";
            case ENOMEM -> "out of memory";
            case EACCES -> "permission denied";
            case EEXIST -> "file exists";
            case ENODEV -> "no such device";
            case ENOTDIR -> "not a directory";
            case EISDIR -> "is a directory";
            case EINVAL -> "invalid argument";
            case ENFILE, EMFILE -> "too many open files";
            case EFBIG -> "file too large";
            case ENOSPC -> "no space left on device";
            case EROFS -> "read-only file system";
            case EPIPE -> "broken pipe";
            case ENAMETOOLONG -> "file name too long";
            case ELOOP -> "symbolic link in the way";
            case ESTALE -> "stale file handle";
            case EDQUOT -> "disk quota exceeded";
            case 98 -> "address already in use";
            case 110 -> "connection timed out";
            case 111 -> "connection refused";
            case 113 -> "no route to host";
            default -> "error " + errno;
        };
    }
}
