package smtpd.conf;

import java.util.Optional;
import java.util.Set;

/** The syntax of format specifiers, so that a bad one shows when the configuration is read. */
final class FormatCheck {

    private static final Set<String> NAMES =
            Set.of(
                    "sender",
                    "sender.user",
                    "sender.domain",
                    "rcpt",
                    "rcpt.user",
                    "rcpt.domain",
                    "dest",
                    "dest.user",
                    "dest.domain",
                    "user.username",
                    "user.directory",
                    "mbox.from");
    private static final Set<String> MODIFIERS = Set.of("lowercase", "uppercase", "strip", "raw");

    private FormatCheck() {}

    /** The first specifier of {@code text} that is wrong. */
    static Optional<String> firstFault(String text) {
        for (int at = text.indexOf('%'); at >= 0; at = text.indexOf('%', at)) {
            if (at + 1 < text.length() && text.charAt(at + 1) == '%') {
                at += 2;
            } else if (at + 1 < text.length() && text.charAt(at + 1) == '{') {
                int close = text.indexOf('}', at);
                if (close < 0) {
                    return Optional.of(text.substring(at));
                }
                if (!isSpecifier(text.substring(at + 2, close))) {
                    return Optional.of(text.substring(at, close + 1));
                }
                at = close + 1;
            } else {
                at++;
            }
        }
        return Optional.empty();
    }

    private static boolean isSpecifier(String inside) {
        String name = inside;
        int colon = name.indexOf(':', Math.max(0, name.indexOf(']')));
        if (colon >= 0) {
            for (String modifier : name.substring(colon + 1).split("\\|", -1)) {
                if (!MODIFIERS.contains(modifier)) {
                    return false;
                }
            }
            name = name.substring(0, colon);
        }
        int open = name.indexOf('[');
        if (open >= 0) {
            if (!name.endsWith("]") || !isRange(name.substring(open + 1, name.length() - 1))) {
                return false;
            }
            name = name.substring(0, open);
        }
        return NAMES.contains(name);
    }

    /** {@code n}, {@code a:b}, {@code a:}, {@code :b}, each with an optional minus. */
    private static boolean isRange(String range) {
        int colon = range.indexOf(':');
        if (colon < 0) {
            return isNumber(range);
        }
        String from = range.substring(0, colon);
        String to = range.substring(colon + 1);
        return (from.isEmpty() || isNumber(from))
                && (to.isEmpty() || isNumber(to))
                && range.length() > 1;
    }

    private static boolean isNumber(String text) {
        String digits = text.startsWith("-") ? text.substring(1) : text;
        return !digits.isEmpty()
                && digits.length() <= 5
                && digits.chars().allMatch(c -> c >= '0' && c <= '9');
    }
}
