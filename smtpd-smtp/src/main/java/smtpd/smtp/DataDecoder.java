package smtpd.smtp;

/**
 * Turns what a client sends behind DATA or BDAT into stored content: dots un-stuffed (RFC 5321
 * 4.5.2), CR LF to LF, in place in the array it is given. It alone decides where a mail ends: CR LF
 * {@code .} CR LF and nowhere else. A lone CR or LF never ends a line; it spoils the mail, which is
 * then read to its true end and refused.
 *
 * <p>On the way it follows the header (limits, Received fields, first line that is no field), so
 * that each byte is looked at once.
 */
final class DataDecoder {

    /** What is wrong with the bytes themselves; the first one decides. */
    enum Fault {
        NONE,
        BARE_CR_OR_LF,
        NUL,
        LONG_LINE
    }

    /** Takes content in order; the array is the caller's again when the call returns. */
    interface Sink {
        void append(byte[] a, int offset, int length);
    }

    private static final int LINE_START = 0;
    private static final int TEXT = 1;
    private static final int CR = 2;
    private static final int DOT = 3;
    private static final int DOT_CR = 4;
    private static final int ENDED = 5;

    static final int MAX_LINE = 65_535;
    private static final byte[] LINE_FEED = {'\n'};

    private final boolean dotted;
    private final long maxOctets;
    private final Sink sink;
    private final HeaderScan header = new HeaderScan();

    private int state = LINE_START;
    private Fault fault = Fault.NONE;
    private boolean tooBig;
    private long octets;
    private long lines;
    private long stored;
    private int lineLength;
    private int bits;
    private int headerBits;

    // The output of the present call: a[runStart..dst) waits for the sink.
    private int runStart;
    private int dst;
    private int headerLine;

    /**
     * A decoder for one mail.
     *
     * @param dotted DATA; else BDAT, whose end is counted (RFC 3030)
     * @param maxOctets largest mail; octets are counted as they came, un-stuffed
     */
    DataDecoder(boolean dotted, long maxOctets, Sink sink) {
        this.dotted = dotted;
        this.maxOctets = maxOctets;
        this.sink = sink;
    }

    /**
     * Takes bytes of the mail; they are overwritten.
     *
     * @return index behind the last one taken: {@code to}, or behind the end of the mail
     */
    int decode(byte[] a, int from, int to) {
        runStart = from;
        dst = from;
        headerLine = from;
        int i = from;
        while (i < to && state != ENDED) {
            i = step(a, i, to);
        }
        if (isWriting()) {
            flushRun(a);
        }
        return i;
    }

    private int step(byte[] a, int i, int to) {
        int c = a[i];
        return switch (state) {
            case LINE_START -> startLine(a, i, to);
            case CR -> {
                if (c == '\n') {
                    endLine(a);
                    yield i + 1;
                }
                yield bare(a, i, to);
            }
            case DOT -> {
                if (c == '\r') {
                    state = DOT_CR;
                    yield i + 1;
                }
                state = TEXT;
                yield text(a, i, to);
            }
            case DOT_CR -> {
                if (c == '\n') {
                    state = ENDED;
                    yield i + 1;
                }
                yield bare(a, i, to);
            }
            default -> text(a, i, to);
        };
    }

    private int startLine(byte[] a, int i, int to) {
        lineLength = 0;
        headerLine = dst;
        if (header.isOpen()) {
            headerBits = bits;
            header.startLine(octets);
        }
        if (a[i] == '.' && dotted) {
            state = DOT;
            return i + 1;
        }
        state = TEXT;
        return text(a, i, to);
    }

    /** The CR before this byte ended nothing; the line goes on. */
    private int bare(byte[] a, int i, int to) {
        spoil(Fault.BARE_CR_OR_LF);
        state = TEXT;
        return text(a, i, to);
    }

    /** Bytes of a line up to its end or a byte that needs care. */
    private int text(byte[] a, int from, int to) {
        int i = from;
        if (header.isUndecided()) {
            i = headerName(a, i, to);
        }
        int start = i;
        int or = 0;
        while (i < to) {
            int c = a[i];
            if (c <= '\r' && (c == '\r' || c == '\n' || c == 0)) {
                break;
            }
            or |= c;
            i++;
        }
        run(a, start, i, or);
        if (i == to) {
            return i;
        }
        int c = a[i];
        if (c == '\r') {
            state = CR;
            return i + 1;
        }
        octets++;
        lineLength++;
        spoil(c == 0 ? Fault.NUL : Fault.BARE_CR_OR_LF);
        return i + 1;
    }

    private void run(byte[] a, int start, int end, int or) {
        int length = end - start;
        if (length == 0) {
            return;
        }
        count(length, or);
        if (isWriting()) {
            if (dst != start) {
                System.arraycopy(a, start, a, dst, length);
            }
            dst += length;
            if (header.isOpen()) {
                header.value(a, dst - length, dst);
            }
        }
    }

    private void count(int length, int or) {
        octets += length;
        lineLength += length;
        bits |= or;
        if (lineLength > MAX_LINE - 2) {
            spoil(Fault.LONG_LINE);
        }
        if (octets > maxOctets) {
            tooBig = true;
        }
    }

    /** Bytes of a header line before it is known to be one. */
    private int headerName(byte[] a, int from, int to) {
        int i = from;
        while (i < to && header.isUndecided()) {
            byte c = a[i];
            if (c == '\r' || c == '\n' || c == 0) {
                header.end();
                break;
            }
            header.name(c);
            i++;
        }
        count(i - from, orOf(a, from, i));
        if (!isWriting()) {
            return i;
        }
        if (dst != from) {
            System.arraycopy(a, from, a, dst, i - from);
        }
        dst += i - from;
        if (!header.isUndecided()) {
            decided(a);
        }
        return i;
    }

    private static int orOf(byte[] a, int from, int to) {
        int or = 0;
        for (int i = from; i < to; i++) {
            or |= a[i];
        }
        return or;
    }

    /**
     * The line is a field, a continuation, or the first of the body. A body that begins without an
     * empty line gets one, so that it cannot be read as part of our own header.
     */
    private void decided(byte[] a) {
        boolean separate = !header.isOpen() && !header.isEmptyLine();
        if (separate || header.held() > 0) {
            int pending = dst;
            dst = headerLine;
            flushRun(a);
            dst = pending;
            if (separate) {
                put(LINE_FEED, 0, 1);
                lines++;
            }
            if (header.held() > 0) {
                put(header.line(), 0, header.held());
                header.release();
            }
        }
    }

    private void endLine(byte[] a) {
        octets += 2;
        if (lineLength > MAX_LINE - 2) {
            spoil(Fault.LONG_LINE);
        }
        if (octets > maxOctets) {
            tooBig = true;
        }
        state = LINE_START;
        if (isWriting()) {
            a[dst++] = '\n';
            lines++;
        }
    }

    /** Hands over what is ready; a line that may not be a field yet stays behind. */
    private void flushRun(byte[] a) {
        int end = dst;
        if (header.isUndecided() && state != LINE_START) {
            header.hold();
            end = headerLine;
        }
        if (end > runStart) {
            put(a, runStart, end - runStart);
        }
        runStart = end;
    }

    private void put(byte[] a, int offset, int length) {
        stored += length;
        sink.append(a, offset, length);
    }

    private void spoil(Fault what) {
        if (fault == Fault.NONE) {
            fault = what;
        }
    }

    /** End of the last BDAT chunk: a line without an end gets one. */
    void finish() {
        if (state == CR) {
            spoil(Fault.BARE_CR_OR_LF);
        }
        if (state != LINE_START && isWriting()) {
            byte[] last = {'\n'};
            runStart = 0;
            dst = 0;
            headerLine = 0;
            if (header.isUndecided()) {
                header.end();
                decided(last);
            }
            put(last, 0, 1);
            lines++;
        }
        state = ENDED;
    }

    /** The end of the mail was seen. */
    boolean isEnded() {
        return state == ENDED;
    }

    /** Nothing has gone wrong: what arrives reaches the sink. */
    boolean isWriting() {
        return fault == Fault.NONE && !tooBig;
    }

    Fault fault() {
        return fault;
    }

    boolean isTooBig() {
        return tooBig;
    }

    boolean isHeaderTooBig() {
        return header.isTooBig();
    }

    /** Received fields, of our own none. */
    int receivedFields() {
        return header.receivedFields();
    }

    boolean saysTlsRequiredNo() {
        return header.saysTlsRequiredNo();
    }

    /** Content of the Message-ID field; empty without one. */
    String messageId() {
        return header.messageId();
    }

    /** Octets that came, un-stuffed, CR LF as two, without the terminator. */
    long octets() {
        return octets;
    }

    /** Line feeds given to the sink. */
    long lines() {
        return lines;
    }

    /** Bytes given to the sink. */
    long stored() {
        return stored;
    }

    /** A byte above 0x7f came (RFC 6152). */
    boolean isEightBit() {
        return bits < 0;
    }

    /** A byte above 0x7f stands in the header (RFC 6532). */
    boolean isHeaderEightBit() {
        return headerBits < 0 || (header.isOpen() && bits < 0);
    }
}
