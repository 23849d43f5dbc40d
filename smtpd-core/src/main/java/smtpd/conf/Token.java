package smtpd.conf;

/**
 * One token of a statement.
 *
 * @param text content without quotes; a number in its source spelling
 * @param at its first character; for what a macro expands to, the place of use
 */
record Token(Kind kind, String text, Position at) {

    /** Kinds of tokens. */
    enum Kind {
        WORD,
        QUOTED,
        NUMBER,
        OPEN_BRACE,
        CLOSE_BRACE,
        OPEN_PAREN,
        CLOSE_PAREN,
        LESS,
        GREATER,
        BANG,
        COMMA,
        ASSIGN,
        /** Closes every statement. */
        END
    }

    /** True for everything the grammar calls a string. */
    boolean isString() {
        return kind == Kind.WORD || kind == Kind.QUOTED || kind == Kind.NUMBER;
    }

    /** True for the bare word {@code word}; quoted text is never a keyword. */
    boolean isWord(String word) {
        return kind == Kind.WORD && text.equals(word);
    }

    /** For messages. */
    String shown() {
        return "\"" + text + "\"";
    }
}
