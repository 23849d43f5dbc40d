package smtpd.ctl;

/** Writes one JSON object, member by member, on one line (RFC 8259). */
final class Json {

    private static final char[] HEX = "0123456789abcdef".toCharArray();

    private final StringBuilder text = new StringBuilder("{");
    private boolean isFirst = true;

    Json put(String name, String value) {
        name(name);
        quote(text, value);
        return this;
    }

    Json put(String name, long value) {
        name(name);
        text.append(value);
        return this;
    }

    Json put(String name, boolean value) {
        name(name);
        text.append(value);
        return this;
    }

    Json put(String name, Json value) {
        name(name);
        text.append(value);
        return this;
    }

    Json put(String name, Iterable<String> values) {
        name(name);
        text.append('[');
        boolean begun = false;
        for (String value : values) {
            if (begun) {
                text.append(',');
            }
            begun = true;
            quote(text, value);
        }
        text.append(']');
        return this;
    }

    private void name(String name) {
        if (!isFirst) {
            text.append(',');
        }
        isFirst = false;
        quote(text, name);
        text.append(':');
    }

    /** All but visible ASCII as an escape: a terminal may show it, and every parser reads it. */
    private static void quote(StringBuilder to, String value) {
        to.append('"');
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c == '"' || c == '\\') {
                to.append('\\').append(c);
            } else if (c >= ' ' && c <= '~') {
                to.append(c);
            } else {
                to.append("\\u");
                for (int shift = 12; shift >= 0; shift -= 4) {
                    to.append(HEX[c >> shift & 15]);
                }
            }
        }
        to.append('"');
    }

    @Override
    public String toString() {
        return text + "}";
    }
}
