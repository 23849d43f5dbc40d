package smtpd.mda.deliver;

import smtpd.sys.Errno;

/** What an error number of the kernel, or one of our own, means for the mail. */
final class Fault {

    /** Not the kernel's: the content could not be read. */
    static final int BODY = 10_001;

    /** Not the kernel's: the content is not what the queue recorded. */
    static final int CORRUPT = 10_002;

    /** Not the kernel's: somebody else holds a lock of the mailbox. */
    static final int LOCKED = 10_003;

    private Fault() {}

    /**
     * @param errno positive
     * @param what the file or step that failed, for the text
     */
    static Verdict verdict(int errno, String what) {
        return switch (errno) {
            case Errno.ENOSPC ->
                    new Verdict.Temporary("4.3.1", "file system full", Verdict.Cause.FULL);
            case Errno.EDQUOT, Errno.EFBIG ->
                    new Verdict.Temporary("4.2.2", "mailbox full", Verdict.Cause.FULL);
            case BODY -> Verdict.temporary("4.3.0", "Error reading body");
            case CORRUPT ->
                    new Verdict.Temporary(
                            "4.3.0", "content does not match its record", Verdict.Cause.CONTENT);
            case LOCKED -> new Verdict.Temporary("4.2.0", "mailbox locked", Verdict.Cause.LOCKED);
            case Errno.EROFS, Errno.EIO, Errno.ESTALE, Errno.ENODEV, Errno.ENXIO ->
                    new Verdict.Temporary(
                            "4.3.0", what + ": " + Errno.text(errno), Verdict.Cause.DEVICE);
            case Errno.EMFILE, Errno.ENFILE, Errno.ENOMEM, Errno.EAGAIN ->
                    new Verdict.Temporary(
                            "4.3.2", what + ": " + Errno.text(errno), Verdict.Cause.RESOURCES);
            case Errno.ELOOP, Errno.ENOTDIR, Errno.ENAMETOOLONG, Errno.EISDIR ->
                    Verdict.temporary("4.2.0", what + ": " + Errno.text(errno));
            default -> Verdict.temporary("4.3.0", what + ": " + Errno.text(errno));
        };
    }
}
