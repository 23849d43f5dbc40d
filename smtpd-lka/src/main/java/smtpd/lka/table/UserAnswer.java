package smtpd.lka.table;

/** What a user database says about a name. */
public sealed interface UserAnswer {

    Missing MISSING = new Missing();

    /**
     * @param home absolute
     */
    record Found(String name, int uid, int gid, String home) implements UserAnswer {}

    /** The database says clearly that there is no such user. */
    record Missing() implements UserAnswer {}

    /** The database could not answer, or not in a way that can be used: temporary. */
    record Failed(String why) implements UserAnswer {}
}
