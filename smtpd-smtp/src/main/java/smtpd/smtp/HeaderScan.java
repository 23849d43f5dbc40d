package smtpd.smtp;

import java.util.Arrays;

/**
 * Follows the header block of a mail line by line: which lines are fields, how many, how many
 * {@code Received}, and the few values that are needed at once. {@link DataDecoder} feeds it.
 *
 * <p>A field is {@code NAME:} with NAME of visible ASCII, blanks before the colon tolerated (RFC
 * 5322 4.5); a line that starts with a blank continues one, but never as the first line: it would
 * continue our own Received field.
 */
final class HeaderScan {

    static final int MAX_OCTETS = 256 * 1024;
    static final int MAX_FIELDS = 1000;
    private static final int MAX_VALUE = 250;

    private enum Kind {
        OTHER,
        MESSAGE_ID,
        TLS_REQUIRED
    }

    private boolean open = true;
    private boolean undecided;
    private boolean emptyLine;
    private boolean tooBig;
    private boolean firstLine = true;
    private int fields;
    private int received;

    // The line while it is undecided. held of its bytes are not in the caller's array any more.
    private byte[] line = new byte[64];
    private int length;
    private int held;
    private int nameEnd;

    private Kind kind = Kind.OTHER;
    private byte[] value = {};
    private int valueLength;
    private String messageId = "";
    private boolean tlsRequiredNo;

    /** A line begins; {@code octets} came before it. */
    void startLine(long octets) {
        undecided = true;
        length = 0;
        nameEnd = 0;
        if (octets > MAX_OCTETS) {
            tooBig = true;
        }
    }

    /** The next byte of an undecided line, which is no line end. */
    void name(byte c) {
        append(c);
        boolean blank = c == ' ' || c == '\t';
        if (length == 1 && blank) {
            if (firstLine) {
                close();
            } else {
                undecided = false;
            }
        } else if (c == ':') {
            if (length == 1) {
                close();
            } else {
                field(nameEnd > 0 ? nameEnd : length - 1);
            }
        } else if (blank) {
            nameEnd = nameEnd > 0 ? nameEnd : length - 1;
        } else if (c <= ' ' || c == 0x7f || nameEnd > 0) {
            close();
        }
    }

    /** The line ends undecided: it is empty, or no field. */
    void end() {
        emptyLine = length == 0;
        close();
    }

    private void append(byte c) {
        if (length == line.length) {
            line = Arrays.copyOf(line, length * 2);
        }
        line[length++] = c;
    }

    private void field(int end) {
        undecided = false;
        firstLine = false;
        if (++fields > MAX_FIELDS) {
            tooBig = true;
        }
        finishValue();
        if (Ascii.is(line, 0, end, "received")) {
            received++;
        } else if (Ascii.is(line, 0, end, "message-id")) {
            begin(Kind.MESSAGE_ID);
        } else if (Ascii.is(line, 0, end, "tls-required")) {
            begin(Kind.TLS_REQUIRED);
        }
    }

    private void begin(Kind what) {
        kind = what;
        value = new byte[MAX_VALUE];
        valueLength = 0;
    }

    private void close() {
        undecided = false;
        open = false;
        finishValue();
    }

    /** Bytes of a line that is decided. */
    void value(byte[] a, int from, int to) {
        if (kind != Kind.OTHER) {
            int n = Math.min(to - from, MAX_VALUE - valueLength);
            System.arraycopy(a, from, value, valueLength, n);
            valueLength += n;
        }
    }

    private void finishValue() {
        if (kind != Kind.OTHER) {
            String text = Ascii.printable(value, 0, valueLength).strip();
            if (kind == Kind.MESSAGE_ID) {
                messageId = text;
            } else if (text.equalsIgnoreCase("no")) {
                tlsRequiredNo = true;
            }
            kind = Kind.OTHER;
            value = new byte[0];
        }
    }

    /** Still within the header. */
    boolean isOpen() {
        return open;
    }

    /** The present line may or may not be a field. */
    boolean isUndecided() {
        return undecided;
    }

    /** The header was ended by an empty line, as it should be. */
    boolean isEmptyLine() {
        return emptyLine;
    }

    /** The bytes of the undecided line leave the caller's array: they are kept here. */
    void hold() {
        held = length;
    }

    int held() {
        return held;
    }

    void release() {
        held = 0;
    }

    byte[] line() {
        return line;
    }

    boolean isTooBig() {
        return tooBig;
    }

    int receivedFields() {
        return received;
    }

    /** Content of Message-ID as far as it is kept; empty without one. */
    String messageId() {
        finishValue();
        return messageId;
    }

    /** RFC 8689 5: {@code TLS-Required: No}. */
    boolean saysTlsRequiredNo() {
        finishValue();
        return tlsRequiredNo;
    }
}
