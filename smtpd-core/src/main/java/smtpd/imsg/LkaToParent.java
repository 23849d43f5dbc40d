package smtpd.imsg;

/** What lka asks the parent. */
public sealed interface LkaToParent extends ToParent {

    /** Open {@code ~/.forward} of this user. Answered by ForwardFile. */
    record OpenForward(@Max(255) String user, int uid, int gid, @Max(4096) String home)
            implements LkaToParent {}
}
