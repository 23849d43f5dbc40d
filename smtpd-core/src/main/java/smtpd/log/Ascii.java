package smtpd.log;

/** Text that is printable ASCII by construction, and the way there for text that is not. */
final class Ascii {
    private static final int MOST = 4_000;

    private Ascii() {}

    /** Copies characters to bytes as they are; gives the next free place. */
    static int put(CharSequence from, byte[] to, int at) {
        int length = Math.min(from.length(), to.length - at);
        for (int i = 0; i < length; i++) {
            to[at + i] = (byte) from.charAt(i);
        }
        return at + length;
    }

    /**
     * One line of printable ASCII, at most 4000 characters: a message of some library may carry
     * what a peer sent, line ends and terminal escapes included.
     */
    static String line(String text) {
        if (text.length() <= MOST && isPrintable(text)) {
            return text;
        }
        StringBuilder clean = new StringBuilder(Math.min(text.length(), MOST) + 16);
        for (int i = 0; i < text.length() && clean.length() < MOST; i++) {
            char c = text.charAt(i);
            if (c >= ' ' && c < 0x7f) {
                clean.append(c);
            } else {
                int next = text.offsetByCodePoints(i, 1);
                LogLine.appendEscaped(clean, text.substring(i, next), Integer.MAX_VALUE);
                i = next - 1;
            }
        }
        return clean.toString();
    }

    private static boolean isPrintable(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c < ' ' || c >= 0x7f) {
                return false;
            }
        }
        return true;
    }
}
