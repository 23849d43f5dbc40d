package smtpd.mda.deliver;

import java.nio.charset.StandardCharsets;
import java.util.Locale;
import smtpd.mail.MailAddress;

/**
 * Expands <code>%{...}</code> in paths and commands at the moment of delivery.
 *
 * <p>Addresses are chosen by strangers, so what they could mean to a shell or to the file system
 * becomes {@code :}; a newline or NUL never passes, and no value ever adds a path component.
 */
final class Specifiers {

    /** What the result is used as: decides what must not pass. */
    enum Use {
        PATH,
        COMMAND
    }

    /** Longest expanded text, in bytes. */
    static final int MAX = 1023;

    private static final int MAX_TOKEN = 127;
    private static final String ESCAPED = "!#$%&'*?`{|}~";
    private static final String ESCAPED_IN_COMMAND = ";<>()\\\"";

    private final Job job;
    private final String command;

    /** {@code command} is what <code>%{mda}</code> stands for; null outside a wrapper. */
    Specifiers(Job job, String command) {
        this.job = job;
        this.command = command;
    }

    /**
     * @throws BadFormat when the text cannot be expanded for this envelope
     */
    String expand(Method.Text text, Use use) throws BadFormat {
        String result = text.raw() ? expandRaw(text.value(), use) : text.value();
        if (result.indexOf(0) >= 0) {
            throw new BadFormat("NUL in expanded text");
        }
        if (result.getBytes(StandardCharsets.UTF_8).length > MAX) {
            throw new BadFormat("expanded text is too long");
        }
        return result;
    }

    private String expandRaw(String text, Use use) throws BadFormat {
        StringBuilder out = new StringBuilder(text.length() + 32);
        int at = 0;
        if (text.startsWith("~/")) {
            out.append(job.runAs().home());
            at = 1;
        }
        while (at < text.length()) {
            char c = text.charAt(at++);
            char next = at < text.length() ? text.charAt(at) : 0;
            if (c == '%' && next == '%') {
                out.append('%');
                at++;
            } else if (c == '%' && next == '{') {
                int end = text.indexOf('}', at);
                if (end < 0) {
                    throw new BadFormat("unterminated %{");
                }
                out.append(token(text.substring(at + 1, end), use));
                at = end + 1;
            } else {
                out.append(c);
            }
        }
        return out.toString();
    }

    private String token(String token, Use use) throws BadFormat {
        if (token.length() > MAX_TOKEN) {
            throw new BadFormat("specifier is too long");
        }
        int nameEnd = firstOf(token, 0, '[', ':');
        String name = token.substring(0, nameEnd).toLowerCase(Locale.ROOT);
        String range = null;
        String modifiers = "";
        int at = nameEnd;
        if (at < token.length() && token.charAt(at) == '[') {
            int close = closing(token, at);
            range = token.substring(at + 1, close);
            at = close + 1;
        }
        if (at < token.length() && token.charAt(at) == ':') {
            int end = firstOf(token, at + 1, '[', '[');
            modifiers = token.substring(at + 1, end);
            if (modifiers.isEmpty()) {
                throw new BadFormat("empty modifier in %{" + token + "}");
            }
            at = end;
        }
        if (at < token.length() && token.charAt(at) == '[' && range == null) {
            int close = closing(token, at);
            range = token.substring(at + 1, close);
            at = close + 1;
        }
        if (at < token.length()) {
            String hint = token.charAt(at) == '|' ? ": use ':' before a modifier" : "";
            throw new BadFormat("bad specifier %{" + token + "}" + hint);
        }
        boolean own = name.equals("user.directory") || name.equals("mda");
        String value = modify(name, value(name), modifiers, own, use);
        if (range != null) {
            value = slice(value, range);
        }
        return value.isEmpty() && use == Use.PATH ? "_" : value;
    }

    private String value(String name) throws BadFormat {
        return switch (name) {
            case "sender" -> whole(job.sender());
            case "sender.user" -> job.sender().local();
            case "sender.domain" -> job.sender().domain();
            case "rcpt" -> whole(job.rcpt());
            case "rcpt.user" -> job.rcpt().local();
            case "rcpt.domain" -> job.rcpt().domain();
            case "dest" -> whole(job.dest());
            case "dest.user" -> job.dest().local();
            case "dest.domain" -> job.dest().domain();
            case "user.username" -> job.account().name();
            case "user.directory" -> job.runAs().home();
            case "mbox.from" -> job.sender().isNull() ? "MAILER-DAEMON" : whole(job.sender());
            case "mda" -> {
                if (command == null) {
                    throw new BadFormat("%{mda} outside a wrapper");
                }
                yield command;
            }
            default -> throw new BadFormat("unknown specifier %{" + name + "}");
        };
    }

    private static String whole(MailAddress address) {
        return address.toString();
    }

    private static String modify(String name, String value, String modifiers, boolean own, Use use)
            throws BadFormat {
        boolean raw = false;
        int at = 0;
        while (at < modifiers.length()) {
            int bar = modifiers.indexOf('|', at);
            int end = bar < 0 ? modifiers.length() : bar;
            String modifier = modifiers.substring(at, end);
            switch (modifier.toLowerCase(Locale.ROOT)) {
                case "lowercase" -> value = value.toLowerCase(Locale.ROOT);
                case "uppercase" -> value = value.toUpperCase(Locale.ROOT);
                case "strip" -> value = strip(value);
                case "raw" -> raw = true;
                default ->
                        throw new BadFormat("unknown modifier " + modifier + " of %{" + name + "}");
            }
            at = end + 1;
        }
        return own ? value : escape(value, raw, use);
    }

    /** Removes {@code +tag} from the local part. */
    private static String strip(String value) {
        int plus = value.indexOf('+');
        int at = value.lastIndexOf('@');
        if (plus < 0 || (at >= 0 && plus > at)) {
            return value;
        }
        return at < 0 ? value.substring(0, plus) : value.substring(0, plus) + value.substring(at);
    }

    private static String escape(String value, boolean raw, Use use) {
        StringBuilder out = null;
        for (int i = 0; i < value.length(); i++) {
            if (mustEscape(value.charAt(i), raw, use)) {
                if (out == null) {
                    out = new StringBuilder(value);
                }
                out.setCharAt(i, ':');
            }
        }
        return out == null ? value : out.toString();
    }

    static boolean mustEscape(char c, boolean raw, Use use) {
        if (c == '\n' || c == '\r' || c == 0) {
            return true;
        }
        if (use == Use.PATH && c == '/') {
            return true;
        }
        if (raw) {
            return false;
        }
        if (ESCAPED.indexOf(c) >= 0) {
            return true;
        }
        return use == Use.COMMAND
                ? c <= ' ' || c == 0x7f || ESCAPED_IN_COMMAND.indexOf(c) >= 0
                : c < ' ' || c == 0x7f;
    }

    /** 0-based, end inclusive; negative numbers count from the end. */
    static String slice(String value, String range) throws BadFormat {
        int colon = range.indexOf(':');
        String first = colon < 0 ? range : range.substring(0, colon);
        String last = colon < 0 ? "" : range.substring(colon + 1);
        int begin = first.isEmpty() && colon >= 0 ? 0 : number(first, range);
        int stop = last.isEmpty() ? Integer.MAX_VALUE : number(last, range);
        if (colon == 0 && last.isEmpty()) {
            throw new BadFormat("bad range [" + range + "]");
        }
        int length = value.length();
        if (length == 0) {
            // A bounce has no sender: a slice of it must not defer the bounce for ever.
            return value;
        }
        int from = begin < 0 ? length + begin : begin;
        int to;
        if (colon < 0) {
            to = from + 1;
        } else if (last.isEmpty()) {
            to = length;
        } else {
            to = stop < 0 ? length + stop : Math.min(stop, length - 1) + 1;
        }
        if (from < 0 || from >= length || to <= from) {
            throw new BadFormat("range [" + range + "] is outside the value");
        }
        return value.substring(from, to);
    }

    private static int number(String digits, String range) throws BadFormat {
        try {
            if (digits.isEmpty() || digits.length() > 5 || digits.charAt(0) == '+') {
                throw new BadFormat("bad range [" + range + "]");
            }
            return Integer.parseInt(digits);
        } catch (NumberFormatException e) {
            throw new BadFormat("bad range [" + range + "]");
        }
    }

    private static int closing(String token, int open) throws BadFormat {
        int close = token.indexOf(']', open);
        if (close < 0) {
            throw new BadFormat("unterminated [ in %{" + token + "}");
        }
        return close;
    }

    private static int firstOf(String text, int from, char a, char b) {
        for (int i = from; i < text.length(); i++) {
            if (text.charAt(i) == a || text.charAt(i) == b) {
                return i;
            }
        }
        return text.length();
    }

    /** The text cannot be expanded: temporary, an administrator or user can mend it. */
    static final class BadFormat extends Exception {
        BadFormat(String message) {
            super(message, null, false, false);
        }
    }
}
