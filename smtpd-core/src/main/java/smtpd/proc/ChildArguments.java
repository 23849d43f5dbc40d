package smtpd.proc;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import smtpd.imsg.Role;

/**
 * The command line of a child, written by the parent and read by the child; visible in {@code ps},
 * so it holds nothing secret.
 *
 * @param uid to become, -1 to stay
 * @param gid to become, -1 to stay
 * @param serviceUid identity that delivery threads keep, -1 without root
 * @param toStderr log to the terminal instead of syslog
 */
public record ChildArguments(
        Role role,
        int generation,
        int parentPid,
        int uid,
        int gid,
        int serviceUid,
        int serviceGid,
        boolean toStderr,
        boolean verbose) {

    /**
     * In the order {@link #parse} reads them; the first shows in {@code ps} which process it is.
     */
    public List<String> toList() {
        List<String> list = new ArrayList<>();
        list.add("role=" + role.title());
        list.add("generation=" + generation);
        list.add("parent=" + parentPid);
        list.add("uid=" + uid);
        list.add("gid=" + gid);
        list.add("service-uid=" + serviceUid);
        list.add("service-gid=" + serviceGid);
        list.add("stderr=" + toStderr);
        list.add("verbose=" + verbose);
        return list;
    }

    static ChildArguments parse(String[] arguments) {
        Map<String, String> given = new HashMap<>();
        for (String argument : arguments) {
            int equals = argument.indexOf('=');
            if (equals > 0) {
                given.put(argument.substring(0, equals), argument.substring(equals + 1));
            }
        }
        if (!given.containsKey("role") || !given.containsKey("parent")) {
            System.err.println("smtpd: this program is started by smtpd(8) alone");
            System.exit(64);
        }
        return new ChildArguments(
                Role.ofTitle(given.get("role")),
                number(given, "generation"),
                number(given, "parent"),
                number(given, "uid"),
                number(given, "gid"),
                number(given, "service-uid"),
                number(given, "service-gid"),
                Boolean.parseBoolean(given.get("stderr")),
                Boolean.parseBoolean(given.get("verbose")));
    }

    private static int number(Map<String, String> given, String name) {
        return Integer.parseInt(given.getOrDefault(name, "-1"));
    }
}
