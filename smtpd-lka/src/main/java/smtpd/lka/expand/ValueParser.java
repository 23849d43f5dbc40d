package smtpd.lka.expand;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import smtpd.mail.MailAddress;
import smtpd.table.Netaddr;

/**
 * Reads lists of targets, as aliases(5) and forward(5) write them. A backslash keeps the next
 * character and disappears; quotes protect commas and stay in the value, except around a whole one.
 */
final class ValueParser {

    private static final int MAX_COMMAND = 1023;
    private static final int MAX_PART = 255;
    private static final String LOCAL_SIGNS = "!#$%*/?|^{}`~&'+-=_.";
    private static final String USER_SIGNS = "_.-+";

    private ValueParser() {}

    /**
     * Value of a key in aliases or a virtual table; an unquoted {@code #} after a blank ends it.
     */
    static List<Value> mapping(String text) throws BadValue {
        return line(text, Comment.AFTER_BLANK);
    }

    /** A logical line of a {@code .forward} or an included file; an unquoted {@code #} ends it. */
    static List<Value> line(String text) throws BadValue {
        return line(text, Comment.ANYWHERE);
    }

    private enum Comment {
        ANYWHERE,
        AFTER_BLANK
    }

    private static List<Value> line(String text, Comment comment) throws BadValue {
        List<Value> values = new ArrayList<>();
        StringBuilder piece = new StringBuilder();
        char quote = 0;
        int i = 0;
        for (; i < text.length(); i++) {
            char c = plain(text.charAt(i));
            if (c == '\\') {
                if (++i == text.length()) {
                    throw new BadValue("backslash at the end");
                }
                piece.append(plain(text.charAt(i)));
            } else if (quote != 0) {
                quote = c == quote ? 0 : quote;
                piece.append(c);
            } else if (c == '#' && (comment == Comment.ANYWHERE || isFirst(text, i))) {
                break;
            } else if (c == ',') {
                add(piece, values);
            } else {
                quote = c == '"' || c == '\'' ? c : 0;
                piece.append(c);
            }
        }
        if (quote != 0) {
            throw new BadValue("quote without its end");
        }
        add(piece, values);
        return values;
    }

    /** A control character would end a line of a reply, an envelope or a log. */
    private static char plain(char c) throws BadValue {
        if ((c < ' ' && c != '\t') || c == 0x7f) {
            throw new BadValue("control character");
        }
        return c;
    }

    private static boolean isFirst(String text, int i) {
        return i == 0 || text.charAt(i - 1) == ' ' || text.charAt(i - 1) == '\t';
    }

    private static void add(StringBuilder piece, List<Value> values) throws BadValue {
        String text = piece.toString().strip();
        piece.setLength(0);
        if (!text.isEmpty()) {
            values.add(value(text));
        }
    }

    /** One target, split from its neighbours. */
    private static Value value(String quoted) throws BadValue {
        String text = withoutQuotes(quoted);
        String rest = afterPrefix(text, ":error:", "error:");
        if (rest != null) {
            return refuse(rest);
        }
        rest = afterPrefix(text, ":include:", "include:");
        if (rest != null) {
            return new Value.Include(absolute(rest));
        }
        if (text.charAt(0) == '|') {
            return command(text.substring(1).strip());
        }
        if (text.charAt(0) == '/') {
            if (text.endsWith("/")) {
                throw new BadValue("a folder cannot be a target: " + text);
            }
            return new Value.Filename(absolute(text));
        }
        return text.indexOf('@') >= 0 ? address(text) : username(text);
    }

    private static String withoutQuotes(String text) throws BadValue {
        char first = text.charAt(0);
        if (first != '"' && first != '\'') {
            return text;
        }
        String inner = text.substring(1, Math.max(1, text.length() - 1)).strip();
        if (text.charAt(text.length() - 1) != first || inner.isEmpty()) {
            throw new BadValue("quotes must enclose the whole target: " + text);
        }
        return inner;
    }

    private static String afterPrefix(String text, String first, String second) {
        for (String prefix : new String[] {first, second}) {
            if (text.regionMatches(true, 0, prefix, 0, prefix.length())) {
                return text.substring(prefix.length());
            }
        }
        return null;
    }

    private static Value refuse(String text) throws BadValue {
        boolean good =
                text.length() >= 5
                        && (text.charAt(0) == '4' || text.charAt(0) == '5')
                        && isDigit(text.charAt(1))
                        && isDigit(text.charAt(2))
                        && text.charAt(3) == ' '
                        && Character.isLetterOrDigit(text.charAt(4));
        if (!good) {
            throw new BadValue("error: wants a 4yz or 5yz code, a blank and a text: " + text);
        }
        return new Value.Refuse(text);
    }

    private static String absolute(String path) throws BadValue {
        if (!path.startsWith("/") || utf8Length(path) > MAX_COMMAND) {
            throw new BadValue("not an absolute path of at most 1023 bytes: " + path);
        }
        return path;
    }

    private static Value command(String text) throws BadValue {
        if (text.isEmpty() || utf8Length(text) > MAX_COMMAND) {
            throw new BadValue("a command has 1 to 1023 bytes");
        }
        return new Value.Command(text);
    }

    private static Value address(String text) throws BadValue {
        int at = text.lastIndexOf('@');
        String local = text.substring(0, at);
        String domain = text.substring(at + 1);
        if (!isPart(local, LOCAL_SIGNS) || !isDomain(domain)) {
            throw new BadValue("not an address: " + text);
        }
        return new Value.Address(new MailAddress(local, domain));
    }

    private static boolean isDomain(String domain) {
        return isPart(domain, "-.")
                || (domain.startsWith("[") && domain.endsWith("]") && Netaddr.isAddress(domain));
    }

    private static Value username(String text) throws BadValue {
        if (text.length() > MAX_PART) {
            throw new BadValue("name of more than 255 bytes");
        }
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (!isAlphanumeric(c) && USER_SIGNS.indexOf(c) < 0) {
                throw new BadValue("not a user, address, path or command: " + text);
            }
        }
        return new Value.Username(text);
    }

    /** Letters, digits, the given signs and whatever lies above ASCII (RFC 6531). */
    private static boolean isPart(String text, String signs) {
        if (text.isEmpty() || utf8Length(text) > MAX_PART) {
            return false;
        }
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (!isAlphanumeric(c) && c < 0x80 && signs.indexOf(c) < 0) {
                return false;
            }
        }
        return true;
    }

    private static boolean isAlphanumeric(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || isDigit(c);
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }

    private static int utf8Length(String text) {
        return text.getBytes(StandardCharsets.UTF_8).length;
    }
}
