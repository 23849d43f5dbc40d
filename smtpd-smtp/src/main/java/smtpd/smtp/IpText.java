package smtpd.smtp;

/**
 * IP addresses as text, strict both ways: no octal, no short forms, no zone; written in the
 * shortest lower-case form (RFC 5952).
 */
final class IpText {

    private IpText() {}

    /** Four bytes of a dotted quad, or null. A leading zero is refused: some readers take octal. */
    static byte[] parse4(byte[] a, int from, int to) {
        byte[] ip = new byte[4];
        return quad(a, from, to, ip, 0) ? ip : null;
    }

    private static boolean quad(byte[] a, int from, int to, byte[] ip, int at) {
        int i = from;
        for (int part = 0; part < 4; part++) {
            int start = i;
            int value = 0;
            while (i < to && i - start < 3 && Ascii.isDigit(a[i])) {
                value = value * 10 + a[i++] - '0';
            }
            if (i == start || value > 255 || (i - start > 1 && a[start] == '0')) {
                return false;
            }
            ip[at + part] = (byte) value;
            if (part < 3 && (i >= to || a[i++] != '.')) {
                return false;
            }
        }
        return i == to;
    }

    /** Sixteen bytes of RFC 4291 2.2 text, or null. */
    static byte[] parse6(byte[] a, int from, int to) {
        byte[] ip = new byte[16];
        int filled = 0;
        int gap = -1;
        int i = from;
        if (i + 1 < to && a[i] == ':' && a[i + 1] == ':') {
            gap = 0;
            i += 2;
        }
        while (i < to) {
            int end = i;
            int value = 0;
            while (end < to && end - i < 5 && Character.digit(a[end], 16) >= 0) {
                value = (value << 4) | Character.digit(a[end], 16);
                end++;
            }
            if (end < to && a[end] == '.') {
                if (filled > 12 || !quad(a, i, to, ip, filled)) {
                    return null;
                }
                filled += 4;
                break;
            }
            if (end == i || end - i > 4 || filled == 16) {
                return null;
            }
            ip[filled++] = (byte) (value >> 8);
            ip[filled++] = (byte) value;
            i = end;
            if (i == to) {
                break;
            }
            if (a[i++] != ':' || i == to) {
                return null;
            }
            if (a[i] == ':') {
                if (gap >= 0) {
                    return null;
                }
                gap = filled;
                i++;
            }
        }
        return close(ip, filled, gap);
    }

    private static byte[] close(byte[] ip, int filled, int gap) {
        if (gap < 0) {
            return filled == 16 ? ip : null;
        }
        if (filled == 16) {
            return null;
        }
        int tail = filled - gap;
        System.arraycopy(ip, gap, ip, 16 - tail, tail);
        java.util.Arrays.fill(ip, gap, 16 - tail, (byte) 0);
        return ip;
    }

    /** {@code 192.0.2.1} or {@code 2001:db8::1}. */
    static String format(byte[] ip) {
        StringBuilder text = new StringBuilder(39);
        if (ip.length == 4) {
            quad(text, ip, 0);
        } else {
            format6(text, ip);
        }
        return text.toString();
    }

    /** As in a HELO answer or a literal: IPv6 with its tag (RFC 5321 4.1.3). */
    static String tagged(byte[] ip) {
        return ip.length == 4 ? format(ip) : "IPv6:" + format(ip);
    }

    private static void quad(StringBuilder text, byte[] ip, int at) {
        for (int i = 0; i < 4; i++) {
            text.append(i == 0 ? "" : ".").append(ip[at + i] & 0xff);
        }
    }

    private static void format6(StringBuilder text, byte[] ip) {
        int[] group = new int[8];
        for (int i = 0; i < 8; i++) {
            group[i] = ((ip[2 * i] & 0xff) << 8) | (ip[2 * i + 1] & 0xff);
        }
        int best = -1;
        int bestLength = 1;
        for (int i = 0; i < 8; i++) {
            int n = 0;
            while (i + n < 8 && group[i + n] == 0) {
                n++;
            }
            if (n > bestLength) {
                best = i;
                bestLength = n;
            }
        }
        boolean mapped = best == 0 && bestLength == 5 && group[5] == 0xffff;
        int i = 0;
        while (i < 8) {
            if (i == best) {
                text.append("::");
                i += bestLength;
                continue;
            }
            if (i > 0 && i != best + bestLength) {
                text.append(':');
            }
            if (mapped && i == 6) {
                quad(text, ip, 12);
                return;
            }
            text.append(Integer.toHexString(group[i++]));
        }
    }
}
