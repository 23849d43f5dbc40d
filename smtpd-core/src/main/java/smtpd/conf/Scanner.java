package smtpd.conf;

/**
 * Cuts one text into tokens. Newlines come out as {@link Token.Kind#END}; the caller knows where
 * they count. Problems of single tokens are reported and reading goes on behind them.
 */
final class Scanner {

    /** Longest token in bytes of UTF-8, as in the original. */
    static final int MAX_TOKEN_BYTES = 8095;

    private static final int END_OF_TEXT = -1;

    private final String text;
    private final String file;
    private final Position fixed;
    private final Problems problems;

    private int at;
    private int line = 1;
    private int column = 1;
    private boolean damaged;

    /**
     * @param fixed position of all tokens, for the value of a macro; null: where they stand
     */
    Scanner(String text, String file, Position fixed, Problems problems) {
        this.text = text;
        this.file = file;
        this.fixed = fixed;
        this.problems = problems;
    }

    String file() {
        return file;
    }

    /** True when a token was unreadable since the last call. */
    boolean takeDamaged() {
        boolean was = damaged;
        damaged = false;
        return was;
    }

    boolean isAtEnd() {
        return peek() == END_OF_TEXT;
    }

    /**
     * The next token, {@code END} for a newline, null at the end of the text. A {@code $} where a
     * token may start comes out as a word that begins with it.
     */
    Token next() {
        while (true) {
            skipBlanks();
            Position start = position();
            int c = peek();
            switch (c) {
                case END_OF_TEXT -> {
                    return null;
                }
                case '#' -> skipComment();
                case '\n' -> {
                    read();
                    return new Token(Token.Kind.END, "end of line", start);
                }
                case '"', '\'' -> {
                    Token quoted = quoted((char) c, start);
                    if (quoted != null) {
                        return quoted;
                    }
                }
                default -> {
                    Token token = plain((char) c, start);
                    if (token != null) {
                        return token;
                    }
                }
            }
        }
    }

    private Token plain(char c, Position start) {
        Token.Kind kind =
                switch (c) {
                    case '{' -> Token.Kind.OPEN_BRACE;
                    case '}' -> Token.Kind.CLOSE_BRACE;
                    case '(' -> Token.Kind.OPEN_PAREN;
                    case ')' -> Token.Kind.CLOSE_PAREN;
                    case '<' -> Token.Kind.LESS;
                    case '>' -> Token.Kind.GREATER;
                    case '!' -> Token.Kind.BANG;
                    case ',' -> Token.Kind.COMMA;
                    case '=' -> Token.Kind.ASSIGN;
                    default -> null;
                };
        if (kind == null) {
            return word(start);
        }
        read();
        if (kind == Token.Kind.ASSIGN && peek() == '>') {
            read();
            return new Token(kind, "=>", start);
        }
        return new Token(kind, String.valueOf(c), start);
    }

    private Token word(Position start) {
        int first = peek();
        if (isDigit(first) || first == '-') {
            Token number = number(start);
            if (number != null) {
                return number;
            }
        }
        if (!startsWord((char) first)) {
            read();
            damaged = true;
            if (first == 0) {
                problems.error(start, "NUL byte in file");
            } else {
                problems.error(
                        start,
                        first < ' ' || first > '~'
                                ? "unexpected character U+"
                                        + Integer.toHexString(0x10000 | first).substring(1)
                                : "unexpected character " + (char) first,
                        "put the text in quotes");
            }
            return null;
        }
        StringBuilder word = new StringBuilder();
        word.append((char) read());
        while (continuesWord(peek())) {
            word.append((char) read());
        }
        return checkLength(new Token(Token.Kind.WORD, word.toString(), start));
    }

    /**
     * A number only when a number terminator follows, so that {@code 4d} and {@code 192.0.2.1} are
     * words; null leaves the position as it was.
     */
    private Token number(Position start) {
        int end = at;
        if (text.charAt(end) == '-') {
            end++;
        }
        int digits = end;
        while (end < text.length() && isDigit(text.charAt(end))) {
            end++;
        }
        if (end == digits) {
            if (end < text.length() && continuesWord(text.charAt(end))) {
                return null;
            }
            read();
            return new Token(Token.Kind.WORD, "-", start);
        }
        if (end < text.length() && " \t\r\n),/}=".indexOf(text.charAt(end)) < 0) {
            return null;
        }
        String spelling = text.substring(at, end);
        column += end - at;
        at = end;
        try {
            Long.parseLong(spelling);
        } catch (NumberFormatException outOfRange) {
            damaged = true;
            problems.error(start, "number " + spelling + " is out of range");
        }
        return new Token(Token.Kind.NUMBER, spelling, start);
    }

    /** Null when the quote is not closed; reading then goes on at the line after it. */
    private Token quoted(char quote, Position start) {
        int lineOfQuote = line;
        int endOfLine = text.indexOf('\n', at);
        StringBuilder content = new StringBuilder();
        rawRead();
        while (at < text.length()) {
            char c = rawRead();
            if (c == quote) {
                return checkLength(new Token(Token.Kind.QUOTED, content.toString(), start));
            }
            if (c == '\\' && at < text.length()) {
                char next = text.charAt(at);
                if (next == quote || next == ' ' || next == '\t') {
                    content.append(rawRead());
                    continue;
                }
                if (next == '\n' || (next == '\r' && charAt(at + 1) == '\n')) {
                    continue;
                }
            }
            if (c == '\n' || (c == '\r' && charAt(at) == '\n')) {
                continue;
            }
            if (c == 0) {
                damaged = true;
                problems.error(position(), "NUL byte in file");
            }
            content.append(c);
        }
        damaged = true;
        problems.error(start, "quoted text is not closed");
        if (endOfLine >= 0) {
            at = endOfLine;
            line = lineOfQuote;
            column = 1;
        }
        return null;
    }

    private Token checkLength(Token token) {
        if (token.text().length() > MAX_TOKEN_BYTES / 4
                && token.text().getBytes(java.nio.charset.StandardCharsets.UTF_8).length
                        > MAX_TOKEN_BYTES) {
            damaged = true;
            problems.error(token.at(), "text longer than " + MAX_TOKEN_BYTES + " bytes");
        }
        return token;
    }

    private void skipBlanks() {
        int c = peek();
        while (c == ' ' || c == '\t') {
            read();
            c = peek();
        }
    }

    /** To the end of the logical line: a continued comment swallows the next line too. */
    private void skipComment() {
        int c = peek();
        while (c != '\n' && c != END_OF_TEXT) {
            if (c == 0) {
                damaged = true;
                problems.error(position(), "NUL byte in file");
            }
            read();
            c = peek();
        }
    }

    /** The next character with continuation and backslash resolved, which stays. */
    private int peek() {
        joinLines();
        if (at >= text.length()) {
            return END_OF_TEXT;
        }
        char c = text.charAt(at);
        if (c == '\\') {
            return at + 1 < text.length() ? text.charAt(at + 1) : END_OF_TEXT;
        }
        return c;
    }

    private int read() {
        int c = peek();
        if (at < text.length() && text.charAt(at) == '\\') {
            rawRead();
        }
        if (c != END_OF_TEXT) {
            rawRead();
        }
        return c;
    }

    /** Skips backslash-newline, and CR before LF. */
    private void joinLines() {
        while (at < text.length()) {
            char c = text.charAt(at);
            if (c == '\r' && charAt(at + 1) == '\n') {
                at++;
            } else if (c == '\\' && charAt(at + 1) == '\n') {
                rawRead();
                rawRead();
            } else if (c == '\\' && charAt(at + 1) == '\r' && charAt(at + 2) == '\n') {
                rawRead();
                rawRead();
                rawRead();
            } else {
                return;
            }
        }
    }

    private char rawRead() {
        char c = text.charAt(at++);
        if (c == '\n') {
            line++;
            column = 1;
        } else {
            column++;
        }
        return c;
    }

    private int charAt(int index) {
        return index < text.length() ? text.charAt(index) : END_OF_TEXT;
    }

    private Position position() {
        return fixed != null ? fixed : new Position(file, line, column);
    }

    private static boolean isDigit(int c) {
        return c >= '0' && c <= '9';
    }

    /** Where the original needed quotes, {@code / ~ @ * . % [ + $} may start a word as well. */
    private static boolean startsWord(char c) {
        return (c >= 'a' && c <= 'z')
                || (c >= 'A' && c <= 'Z')
                || isDigit(c)
                || "_:/~@*.%[+$".indexOf(c) >= 0;
    }

    private static boolean continuesWord(int c) {
        return c > ' ' && c <= '~' && "(){}<>!=#,".indexOf(c) < 0;
    }

    /** The text as it must stand in a configuration to be read as one string again. */
    static String quote(String content) {
        if (isPlainWord(content)) {
            return content.replace("\\", "\\\\");
        }
        StringBuilder quoted = new StringBuilder(content.length() + 2).append('"');
        for (int i = 0; i < content.length(); i++) {
            char c = content.charAt(i);
            if (c == '"') {
                quoted.append('\\');
            } else if (c == '\\' && i + 1 < content.length()) {
                // A backslash that stays must not meet what it would escape.
                char next = content.charAt(i + 1);
                if (next == ' ' || next == '\t') {
                    quoted.append('\\');
                }
            }
            quoted.append(c);
        }
        return quoted.append('"').toString();
    }

    private static boolean isPlainWord(String content) {
        if (content.isEmpty() || content.charAt(0) == '$' || !startsWord(content.charAt(0))) {
            return false;
        }
        int digits = 0;
        while (digits < content.length() && isDigit(content.charAt(digits))) {
            digits++;
        }
        if (digits > 0 && digits < content.length() && content.charAt(digits) == '/') {
            return false; // "10/8" would be the number 10 and a path
        }
        boolean quote = false;
        for (int i = 0; i < content.length(); i++) {
            char c = content.charAt(i);
            if (!continuesWord(c)) {
                return false;
            }
            quote |= c == '"' || c == '\'';
        }
        return !quote || content.endsWith("\\");
    }
}
