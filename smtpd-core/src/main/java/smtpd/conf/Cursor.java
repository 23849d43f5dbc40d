package smtpd.conf;

import java.util.List;

/** Walks over the tokens of one statement. */
final class Cursor {

    private final List<Token> tokens;
    private final Problems problems;
    private String statement = "";
    private int at;

    /**
     * @param tokens closed by {@code END}
     */
    Cursor(List<Token> tokens, Problems problems) {
        this.tokens = tokens;
        this.problems = problems;
    }

    Problems problems() {
        return problems;
    }

    /** Word that messages call the statement by. */
    void name(String word) {
        statement = statement.isEmpty() ? word : statement + " " + word;
    }

    String statement() {
        return statement;
    }

    Position start() {
        return tokens.getFirst().at();
    }

    Token peek() {
        return tokens.get(at);
    }

    Token peekSecond() {
        return tokens.get(Math.min(at + 1, tokens.size() - 1));
    }

    boolean isAtEnd() {
        return peek().kind() == Token.Kind.END;
    }

    Token next() {
        Token token = peek();
        if (token.kind() != Token.Kind.END) {
            at++;
        }
        return token;
    }

    boolean accept(Token.Kind kind) {
        boolean here = peek().kind() == kind;
        if (here) {
            next();
        }
        return here;
    }

    /** Takes the bare word {@code word} if it comes next. */
    boolean acceptWord(String word) {
        boolean here = peek().isWord(word);
        if (here) {
            next();
        }
        return here;
    }

    void expect(Token.Kind kind, String what) throws Refusal {
        if (!accept(kind)) {
            throw unexpected(what);
        }
    }

    /** A string, whatever it says: keywords are taken as text where only text can stand. */
    Token string(String what) throws Refusal {
        if (!peek().isString()) {
            throw unexpected(what);
        }
        return next();
    }

    void end() throws Refusal {
        if (!isAtEnd()) {
            throw unexpected("the end of the line");
        }
    }

    /** "unexpected X in KIND statement" or "statement ends early", with what should stand here. */
    Refusal unexpected(String what) {
        Token token = peek();
        if (token.kind() == Token.Kind.END) {
            return new Refusal(
                    token.at(),
                    (statement.isEmpty() ? "" : statement + " ")
                            + "statement ends early, expected "
                            + what);
        }
        return new Refusal(
                token.at(),
                "unexpected " + token.shown() + " in " + statement + " statement",
                "expected " + what);
    }
}
