package smtpd.mda.deliver;

/**
 * Who owns the mailbox: one answer of the user base (lka), never more than these four facts.
 *
 * @param name login, after the sub-address was cut
 * @param home absolute path
 */
public record Account(String name, int uid, int gid, String home) {

    /** Why this account cannot be delivered to, or null when it can (numbers, home, name). */
    public String flaw() {
        if (uid == -1 || gid == -1) {
            return "bad uid or gid";
        }
        if (home.isEmpty() || home.charAt(0) != '/' || home.indexOf(0) >= 0) {
            return "bad home";
        }
        if (name.isEmpty()
                || name.charAt(0) == '-'
                || name.equals(".")
                || name.equals("..")
                || name.indexOf('/') >= 0
                || name.indexOf(0) >= 0) {
            return "bad user name";
        }
        return null;
    }

    public boolean isRoot() {
        return uid == 0;
    }
}
