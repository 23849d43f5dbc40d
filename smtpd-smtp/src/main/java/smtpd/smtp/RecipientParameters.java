package smtpd.smtp;

/**
 * What RCPT says about its recipient (RFC 3461 4).
 *
 * @param dsnNotify bits 1 success, 2 failure, 4 delay, 8 never; 0 when not given
 * @param orcpt ORCPT as given, empty without one
 */
record RecipientParameters(int dsnNotify, String orcpt) {

    static final RecipientParameters NONE = new RecipientParameters(0, "");

    /** Reads parameters one after the other; {@link #fault} tells what is wrong with them. */
    static final class Reader {

        private static final int MAX_ORCPT = 500;

        private int notify;
        private String orcpt = "";
        private Reply fault;

        /**
         * Null when a parameter cannot be taken.
         *
         * @param offered DSN was offered to this session
         * @param utf8 the mail has SMTPUTF8
         */
        RecipientParameters read(byte[] a, int from, int to, boolean offered, boolean utf8) {
            Parameters p = new Parameters(a, from, to);
            while (p.next()) {
                if (offered && p.is("notify")) {
                    fault = notify != 0 ? p.twice() : notify(p) ? null : p.bad();
                } else if (offered && p.is("orcpt")) {
                    fault = !orcpt.isEmpty() ? p.twice() : orcpt(p, utf8) ? null : p.bad();
                } else {
                    fault = p.unsupported();
                }
                if (fault != null) {
                    return null;
                }
            }
            return notify == 0 && orcpt.isEmpty() ? NONE : new RecipientParameters(notify, orcpt);
        }

        Reply fault() {
            return fault;
        }

        private boolean notify(Parameters p) {
            if (p.valueIs("never")) {
                notify = 8;
                return true;
            }
            byte[] a = p.bytes();
            int i = p.valueFrom();
            while (i >= 0 && i <= p.valueTo()) {
                int end = Ascii.indexOf(a, i, p.valueTo(), ',');
                int bit = 0;
                if (Ascii.is(a, i, end, "success")) {
                    bit = 1;
                } else if (Ascii.is(a, i, end, "failure")) {
                    bit = 2;
                } else if (Ascii.is(a, i, end, "delay")) {
                    bit = 4;
                }
                if (bit == 0 || (notify & bit) != 0) {
                    return false;
                }
                notify |= bit;
                i = end + 1;
            }
            return notify != 0;
        }

        private boolean orcpt(Parameters p, boolean utf8) {
            byte[] a = p.bytes();
            int to = p.valueTo();
            if (!p.hasValue() || p.valueLength() > MAX_ORCPT) {
                return false;
            }
            int type = Ascii.indexOf(a, p.valueFrom(), to, ';');
            for (int i = p.valueFrom(); i < type; i++) {
                if (!Ascii.isAtext(a[i])) {
                    return false;
                }
            }
            boolean wide = utf8 && Ascii.is(a, p.valueFrom(), type, "utf-8");
            if (type == p.valueFrom() || type >= to || !Parameters.isXtext(a, type + 1, to, wide)) {
                return false;
            }
            orcpt = p.value();
            return true;
        }
    }
}
