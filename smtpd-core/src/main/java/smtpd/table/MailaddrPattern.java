package smtpd.table;

/**
 * The patterns for envelope addresses: {@code user@domain}, {@code @domain}, {@code user},
 * {@code @} for everything and {@code <>} for the empty sender. A domain may hold {@code *}.
 */
public final class MailaddrPattern {

    /** Fits every address, also the empty one. */
    static final String EVERYTHING = "@";

    /** Fits the empty sender only. */
    static final String EMPTY_SENDER = "<>";

    private MailaddrPattern() {}

    /** True for the forms above. */
    public static boolean isValid(String pattern) {
        if (pattern.equals(EMPTY_SENDER) || pattern.equals(EVERYTHING)) {
            return true;
        }
        int at = pattern.lastIndexOf('@');
        String user = at < 0 ? pattern : pattern.substring(0, at);
        String domain = at < 0 ? "" : pattern.substring(at + 1);
        return (at < 0 ? !user.isEmpty() : !domain.isEmpty())
                && hasNoneOf(user, " \t<>*")
                && (user.indexOf('@') < 0 || user.startsWith("\""))
                && hasNoneOf(domain, " \t<>");
    }

    private static boolean hasNoneOf(String text, String forbidden) {
        for (int i = 0; i < text.length(); i++) {
            if (forbidden.indexOf(text.charAt(i)) >= 0) {
                return false;
            }
        }
        return true;
    }
}
