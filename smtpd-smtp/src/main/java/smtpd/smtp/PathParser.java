package smtpd.smtp;

import java.nio.charset.StandardCharsets;
import smtpd.mail.MailAddress;

/**
 * Reads the path of MAIL and RCPT (RFC 5321 4.1.2): angle brackets, an obsolete source route that
 * is dropped, local part, domain or literal. Gives the normal form: no needless quotes, literals in
 * their shortest form, letters as given. One per event loop; its results are read before the next
 * call.
 */
final class PathParser {

    static final int MAX_LOCAL = 255;
    static final int MAX_ADDRESS = 254;

    private MailAddress address = MailAddress.NULL;
    private boolean nonAscii;
    private int next;
    // The quoted local part without its quoting; grown once and kept.
    private byte[] content = new byte[MAX_LOCAL];

    /**
     * Reads {@code *SP "<" ... ">"} at the start of {@code a[from..to)}; behind it stands a blank
     * or the end.
     *
     * @param name appended to an address without domain
     * @param nullAllowed {@code <>} is the null sender
     * @return false when it is not well formed
     */
    boolean parse(byte[] a, int from, int to, String name, boolean nullAllowed) {
        nonAscii = false;
        address = MailAddress.NULL;
        int i = Ascii.skipBlanks(a, from, to);
        if (i == to || a[i] != '<') {
            return false;
        }
        i++;
        if (i < to && a[i] == '>') {
            next = i + 1;
            return nullAllowed && atEnd(a, next, to);
        }
        if (i < to && a[i] == '@') {
            i = sourceRoute(a, i, to);
        }
        if (i < 0 || i >= to) {
            return false;
        }
        i = a[i] == '"' ? quoted(a, i, to, name) : dotString(a, i, to, name);
        if (i < 0 || i >= to || a[i] != '>') {
            return false;
        }
        next = i + 1;
        return atEnd(a, next, to);
    }

    private static boolean atEnd(byte[] a, int i, int to) {
        return i == to || a[i] == ' ';
    }

    /** RFC 5321 4.1.2: accepted, ignored. */
    private static int sourceRoute(byte[] a, int from, int to) {
        int i = from;
        while (i < to && a[i] == '@') {
            i = DomainName.scan(a, i + 1, to, true);
            if (i < 0 || i >= to) {
                return -1;
            }
            if (a[i] == ':') {
                return i + 1;
            }
            if (a[i++] != ',') {
                return -1;
            }
        }
        return -1;
    }

    private int dotString(byte[] a, int from, int to, String name) {
        int end = atoms(a, from, to);
        return end < 0 ? -1 : rest(a, end, to, a, from, end, false, name);
    }

    /** Index behind a dot-atom; -1 when there is none. */
    private int atoms(byte[] a, int from, int to) {
        int i = from;
        while (true) {
            int atom = i;
            while (i < to) {
                if (Ascii.isAtext(a[i])) {
                    i++;
                } else if (a[i] < 0 && Utf8.length(a, i, to) > 0) {
                    nonAscii = true;
                    i += Utf8.length(a, i, to);
                } else {
                    break;
                }
            }
            if (i == atom) {
                return -1;
            }
            if (i == to || a[i] != '.') {
                return i;
            }
            i++;
        }
    }

    private int quoted(byte[] a, int from, int to, String name) {
        int length = 0;
        int i = from + 1;
        while (i < to && a[i] != '"') {
            int take = 1;
            if (a[i] == '\\') {
                i++;
                if (i == to || a[i] < 32 || a[i] == 127) {
                    return -1;
                }
            } else if (a[i] < 0) {
                take = Utf8.length(a, i, to);
                nonAscii = true;
            } else if (a[i] < 32 || a[i] == 127) {
                return -1;
            }
            if (take == 0 || length + take > MAX_LOCAL) {
                return -1;
            }
            while (take-- > 0) {
                content[length++] = a[i++];
            }
        }
        // An empty quoted local part would look like the null sender.
        if (i >= to || length == 0) {
            return -1;
        }
        boolean bare = atoms(content, 0, length) == length;
        return rest(a, i + 1, to, content, 0, length, !bare, name);
    }

    /** Behind the local part: domain, literal or nothing. Builds the address. */
    private int rest(
            byte[] a, int i, int to, byte[] l, int lFrom, int lTo, boolean quote, String name) {
        String domain;
        int end = i;
        if (i < to && a[i] == '@') {
            if (i + 1 < to && a[i + 1] == '[') {
                int close = Ascii.indexOf(a, i + 2, to, ']');
                domain = close < to ? DomainName.literal(a, i + 2, close) : null;
                end = close + 1;
            } else {
                end = DomainName.scan(a, i + 1, to, true);
                domain = end < 0 ? null : Ascii.text(a, i + 1, end);
                nonAscii |= end > 0 && Ascii.hasHighBit(a, i + 1, end);
            }
            if (domain == null) {
                return -1;
            }
        } else {
            domain = name;
        }
        String local = quote ? requote(l, lTo) : Ascii.text(l, lFrom, lTo);
        int localBytes = quote ? bytes(local) : lTo - lFrom;
        if (localBytes > MAX_LOCAL || localBytes + 1 + bytes(domain) > MAX_ADDRESS) {
            return -1;
        }
        address = new MailAddress(local, domain);
        return end;
    }

    private int bytes(String text) {
        return nonAscii ? text.getBytes(StandardCharsets.UTF_8).length : text.length();
    }

    private static String requote(byte[] l, int length) {
        String plain = Ascii.text(l, 0, length);
        StringBuilder quoted = new StringBuilder(plain.length() + 4).append('"');
        for (int i = 0; i < plain.length(); i++) {
            char c = plain.charAt(i);
            if (c == '"' || c == '\\') {
                quoted.append('\\');
            }
            quoted.append(c);
        }
        return quoted.append('"').toString();
    }

    MailAddress address() {
        return address;
    }

    /** The path has bytes above 0x7f: it needs SMTPUTF8 (RFC 6531 3.4). */
    boolean isNonAscii() {
        return nonAscii;
    }

    /** Where the parameters begin. */
    int next() {
        return next;
    }
}
