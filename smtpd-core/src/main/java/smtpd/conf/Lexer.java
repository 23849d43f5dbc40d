package smtpd.conf;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Hands out statement after statement, through included files, with macros replaced. A newline
 * inside braces is white space; the end of a file ends its last statement.
 */
final class Lexer {

    static final int MAX_INCLUDE_DEPTH = 16;

    /** Text that macros may expand to in one configuration: an expansion bomb ends in an error. */
    private static final int MAX_EXPANSION = 16 << 20;

    /**
     * @param tokens at least {@code END}
     * @param damaged a token of it could not be read, which is reported already
     */
    record Statement(List<Token> tokens, boolean damaged) {}

    private final Problems problems;
    private final Deque<Scanner> files = new ArrayDeque<>();
    private final Map<String, Defined> macros = new HashMap<>();
    private int expanded;

    /**
     * @param at null for one of the command line
     */
    private record Defined(String value, Position at) {}

    Lexer(Problems problems, List<Macro> commandLine) {
        this.problems = problems;
        for (Macro macro : commandLine) {
            macros.put(macro.name(), new Defined(macro.value(), null));
        }
    }

    /** Goes on with this file and comes back at its end. */
    void enter(SourceFile file) {
        String text = new String(file.content(), StandardCharsets.UTF_8);
        if (text.startsWith("\ufeff")) {
            text = text.substring(1);
        }
        files.push(new Scanner(text, file.name(), null, problems));
    }

    /** Names of the files being read, the top one first. */
    List<String> openFiles() {
        List<String> names = new ArrayList<>();
        files.descendingIterator().forEachRemaining(scanner -> names.add(scanner.file()));
        return names;
    }

    /** Defines a macro from here on; one of the command line stays as it is. */
    void define(String name, String value, Position at) {
        Defined old = macros.get(name);
        if (old == null || old.at() != null) {
            macros.put(name, new Defined(value, at));
        }
    }

    /** The next statement that is not blank; absent at the end. */
    Optional<Statement> next() {
        while (!files.isEmpty()) {
            Scanner scanner = files.peek();
            Statement statement = read(scanner);
            if (statement.tokens().size() > 1 || statement.damaged()) {
                return Optional.of(statement);
            }
            if (scanner.isAtEnd()) {
                files.pop();
            }
        }
        return Optional.empty();
    }

    private Statement read(Scanner scanner) {
        List<Token> tokens = new ArrayList<>();
        boolean broken = false;
        int depth = 0;
        Position last = new Position(scanner.file(), 1, 1);
        while (true) {
            Token token = scanner.next();
            broken |= scanner.takeDamaged();
            if (token == null) {
                tokens.add(new Token(Token.Kind.END, "end of file", last));
                return new Statement(tokens, broken);
            }
            last = token.at();
            if (token.kind() == Token.Kind.END) {
                if (depth == 0) {
                    tokens.add(token);
                    return new Statement(tokens, broken);
                }
            } else if (token.kind() == Token.Kind.WORD && token.text().charAt(0) == '$') {
                int before = tokens.size();
                broken |= !expand(token, tokens);
                for (int i = before; i < tokens.size(); i++) {
                    depth = depth(depth, tokens.get(i));
                }
            } else {
                tokens.add(token);
                depth = depth(depth, token);
            }
        }
    }

    private static int depth(int depth, Token token) {
        return switch (token.kind()) {
            case OPEN_BRACE -> depth + 1;
            case CLOSE_BRACE -> Math.max(0, depth - 1);
            default -> depth;
        };
    }

    /** False when the macro is unknown, which is reported here. */
    private boolean expand(Token use, List<Token> into) {
        String name = use.text().substring(1);
        String rest = "";
        for (int i = 0; i < name.length(); i++) {
            if (!isNameCharacter(name.charAt(i))) {
                rest = name.substring(i);
                name = name.substring(0, i);
                break;
            }
        }
        Defined macro = macros.get(name);
        if (macro == null) {
            problems.error(
                    use.at(),
                    "macro $" + name + " is not defined",
                    Nearest.suggestion(name, macros.keySet()));
            return false;
        }
        expanded += macro.value().length();
        if (expanded > MAX_EXPANSION) {
            problems.error(use.at(), "macros expand to more than 16 MiB");
            return false;
        }
        Scanner value = new Scanner(macro.value() + rest, use.at().file(), use.at(), problems);
        for (Token token = value.next(); token != null; token = value.next()) {
            if (token.kind() != Token.Kind.END) {
                into.add(token);
            }
        }
        return !value.takeDamaged();
    }

    static boolean isNameCharacter(char c) {
        return (c >= 'a' && c <= 'z')
                || (c >= 'A' && c <= 'Z')
                || (c >= '0' && c <= '9')
                || c == '_';
    }
}
