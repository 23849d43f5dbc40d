package smtpd.sys;

/**
 * An account of the system, passwd(5).
 *
 * @param home as written there, possibly empty
 */
public record User(String name, int uid, int gid, String home, String shell) {}
