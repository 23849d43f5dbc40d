package smtpd.envelope;

import smtpd.mail.MailAddress;
import smtpd.table.Netaddr;

/**
 * The checks every value of an envelope passes when it is made, so that none can break out of its
 * line: in C a reply with a line end injected fields, up to commands run as root.
 */
final class Values {

    static final long MAX_SECONDS = 0xffffffffL;
    private static final int MAX_ADDRESS_PART = 255;

    private Values() {}

    /** A text without CR, LF, NUL and leading blanks, of at most {@code max} bytes. */
    static String text(String field, String value, int max) {
        String text = value;
        if (!text.isEmpty() && isBlank(text.charAt(0))) {
            int i = 0;
            while (i < text.length() && isBlank(text.charAt(i))) {
                i++;
            }
            text = text.substring(i);
        }
        oneLine(field, text);
        if (text.length() * 3L > max && EscapedUtf8.length(text) > max) {
            throw new IllegalArgumentException(field + ": longer than " + max + " bytes");
        }
        return text;
    }

    private static boolean isBlank(char c) {
        return c == ' ' || c == '\t';
    }

    static void oneLine(String field, String value) {
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c == '\r' || c == '\n' || c == 0) {
                throw new IllegalArgumentException(field + ": a line end or NUL in a value");
            }
        }
    }

    static void address(String field, MailAddress address) {
        oneLine(field, address.local());
        oneLine(field, address.domain());
        if (EscapedUtf8.length(address.local()) > MAX_ADDRESS_PART
                || EscapedUtf8.length(address.domain()) > MAX_ADDRESS_PART) {
            throw new IllegalArgumentException(field + ": address too long");
        }
        if (address.domain().indexOf('@') >= 0
                || (!address.local().isEmpty() && isBlank(address.local().charAt(0)))) {
            throw new IllegalArgumentException(field + ": not an address");
        }
    }

    static long range(String field, long value, long max) {
        if (value < 0 || value > max) {
            throw new IllegalArgumentException(field + ": out of range");
        }
        return value;
    }

    /** {@code local} or an IP address without brackets or tag. */
    static String sockaddr(String value) {
        if (!value.equals("local") && !(isBare(value) && Netaddr.isAddress(value))) {
            throw new IllegalArgumentException("sockaddr: not an address");
        }
        return value;
    }

    /**
     * Begins like an address, not like a bracket or a tag; no blanks, also not behind {@code %}.
     */
    private static boolean isBare(String value) {
        for (int i = 0; i < value.length(); i++) {
            if (value.charAt(i) <= ' ') {
                return false;
            }
        }
        return !value.isEmpty()
                && (value.charAt(0) == ':' || Character.digit(value.charAt(0), 16) >= 0);
    }

    /** {@code SCHEME://[label@]host[:port]}. */
    static void relay(String field, String url) {
        int colon = url.indexOf("://");
        if (colon < 0) {
            throw new IllegalArgumentException(field + ": not a relay URL");
        }
        boolean labelled =
                switch (url.substring(0, colon)) {
                    case "smtp", "smtp+tls", "tls", "smtps", "lmtp", "secure", "backup" -> false;
                    case "tls+auth", "smtps+auth", "secure+auth" -> true;
                    default -> throw new IllegalArgumentException(field + ": unknown scheme");
                };
        int from = colon + 3;
        int at = url.lastIndexOf('@');
        if (labelled ? at <= from : at >= from) {
            throw new IllegalArgumentException(
                    field + (labelled ? ": label missing" : ": label not expected"));
        }
        hostAndPort(field, url.substring(labelled ? at + 1 : from));
    }

    private static void hostAndPort(String field, String text) {
        int bracket = text.startsWith("[") ? text.indexOf(']') : 0;
        int colon = bracket < 0 ? -1 : text.indexOf(':', bracket);
        String host = colon < 0 ? text : text.substring(0, colon);
        if (bracket < 0 || host.isEmpty() || host.length() > MAX_ADDRESS_PART) {
            throw new IllegalArgumentException(field + ": host missing or too long");
        }
        if (colon >= 0) {
            int port = 0;
            for (int i = colon + 1; i < text.length() && port <= 65535; i++) {
                char c = text.charAt(i);
                port = c >= '0' && c <= '9' ? port * 10 + c - '0' : 65536;
            }
            if (port < 1 || port > 65535) {
                throw new IllegalArgumentException(field + ": bad port");
            }
        }
    }
}
