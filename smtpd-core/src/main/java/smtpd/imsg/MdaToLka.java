package smtpd.imsg;

/** What mda asks lka. */
public sealed interface MdaToLka extends ToLka permits Resolve, MdaToLka.UserInfo {

    /**
     * Who is this user, by this table? Answered by UserIs.
     *
     * @param table name of the user table, {@code <getpwnam>} for the system's
     */
    record UserInfo(long configId, @Max(1023) String table, @Max(255) String user)
            implements MdaToLka {}
}
