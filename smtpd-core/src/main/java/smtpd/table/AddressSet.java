package smtpd.table;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Mailaddr patterns, ready for look-up: hashed where they are exact, in turn where they glob. */
final class AddressSet {

    private record Wild(String user, String domain) {}

    private final char delimiter;
    private final Set<String> exact = new HashSet<>();
    private final List<Wild> wild = new ArrayList<>();

    /**
     * @param delimiter what separates user and tag in a local part
     */
    AddressSet(Iterable<String> patterns, char delimiter) {
        this.delimiter = delimiter;
        for (String pattern : patterns) {
            int at = pattern.lastIndexOf('@');
            if (at >= 0 && Glob.isPattern(pattern.substring(at + 1))) {
                wild.add(new Wild(pattern.substring(0, at), pattern.substring(at + 1)));
            } else {
                exact.add(pattern);
            }
        }
    }

    /**
     * @param address in lower case; {@code @} or empty for the empty sender
     */
    boolean matches(String address) {
        if (exact.contains(MailaddrPattern.EVERYTHING)) {
            return true;
        }
        int at = address.lastIndexOf('@');
        String user = at < 0 ? address : address.substring(0, at);
        String domain = at < 0 ? "" : address.substring(at + 1);
        if (user.isEmpty() && domain.isEmpty()) {
            return exact.contains(MailaddrPattern.EMPTY_SENDER);
        }
        // Only a pattern that holds the delimiter sees the tag: bob@x fits bob+lists@x.
        int cut = user.indexOf(delimiter);
        String bare = cut < 0 ? user : user.substring(0, cut);
        if (!domain.isEmpty() && exact.contains("@" + domain)) {
            return true;
        }
        if (matchesUser(bare, domain) || (cut >= 0 && matchesUser(user, domain))) {
            return true;
        }
        for (Wild pattern : wild) {
            boolean userFits =
                    pattern.user().isEmpty()
                            || pattern.user().equals(bare)
                            || pattern.user().equals(user);
            if (userFits && !domain.isEmpty() && Glob.matches(pattern.domain(), domain)) {
                return true;
            }
        }
        return false;
    }

    private boolean matchesUser(String user, String domain) {
        return !user.isEmpty()
                && (exact.contains(user)
                        || (!domain.isEmpty() && exact.contains(user + "@" + domain)));
    }
}
