package smtpd.conf;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.Locale;

/** Numbers of the configuration: delays, sizes, counts, ports. */
final class Units {

    private Units() {}

    /** Digits and exactly one of {@code s m h d}, at least 1, at most 2^31-1 seconds. */
    static Duration delay(Cursor cursor) throws Refusal {
        Token token = cursor.string("a delay");
        long seconds = seconds(token.text());
        if (seconds <= 0) {
            throw new Refusal(
                    token.at(),
                    token.shown() + " is not a delay",
                    "write a number and one of s, m, h, d");
        }
        return Duration.ofSeconds(seconds);
    }

    static Duration delay(Cursor cursor, Duration min, Duration max) throws Refusal {
        Token token = cursor.peek();
        Duration delay = delay(cursor);
        if (delay.compareTo(min) < 0 || delay.compareTo(max) > 0) {
            throw new Refusal(
                    token.at(),
                    token.shown() + " is out of range: " + show(min) + " to " + show(max));
        }
        return delay;
    }

    private static long seconds(String text) {
        if (text.length() < 2 || text.length() > 11) {
            return -1;
        }
        long unit =
                switch (text.charAt(text.length() - 1)) {
                    case 's' -> 1;
                    case 'm' -> 60;
                    case 'h' -> 3600;
                    case 'd' -> 86_400;
                    default -> -1;
                };
        long value = digits(text.substring(0, text.length() - 1));
        return unit < 0 || value < 1 || value * unit > Integer.MAX_VALUE ? -1 : value * unit;
    }

    private static long digits(String text) {
        long value = 0;
        for (int i = 0; i < text.length(); i++) {
            int digit = text.charAt(i) - '0';
            if (digit < 0 || digit > 9 || text.length() > 18) {
                return -1;
            }
            value = value * 10 + digit;
        }
        return text.isEmpty() ? -1 : value;
    }

    /** The shortest spelling that {@link #delay} reads. */
    static String show(Duration delay) {
        long seconds = delay.toSeconds();
        if (seconds != 0 && seconds % 86_400 == 0) {
            return seconds / 86_400 + "d";
        }
        if (seconds != 0 && seconds % 3600 == 0) {
            return seconds / 3600 + "h";
        }
        return seconds != 0 && seconds % 60 == 0 ? seconds / 60 + "m" : seconds + "s";
    }

    /** Powers of 1024; a fraction is fine; bounds in bytes. */
    static long size(Cursor cursor, long min, long max) throws Refusal {
        Token token = cursor.string("a size");
        long bytes = bytes(token.text());
        if (bytes < 0) {
            throw new Refusal(
                    token.at(),
                    token.shown() + " is not a size",
                    "write a number and one of B, K, M, G, T");
        }
        if (bytes < min || bytes > max) {
            throw new Refusal(
                    token.at(),
                    token.shown() + " is out of range: " + showSize(min) + " to " + showSize(max));
        }
        return bytes;
    }

    /** Bytes, or -1 for anything that is no size. */
    private static long bytes(String text) {
        int end = text.length();
        int power = 0;
        if (end > 0) {
            int unit =
                    "BKMGTPE".indexOf(text.substring(end - 1).toUpperCase(Locale.ROOT).charAt(0));
            if (unit >= 0) {
                power = unit;
                end--;
            }
        }
        if (end == 0 || end > 24) {
            return -1;
        }
        for (int i = 0; i < end; i++) {
            char c = text.charAt(i);
            if ((c < '0' || c > '9') && (c != '.' || i == 0)) {
                return -1;
            }
        }
        try {
            BigDecimal value = new BigDecimal(text.substring(0, end));
            BigDecimal bytes = value.multiply(BigDecimal.valueOf(1L << (10 * power)));
            return bytes.compareTo(BigDecimal.valueOf(Long.MAX_VALUE)) > 0 ? -1 : bytes.longValue();
        } catch (NumberFormatException e) {
            return -1;
        }
    }

    /** The shortest whole spelling that {@link #size} reads. */
    static String showSize(long bytes) {
        String units = "BKMGTPE";
        int unit = 0;
        long value = bytes;
        while (value != 0 && value % 1024 == 0 && unit < 6) {
            value /= 1024;
            unit++;
        }
        return unit == 0 ? Long.toString(value) : value + units.substring(unit, unit + 1);
    }

    static long count(Cursor cursor, long min, long max) throws Refusal {
        Token token = cursor.peek();
        if (token.kind() != Token.Kind.NUMBER) {
            throw cursor.unexpected("a number");
        }
        cursor.next();
        long value = Long.parseLong(token.text());
        if (value < 0) {
            throw new Refusal(token.at(), "negative count " + token.shown());
        }
        if (value < min || value > max) {
            throw new Refusal(
                    token.at(), token.shown() + " is out of range: " + min + " to " + max);
        }
        return value;
    }

    static int port(Cursor cursor) throws Refusal {
        Token token = cursor.string("a port or service name");
        int port =
                switch (token.text()) {
                    case "smtp" -> 25;
                    case "smtps", "submissions" -> 465;
                    case "submission" -> 587;
                    default -> RelayUrl.port(token.text());
                };
        if (port == 0) {
            throw new Refusal(token.at(), token.shown() + " is not a port or service name");
        }
        return port;
    }
}
