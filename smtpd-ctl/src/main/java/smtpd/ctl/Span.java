package smtpd.ctl;

/** Lengths of time for people. */
final class Span {

    private Span() {}

    /** {@code 2d3h5s}, {@code 0s}, {@code -1m}. */
    static String text(long seconds) {
        if (seconds == 0) {
            return "0s";
        }
        StringBuilder text = new StringBuilder();
        if (seconds < 0) {
            text.append('-');
        }
        long left = Math.abs(seconds);
        left = unit(text, left, 86_400, 'd');
        left = unit(text, left, 3_600, 'h');
        left = unit(text, left, 60, 'm');
        unit(text, left, 1, 's');
        return text.toString();
    }

    private static long unit(StringBuilder text, long seconds, int size, char letter) {
        if (seconds >= size) {
            text.append(seconds / size).append(letter);
        }
        return seconds % size;
    }

    /** A field that holds seconds, or {@code -}. */
    static String field(String seconds) {
        try {
            return text(Long.parseLong(seconds));
        } catch (NumberFormatException e) {
            return Printable.of(seconds);
        }
    }
}
