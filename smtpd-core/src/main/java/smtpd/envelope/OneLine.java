package smtpd.envelope;

/** Turns what a peer said into one line that can stand as a value. */
final class OneLine {

    private OneLine() {}

    /** Line ends become one blank, other control bytes {@code ?}; cut to {@code maxBytes}. */
    static String of(String text, int maxBytes) {
        StringBuilder out = null;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            boolean isControl = (c < ' ' && c != '\t') || c == 0x7f;
            if (isControl && out == null) {
                out = new StringBuilder(text.length()).append(text, 0, i);
            }
            if (out == null) {
                continue;
            }
            if (c == '\r' || c == '\n') {
                if (!out.isEmpty() && out.charAt(out.length() - 1) != ' ') {
                    out.append(' ');
                }
            } else {
                out.append(isControl ? '?' : c);
            }
        }
        String line = out == null ? text : out.toString().stripTrailing();
        return line.length() * 3L > maxBytes ? cut(line, maxBytes) : line;
    }

    private static String cut(String line, int maxBytes) {
        if (EscapedUtf8.length(line) <= maxBytes) {
            return line;
        }
        int chars = Math.min(line.length(), maxBytes - 3);
        while (EscapedUtf8.length(line.substring(0, chars)) > maxBytes - 3) {
            chars--;
        }
        if (Character.isHighSurrogate(line.charAt(chars - 1))) {
            chars--;
        }
        return line.substring(0, chars) + "...";
    }
}
