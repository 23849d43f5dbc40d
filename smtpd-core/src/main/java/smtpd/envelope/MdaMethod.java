package smtpd.envelope;

/** How a local delivery is made, resolved when the envelope was written (version 2). */
public enum MdaMethod {
    MBOX("mbox"),
    MAILDIR("maildir"),
    /** Appended to one file. */
    FILENAME("filename"),
    /** Given to a command. */
    MDA("mda"),
    LMTP("lmtp");

    private final String text;

    MdaMethod(String text) {
        this.text = text;
    }

    /** The word of the envelope text. */
    public String text() {
        return text;
    }
}
