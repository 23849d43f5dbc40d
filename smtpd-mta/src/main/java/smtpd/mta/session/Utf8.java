package smtpd.mta.session;

/** Keeps what is valid UTF-8 (RFC 3629) and makes {@code ?} of every other byte. */
final class Utf8 {

    private Utf8() {}

    /**
     * Cleans in place. C1 controls (U+0080 to U+009F) count as invalid: terminals obey them.
     *
     * @return the length that is left: a character cut off at the end is dropped
     */
    static int clean(byte[] bytes, int length) {
        int i = 0;
        while (i < length) {
            int lead = bytes[i] & 0xff;
            if (lead < 0x80) {
                i++;
                continue;
            }
            int size = size(lead);
            if (size > 0 && i + size > length && continues(bytes, i + 1, length)) {
                return i;
            }
            if (size == 0 || i + size > length || !isValid(bytes, i, size)) {
                bytes[i++] = '?';
            } else {
                i += size;
            }
        }
        return length;
    }

    private static int size(int lead) {
        if (lead >= 0xc2 && lead <= 0xdf) {
            return 2;
        }
        if (lead >= 0xe0 && lead <= 0xef) {
            return 3;
        }
        return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
    }

    private static boolean continues(byte[] bytes, int from, int to) {
        for (int i = from; i < to; i++) {
            if ((bytes[i] & 0xc0) != 0x80) {
                return false;
            }
        }
        return true;
    }

    private static boolean isValid(byte[] bytes, int at, int size) {
        if (!continues(bytes, at + 1, at + size)) {
            return false;
        }
        int lead = bytes[at] & 0xff;
        int second = bytes[at + 1] & 0xff;
        return switch (lead) {
            case 0xc2 -> second >= 0xa0;
            case 0xe0 -> second >= 0xa0;
            case 0xed -> second < 0xa0;
            case 0xf0 -> second >= 0x90;
            case 0xf4 -> second < 0x90;
            default -> true;
        };
    }
}
