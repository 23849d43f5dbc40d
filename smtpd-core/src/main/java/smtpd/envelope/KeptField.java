package smtpd.envelope;

/**
 * A line of an envelope text whose name we do not know: kept and written back, it may belong to a
 * later release or to another program.
 *
 * @param name letters, digits and {@code -}, lower case
 * @param value without CR, LF, NUL
 */
public record KeptField(String name, String value) {

    public KeptField {
        if (name.isEmpty()) {
            throw new IllegalArgumentException("a field without a name");
        }
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) {
                throw new IllegalArgumentException("not the name of a field: " + name);
            }
        }
        value = Values.text(name, value, EnvelopeText.MAX_STORED);
    }
}
