package smtpd.smtp;

/**
 * What MAIL says about its mail.
 *
 * @param size SIZE; 0 when unknown (RFC 1870)
 * @param smtpUtf8 addresses and header may be UTF-8 (RFC 6531)
 * @param requireTls RFC 8689
 * @param dsnRet {@code FULL}, {@code HDRS} or empty
 * @param dsnEnvid ENVID as given, empty without one
 */
record MailParameters(
        long size, boolean smtpUtf8, boolean requireTls, String dsnRet, String dsnEnvid) {

    static final MailParameters NONE = new MailParameters(0, false, false, "", "");

    /**
     * What a session was offered, and so may use.
     *
     * @param esmtp said EHLO; after HELO no parameter is allowed
     */
    record Offered(boolean esmtp, boolean dsn, boolean auth, boolean tls) {}

    /** Reads parameters one after the other; {@link #fault} tells what is wrong with them. */
    static final class Reader {

        private static final int SIZE = 1;
        private static final int BODY = 2;
        private static final int SMTPUTF8 = 4;
        private static final int RET = 8;
        private static final int ENVID = 16;
        private static final int AUTH = 32;
        private static final int REQUIRETLS = 64;
        private static final int MAX_ENVID = 100;

        private int seen;
        private long size;
        private String ret = "";
        private String envid = "";
        private Reply fault;

        /** Null when a parameter cannot be taken. */
        MailParameters read(byte[] a, int from, int to, Offered offered) {
            Parameters p = new Parameters(a, from, to);
            while (p.next()) {
                int bit = bit(p);
                if (bit == 0 || !isOffered(bit, offered)) {
                    fault = p.unsupported();
                } else if ((seen & bit) != 0) {
                    fault = p.twice();
                } else {
                    seen |= bit;
                    fault = take(bit, p);
                }
                if (fault != null) {
                    return null;
                }
            }
            return seen == 0
                    ? NONE
                    : new MailParameters(
                            size, (seen & SMTPUTF8) != 0, (seen & REQUIRETLS) != 0, ret, envid);
        }

        Reply fault() {
            return fault;
        }

        private static int bit(Parameters p) {
            if (p.is("size")) {
                return SIZE;
            } else if (p.is("body")) {
                return BODY;
            } else if (p.is("smtputf8")) {
                return SMTPUTF8;
            } else if (p.is("ret")) {
                return RET;
            } else if (p.is("envid")) {
                return ENVID;
            } else if (p.is("auth")) {
                return AUTH;
            }
            return p.is("requiretls") ? REQUIRETLS : 0;
        }

        private static boolean isOffered(int bit, Offered offered) {
            return offered.esmtp()
                    && switch (bit) {
                        case RET, ENVID -> offered.dsn();
                        case AUTH -> offered.auth();
                        case REQUIRETLS -> offered.tls();
                        default -> true;
                    };
        }

        private Reply take(int bit, Parameters p) {
            boolean good =
                    switch (bit) {
                        case SIZE -> size(p);
                        // A hint only: what the content is, the content tells (RFC 6152).
                        case BODY -> p.valueIs("7bit") || p.valueIs("8bitmime");
                        case SMTPUTF8, REQUIRETLS -> !p.hasValue();
                        case RET -> ret(p);
                        case ENVID -> envid(p);
                        default -> auth(p);
                    };
            if (good) {
                return null;
            }
            return bit == BODY && p.valueIs("binarymime") ? p.unsupported() : p.bad();
        }

        private boolean size(Parameters p) {
            if (p.valueLength() < 1 || p.valueLength() > 20) {
                return false;
            }
            long value = 0;
            for (int i = p.valueFrom(); i < p.valueTo(); i++) {
                int digit = p.bytes()[i] - '0';
                if (digit < 0 || digit > 9) {
                    return false;
                }
                value = value > (Long.MAX_VALUE - 9) / 10 ? Long.MAX_VALUE : value * 10 + digit;
            }
            size = value;
            return true;
        }

        private boolean ret(Parameters p) {
            ret = p.valueIs("full") ? "FULL" : p.valueIs("hdrs") ? "HDRS" : "";
            return !ret.isEmpty();
        }

        private boolean envid(Parameters p) {
            if (p.valueLength() > MAX_ENVID
                    || !Parameters.isXtext(p.bytes(), p.valueFrom(), p.valueTo(), false)) {
                return false;
            }
            envid = p.value();
            return true;
        }

        /** RFC 4954 5: checked and forgotten, as if it said {@code <>}: nobody here may vouch. */
        private static boolean auth(Parameters p) {
            if (p.valueIs("<>")) {
                return true;
            }
            if (!p.hasValue()
                    || !Parameters.isXtext(p.bytes(), p.valueFrom(), p.valueTo(), false)) {
                return false;
            }
            byte[] path = new byte[p.valueLength() + 2];
            int n = 0;
            path[n++] = '<';
            for (int i = p.valueFrom(); i < p.valueTo(); i++) {
                byte c = p.bytes()[i];
                if (c == '+') {
                    int high = Character.digit(p.bytes()[i + 1], 16);
                    c = (byte) ((high << 4) | Character.digit(p.bytes()[i + 2], 16));
                    i += 2;
                }
                path[n++] = c;
            }
            path[n++] = '>';
            PathParser parser = new PathParser();
            return parser.parse(path, 0, n, "", false) && !parser.address().domain().isEmpty();
        }
    }
}
