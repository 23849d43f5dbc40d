package smtpd.mta.session;

/** Where a session stands; the name is what an operator reads in {@code (…)} of an error line. */
public enum Phase {
    CONNECT("connect"),
    BANNER("banner"),
    EHLO("ehlo"),
    HELO("helo"),
    READY("ready"),
    MAIL("mail"),
    RCPT("rcpt"),
    DATA("data"),
    BODY("body"),
    EOM("eom"),
    RSET("rset"),
    QUIT("quit");

    private final String label;

    Phase(String label) {
        this.label = label;
    }

    public String label() {
        return label;
    }
}
