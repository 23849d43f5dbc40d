package smtpd.smtp;

/**
 * What a command line asks for. Verbs are four letters without case (RFC 5321 2.4), two are longer.
 */
enum Verb {
    HELO("HELO domain"),
    EHLO("EHLO domain"),
    MAIL("MAIL FROM:<address>"),
    RCPT("RCPT TO:<address>"),
    DATA("DATA"),
    BDAT("BDAT size [LAST]"),
    RSET("RSET"),
    NOOP("NOOP [string]"),
    QUIT("QUIT"),
    VRFY("VRFY string"),
    EXPN("EXPN string"),
    HELP("HELP [string]"),
    STARTTLS("STARTTLS"),
    AUTH("AUTH mechanism [initial-response]"),
    /** Known, and refused for good: ETRN TURN SEND SOML SAML. */
    NOT_IMPLEMENTED(""),
    UNKNOWN("");

    private final String form;

    Verb(String form) {
        this.form = form;
    }

    /** {@code 501 5.5.4 Syntax: FORM}. */
    Reply syntax() {
        return Reply.of(501, "5.5.4", "Syntax: " + form);
    }

    /** The verb in these bytes, which end before the first blank. */
    static Verb of(byte[] a, int from, int to) {
        if (to - from == 8 && Ascii.is(a, from, to, "starttls")) {
            return STARTTLS;
        }
        if (to - from != 4) {
            return UNKNOWN;
        }
        // Masking bit 5 folds letters and turns no other byte into a letter.
        return switch (((a[from] & 0xdf) << 24)
                | ((a[from + 1] & 0xdf) << 16)
                | ((a[from + 2] & 0xdf) << 8)
                | (a[from + 3] & 0xdf)) {
            case 0x48454c4f -> HELO;
            case 0x45484c4f -> EHLO;
            case 0x4d41494c -> MAIL;
            case 0x52435054 -> RCPT;
            case 0x44415441 -> DATA;
            case 0x42444154 -> BDAT;
            case 0x52534554 -> RSET;
            case 0x4e4f4f50 -> NOOP;
            case 0x51554954 -> QUIT;
            case 0x56524659 -> VRFY;
            case 0x4558504e -> EXPN;
            case 0x48454c50 -> HELP;
            case 0x41555448 -> AUTH;
            case 0x4554524e, 0x5455524e, 0x53454e44, 0x534f4d4c, 0x53414d4c -> NOT_IMPLEMENTED;
            default -> UNKNOWN;
        };
    }
}
