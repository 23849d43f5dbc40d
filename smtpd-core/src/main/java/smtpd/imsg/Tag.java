package smtpd.imsg;

/** The byte in front of each field: it finds two jars that drifted apart at the first frame. */
final class Tag {

    static final int BOOL = 1;
    static final int INT = 2;
    static final int LONG = 3;
    static final int STRING = 5;
    static final int BYTES = 6;
    static final int EVPID = 8;
    static final int MSGID = 9;
    static final int SOCKADDR = 10;
    static final int MAILADDR = 11;
    static final int ENVELOPE = 12;
    static final int LIST = 13;
    static final int RECORD = 15;

    private Tag() {}
}
