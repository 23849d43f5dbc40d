package smtpd.imsg;

/** What lka answers mda. */
public sealed interface LkaToMda extends ToMda permits Resolved, LkaToMda.UserIs {

    /** Permanent: there is no such user. */
    record UserIs(Outcome outcome, @Max(255) String name, int uid, int gid, @Max(4096) String home)
            implements LkaToMda {}
}
