package smtpd.smtp;

/**
 * Finds command lines. CR LF ends a line and nothing else does (RFC 5321 2.3.8): a peer that reads
 * a lone LF as a line end could be made to see commands that another never saw. One per session; it
 * remembers only how much of an over-long line it has thrown away.
 */
final class LineScanner {

    static final int MAX_LINE = 2048;

    /** More than this without a CR LF is no mail client. */
    static final int FLOOD = 65_536;

    /** What the last {@link #scan} found. */
    enum Found {
        /** A line between {@code from} and {@link #end}. */
        LINE,
        /** Like LINE, but longer than allowed; its text is gone. */
        TOO_LONG,
        /** LF without CR: the rest of the input means nothing. */
        BARE_LF,
        /** CR not before LF. */
        BARE_CR,
        NUL,
        /** TAB or another control character. */
        CONTROL,
        /** No line end within {@link #FLOOD} bytes. */
        FLOODED,
        /** More bytes are needed; those before {@link #next} may be forgotten. */
        INCOMPLETE
    }

    private int discarded;
    private int end;
    private int next;
    private boolean highBit;

    /** Looks for one line in {@code a[from..to)}. */
    Found scan(byte[] a, int from, int to) {
        boolean bareCr = false;
        boolean nul = false;
        boolean control = false;
        int bits = 0;
        for (int i = from; i < to; i++) {
            int c = a[i];
            if (c >= ' ' && c != 0x7f) {
                continue;
            }
            if (c < 0) {
                bits |= c;
            } else if (c == '\n') {
                return lineFeed(a, from, i, bareCr, nul, control, bits);
            } else if (c == 0) {
                nul = true;
            } else if (c != '\r') {
                control = true;
            } else if (i + 1 < to && a[i + 1] != '\n') {
                bareCr = true;
            }
        }
        return incomplete(from, to);
    }

    private Found lineFeed(
            byte[] a, int from, int lf, boolean bareCr, boolean nul, boolean control, int bits) {
        next = lf + 1;
        highBit = bits < 0;
        // A discarded head always leaves its last byte behind, so the CR is in sight.
        if (lf == from || a[lf - 1] != '\r') {
            return Found.BARE_LF;
        }
        int length = discarded + next - from;
        if (length > MAX_LINE) {
            return Found.TOO_LONG;
        }
        if (nul) {
            return Found.NUL;
        }
        if (bareCr) {
            return Found.BARE_CR;
        }
        if (control) {
            return Found.CONTROL;
        }
        end = lf - 1;
        while (end > from && a[end - 1] == ' ') {
            end--;
        }
        return Found.LINE;
    }

    private Found incomplete(int from, int to) {
        next = from;
        if (discarded + to - from >= FLOOD) {
            return Found.FLOODED;
        }
        if (discarded + to - from > MAX_LINE) {
            discarded += to - 1 - from;
            next = to - 1;
        }
        return Found.INCOMPLETE;
    }

    /** The line that was found is dealt with; until then it may be scanned again. */
    void taken() {
        discarded = 0;
    }

    /** End of the line without CR LF and trailing blanks. */
    int end() {
        return end;
    }

    /** Where the bytes behind the line, or those still needed, begin. */
    int next() {
        return next;
    }

    /** The line has bytes above 0x7f. */
    boolean hasHighBit() {
        return highBit;
    }
}
