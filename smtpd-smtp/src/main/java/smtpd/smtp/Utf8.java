package smtpd.smtp;

/** RFC 3629 sequences, with those refused in addresses that would fool a reader or a log. */
final class Utf8 {

    private Utf8() {}

    /**
     * Length of the non-ASCII character that starts at {@code i}, 2 to 4; 0 when it is ill-formed
     * (over-long, surrogate, cut), a C1 control, or a line or paragraph separator.
     */
    static int length(byte[] a, int i, int to) {
        int lead = a[i] & 0xff;
        int length;
        int point;
        if (lead >= 0xc2 && lead <= 0xdf) {
            length = 2;
            point = lead & 0x1f;
        } else if (lead >= 0xe0 && lead <= 0xef) {
            length = 3;
            point = lead & 0x0f;
        } else if (lead >= 0xf0 && lead <= 0xf4) {
            length = 4;
            point = lead & 0x07;
        } else {
            return 0;
        }
        if (to - i < length) {
            return 0;
        }
        for (int k = 1; k < length; k++) {
            if ((a[i + k] & 0xc0) != 0x80) {
                return 0;
            }
            point = (point << 6) | (a[i + k] & 0x3f);
        }
        return isAllowed(length, point) ? length : 0;
    }

    private static boolean isAllowed(int length, int point) {
        return switch (length) {
            case 2 -> point > 0x9f;
            case 3 ->
                    point >= 0x800
                            && !(point >= 0xd800 && point <= 0xdfff)
                            && point != 0x2028
                            && point != 0x2029;
            default -> point >= 0x10000 && point <= 0x10ffff;
        };
    }
}
