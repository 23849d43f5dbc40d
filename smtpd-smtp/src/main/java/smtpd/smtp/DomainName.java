package smtpd.smtp;

/** The grammar of host and domain names in commands. */
final class DomainName {

    static final int MAX = 255;
    private static final int MAX_LABEL = 63;

    private DomainName() {}

    /**
     * Index behind the longest run of dot-separated labels that starts at {@code from}; -1 when
     * there is none, or one that may not stand there: an empty label, one over 63 bytes, one that
     * starts or ends with a hyphen.
     *
     * @param utf8 U-labels are welcome (RFC 6531)
     */
    static int scan(byte[] a, int from, int to, boolean utf8) {
        int i = from;
        while (true) {
            int label = i;
            while (i < to) {
                int c = a[i];
                if (Ascii.isLetterOrDigit(c) || c == '-' || c == '_') {
                    i++;
                } else if (c < 0 && utf8 && Utf8.length(a, i, to) > 0) {
                    i += Utf8.length(a, i, to);
                } else {
                    break;
                }
            }
            if (i == label || i - label > MAX_LABEL || a[label] == '-' || a[i - 1] == '-') {
                return -1;
            }
            if (i == to || a[i] != '.') {
                return i - from > MAX ? -1 : i;
            }
            i++;
        }
    }

    /**
     * The argument of HELO and EHLO (RFC 5321 4.1.1.1): a name, its final dot dropped, or an
     * address literal in its normal form; null when it is neither. Whether it exists is nobody's
     * business here.
     */
    static String helo(byte[] a, int from, int to) {
        if (to > from && a[from] == '[') {
            return to - from > 2 && a[to - 1] == ']' ? literal(a, from + 1, to - 1) : null;
        }
        int end = to - from > 1 && a[to - 1] == '.' ? to - 1 : to;
        return scan(a, from, end, false) == end ? Ascii.text(a, from, end) : null;
    }

    /**
     * What stands between the brackets of an address literal, in normal form with brackets; null
     * when it is no address. RFC 5321 4.1.3 tags are IPv6 only; a bare IPv6 address is tolerated.
     */
    static String literal(byte[] a, int from, int to) {
        byte[] ip;
        if (Ascii.startsWith(a, from, to, "ipv6:")) {
            ip = IpText.parse6(a, from + 5, to);
        } else if (Ascii.indexOf(a, from, to, ':') < to) {
            ip = IpText.parse6(a, from, to);
        } else {
            ip = IpText.parse4(a, from, to);
        }
        return ip == null ? null : "[" + IpText.tagged(ip) + "]";
    }
}
