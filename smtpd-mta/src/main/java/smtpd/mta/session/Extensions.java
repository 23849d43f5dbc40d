package smtpd.mta.session;

import java.util.Locale;

/**
 * What the peer offered in its EHLO answer. Keywords are compared without case (RFC 5321 2.4);
 * unknown ones are ignored.
 *
 * @param greeting the first word of the answer, the name the peer goes by
 * @param size largest message in bytes; 0 = no limit told
 * @param rcptMax most recipients of one mail (RFC 9422 LIMITS); 0 = not told
 * @param mailMax most mails of one session; 0 = not told
 * @param oneDomain all recipients of one mail must share a domain (RCPTDOMAINMAX=1)
 */
public record Extensions(
        String greeting,
        boolean pipelining,
        boolean sizeOffered,
        long size,
        boolean eightBitMime,
        boolean smtpUtf8,
        boolean dsn,
        boolean startTls,
        boolean requireTls,
        boolean chunking,
        String auth,
        int rcptMax,
        int mailMax,
        boolean oneDomain) {

    static final Extensions NONE = ofGreeting("");

    static Extensions ofGreeting(String greeting) {
        return new Extensions(
                greeting, false, false, 0, false, false, false, false, false, false, "", 0, 0,
                false);
    }

    /**
     * @param lines text of the reply lines, each ended by LF
     */
    static Extensions parse(String lines) {
        Builder builder = new Builder();
        int start = 0;
        boolean first = true;
        while (start < lines.length()) {
            int end = lines.indexOf('\n', start);
            String line = lines.substring(start, end);
            start = end + 1;
            if (first) {
                builder.greeting = word(line, 0);
                first = false;
            } else {
                builder.line(line);
            }
        }
        return builder.build();
    }

    private static String word(String line, int from) {
        int start = from;
        while (start < line.length() && line.charAt(start) == ' ') {
            start++;
        }
        int end = line.indexOf(' ', start);
        return line.substring(start, end < 0 ? line.length() : end);
    }

    private static final class Builder {
        private String greeting = "";
        private boolean pipelining;
        private boolean sizeOffered;
        private long size;
        private boolean eightBitMime;
        private boolean smtpUtf8;
        private boolean dsn;
        private boolean startTls;
        private boolean requireTls;
        private boolean chunking;
        private String auth = "";
        private int rcptMax;
        private int mailMax;
        private boolean oneDomain;

        private void line(String line) {
            String keyword = word(line, 0).toUpperCase(Locale.ROOT);
            String rest =
                    line.substring(
                                    Math.min(
                                            line.length(),
                                            line.indexOf(word(line, 0)) + keyword.length()))
                            .strip();
            if (keyword.startsWith("AUTH=")) {
                // Old Exchange servers; both forms may stand in one answer.
                rest = (keyword.substring(5) + " " + rest).strip();
                keyword = "AUTH";
            }
            switch (keyword) {
                case "PIPELINING" -> pipelining = true;
                case "8BITMIME" -> eightBitMime = true;
                case "SMTPUTF8" -> smtpUtf8 = true;
                case "DSN" -> dsn = true;
                case "STARTTLS" -> startTls = true;
                case "REQUIRETLS" -> requireTls = true;
                case "CHUNKING" -> chunking = true;
                case "AUTH" -> auth = (auth + " " + rest.toUpperCase(Locale.ROOT)).strip();
                case "SIZE" -> {
                    sizeOffered = true;
                    size = number(word(rest, 0), Long.MAX_VALUE);
                }
                case "LIMITS" -> limits(rest.toUpperCase(Locale.ROOT));
                default -> {}
            }
        }

        private void limits(String rest) {
            int at = 0;
            while (at < rest.length()) {
                String limit = word(rest, at);
                if (limit.isEmpty()) {
                    return;
                }
                at = rest.indexOf(limit, at) + limit.length();
                int equals = limit.indexOf('=');
                if (equals < 0) {
                    continue;
                }
                int value = (int) number(limit.substring(equals + 1), Integer.MAX_VALUE);
                switch (limit.substring(0, equals)) {
                    case "RCPTMAX" -> rcptMax = value;
                    case "MAILMAX" -> mailMax = value;
                    case "RCPTDOMAINMAX" -> oneDomain = value == 1;
                    default -> {}
                }
            }
        }

        /** A number too large to hold means no limit worth obeying; a broken one none at all. */
        private static long number(String digits, long max) {
            long value = 0;
            for (int i = 0; i < digits.length(); i++) {
                int digit = digits.charAt(i) - '0';
                if (digit < 0 || digit > 9 || value > (max - digit) / 10) {
                    return 0;
                }
                value = value * 10 + digit;
            }
            return value;
        }

        private Extensions build() {
            return new Extensions(
                    greeting,
                    pipelining,
                    sizeOffered,
                    size,
                    eightBitMime,
                    smtpUtf8,
                    dsn,
                    startTls,
                    requireTls,
                    chunking,
                    auth,
                    rcptMax,
                    mailMax,
                    oneDomain);
        }
    }
}
