package smtpd.conf;

import java.util.Locale;

/**
 * The host a relay action names, free of dialect: what {@code smtp+tls://} means differs between
 * the two, so the text is read by the rules of one and printed by the rules of either.
 *
 * @param mode protocol and TLS
 * @param verified the certificate must be valid for the host; only where TLS is mandatory
 * @param label key of the credentials; empty: no AUTH
 * @param host name, IPv4 address, or IPv6 address without brackets; lower case
 * @param port 0: the default of the mode
 */
public record RelayUrl(Mode mode, boolean verified, String label, String host, int port) {

    /** Protocol and TLS of a relay host. */
    public enum Mode {
        /** SMTP without TLS, ever. */
        PLAIN("smtp", "smtp+notls", 25),
        /** STARTTLS when offered. */
        OPPORTUNISTIC("smtp+tls", "smtp", 25),
        /** STARTTLS or nothing. */
        STARTTLS("tls", "smtp+tls", 25),
        /** TLS from the first byte. */
        SMTPS("smtps", "smtps", 465),
        /** STARTTLS on 25, then TLS on 465; the modern dialect cannot say it. */
        SECURE("secure", "secure", 25),
        /** LMTP, plain; the port is always given. */
        LMTP("lmtp", "lmtp", 0);

        private final String classic;
        private final String modern;
        private final int defaultPort;

        Mode(String classic, String modern, int defaultPort) {
            this.classic = classic;
            this.modern = modern;
            this.defaultPort = defaultPort;
        }

        public int defaultPort() {
            return defaultPort;
        }

        public boolean isTlsMandatory() {
            return this == STARTTLS || this == SMTPS || this == SECURE;
        }
    }

    /** A relay URL that cannot be read. */
    public static final class Malformed extends Exception {
        private static final long serialVersionUID = 1L;

        Malformed(String reason) {
            super(reason, null, false, false);
        }
    }

    /** Port to connect to. */
    public int effectivePort() {
        return port != 0 ? port : mode.defaultPort;
    }

    public boolean hasLabel() {
        return !label.isEmpty();
    }

    /** True when the host is an address, which is never looked up. */
    public boolean isAddress() {
        return smtpd.table.Netaddr.isAddress(host);
    }

    /**
     * Reads the URL of {@code relay via}.
     *
     * @throws Malformed with the reason, in words for the operator
     */
    public static RelayUrl parseClassic(String text) throws Malformed {
        int colon = text.indexOf("://");
        String scheme = colon < 0 ? "" : text.substring(0, colon).toLowerCase(Locale.ROOT);
        String rest = colon < 0 ? text : text.substring(colon + 3);
        boolean auth = scheme.endsWith("+auth");
        String base = auth ? scheme.substring(0, scheme.length() - 5) : scheme;
        Mode mode =
                switch (base) {
                    case "", "smtp+tls" -> Mode.OPPORTUNISTIC;
                    case "smtp" -> Mode.PLAIN;
                    case "tls" -> Mode.STARTTLS;
                    case "smtps" -> Mode.SMTPS;
                    case "secure", "ssl" -> Mode.SECURE;
                    case "lmtp" -> Mode.LMTP;
                    case "smtp+notls" -> throw new Malformed("classic smtp:// is already plain");
                    case "lmtp+rcpt-to" ->
                            throw new Malformed(
                                    "lmtp+rcpt-to is not a scheme, write deliver to lmtp"
                                            + " host:port rcpt-to");
                    case "backup", "tls+backup" ->
                            throw new Malformed("write relay backup " + rest);
                    default -> throw new Malformed("unknown scheme " + scheme);
                };
        if (auth && !mode.isTlsMandatory()) {
            throw new Malformed("unknown scheme " + scheme);
        }
        RelayUrl url = parseRest(mode, false, rest);
        if (auth && !url.hasLabel()) {
            throw new Malformed(scheme + " needs a label, write " + scheme + "://label@" + rest);
        }
        if (!auth && url.hasLabel()) {
            throw new Malformed(
                    mode.isTlsMandatory()
                            ? "a label needs the scheme " + base + "+auth"
                            : "a label needs TLS, write tls+auth:// or smtps+auth://");
        }
        return url;
    }

    /**
     * Reads the URL of {@code host} and {@code domain} in an action.
     *
     * @throws Malformed with the reason, in words for the operator
     */
    public static RelayUrl parseModern(String text) throws Malformed {
        int colon = text.indexOf("://");
        String scheme = colon < 0 ? "" : text.substring(0, colon).toLowerCase(Locale.ROOT);
        String rest = colon < 0 ? text : text.substring(colon + 3);
        Mode mode =
                switch (scheme) {
                    case "", "smtp" -> Mode.OPPORTUNISTIC;
                    case "smtp+tls" -> Mode.STARTTLS;
                    case "smtp+notls" -> Mode.PLAIN;
                    case "smtps" -> Mode.SMTPS;
                    case "lmtp" -> Mode.LMTP;
                    case "tls" -> throw new Malformed("use smtp+tls");
                    case "secure", "ssl" -> throw new Malformed("use smtps or smtp+tls");
                    case "tls+auth", "smtps+auth", "secure+auth", "ssl+auth" ->
                            throw new Malformed(
                                    "write smtp+tls://label@host or smtps://label@host");
                    case "lmtp+rcpt-to" ->
                            throw new Malformed("write action x lmtp host:port rcpt-to");
                    case "backup", "tls+backup" ->
                            throw new Malformed("use relay backup mx " + rest);
                    default -> throw new Malformed("unknown scheme " + scheme);
                };
        RelayUrl url = parseRest(mode, mode.isTlsMandatory(), rest);
        if (url.hasLabel() && !mode.isTlsMandatory()) {
            throw new Malformed("a label needs smtp+tls:// or smtps://");
        }
        return url;
    }

    private static RelayUrl parseRest(Mode mode, boolean verified, String rest) throws Malformed {
        int at = rest.indexOf('@');
        if (at == 0) {
            throw new Malformed("the label before @ is empty");
        }
        String label = at < 0 ? "" : rest.substring(0, at);
        String place = rest.substring(at + 1);
        String host;
        String tail;
        if (place.startsWith("[")) {
            int close = place.indexOf(']');
            if (close < 0) {
                throw new Malformed("[ is not closed");
            }
            host = place.substring(1, close);
            if (host.regionMatches(true, 0, "ipv6:", 0, 5)) {
                host = host.substring(5);
            }
            if (!smtpd.table.Netaddr.isAddress(host)) {
                throw new Malformed("no address in brackets");
            }
            tail = place.substring(close + 1);
        } else {
            int colon = place.indexOf(':');
            if (colon >= 0 && place.indexOf(':', colon + 1) >= 0) {
                throw new Malformed("an IPv6 address needs brackets");
            }
            host = colon < 0 ? place : place.substring(0, colon);
            tail = colon < 0 ? "" : place.substring(colon);
            if (!HostName.isValid(host)) {
                throw new Malformed(
                        host.isEmpty() ? "no host" : "\"" + host + "\" is not a host name");
            }
        }
        int port = 0;
        if (!tail.isEmpty()) {
            port = tail.charAt(0) == ':' ? port(tail.substring(1)) : 0;
            if (port == 0) {
                throw new Malformed("bad port \"" + tail + "\"");
            }
        }
        if (mode == Mode.LMTP && port == 0) {
            throw new Malformed("lmtp needs a port");
        }
        return new RelayUrl(mode, verified, label, host.toLowerCase(Locale.ROOT), port);
    }

    /** 1 to 65535, or 0 for anything else. */
    static int port(String digits) {
        int value = 0;
        if (digits.isEmpty() || digits.length() > 5) {
            return 0;
        }
        for (int i = 0; i < digits.length(); i++) {
            int digit = digits.charAt(i) - '0';
            if (digit < 0 || digit > 9) {
                return 0;
            }
            value = value * 10 + digit;
        }
        return value <= 65535 ? value : 0;
    }

    /** The text that {@link #parseClassic} reads; {@code verified} has no place in it. */
    public String classicText() {
        return text(mode.classic + (hasLabel() ? "+auth" : ""));
    }

    /** The text that {@link #parseModern} reads, but for {@link Mode#SECURE}. */
    public String modernText() {
        return text(mode.modern);
    }

    private String text(String scheme) {
        StringBuilder url = new StringBuilder(scheme).append("://");
        if (hasLabel()) {
            url.append(label).append('@');
        }
        if (host.indexOf(':') >= 0) {
            url.append('[').append(host).append(']');
        } else {
            url.append(host);
        }
        if (port != 0) {
            url.append(':').append(port);
        }
        return url.toString();
    }
}
