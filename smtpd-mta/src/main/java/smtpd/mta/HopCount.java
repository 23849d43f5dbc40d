package smtpd.mta;

/**
 * Counts Received fields (RFC 5321 6.3): a mail that passed too many hosts goes round in a circle.
 */
final class HopCount {

    static final int MAX = 100;

    /** No header is longer. */
    static final int MAX_HEADER = 256 * 1024;

    private static final byte[] NAME = {'r', 'e', 'c', 'e', 'i', 'v', 'e', 'd', ':'};

    private HopCount() {}

    /** True when the header in these bytes has at least {@link #MAX} Received fields. */
    static boolean isLoop(byte[] bytes, int offset, int length) {
        int end = offset + Math.min(length, MAX_HEADER);
        int count = 0;
        int at = offset;
        while (at < end) {
            if (bytes[at] == '\n' || bytes[at] == '\r') {
                return false;
            }
            if (matches(bytes, at, end) && ++count >= MAX) {
                return true;
            }
            while (at < end && bytes[at] != '\n') {
                at++;
            }
            at++;
        }
        return false;
    }

    private static boolean matches(byte[] bytes, int at, int end) {
        if (at + NAME.length > end) {
            return false;
        }
        for (int i = 0; i < NAME.length; i++) {
            if ((bytes[at + i] | 0x20) != NAME[i] && bytes[at + i] != NAME[i]) {
                return false;
            }
        }
        return true;
    }
}
