package smtpd.conf;

import java.util.List;
import java.util.Optional;

/** Turns the bytes of a configuration into the model, or into everything that is wrong with it. */
public final class ConfigParser {

    /** Finds the bytes of an included file. */
    @FunctionalInterface
    interface Includes {
        /**
         * @param name absolute name, or as written when the including file has no folder
         * @throws java.io.IOException with the reason in words
         */
        SourceFile open(String name) throws java.io.IOException;
    }

    private final ConfigBundle bundle;
    private final Includes includes;
    private final Problems problems = new Problems();
    private final Draft draft;
    private final Lexer lexer;

    private ConfigParser(ConfigBundle bundle, Includes includes) {
        this.bundle = bundle;
        this.includes = includes;
        this.draft = new Draft(bundle, problems);
        this.lexer = new Lexer(problems, bundle.macros());
    }

    /**
     * What reading a text gave.
     *
     * @param config absent when there are errors
     * @param problems errors and warnings, by file and line
     */
    public record Parsed(Optional<Config> config, List<ConfigError> problems) {}

    /**
     * Reads a configuration that is expected to be good.
     *
     * @throws ConfigException with all errors and warnings when there is an error
     */
    public static Config parse(ConfigBundle bundle) throws ConfigException {
        Parsed parsed = read(bundle);
        if (parsed.config().isEmpty()) {
            throw new ConfigException(parsed.problems());
        }
        return parsed.config().get();
    }

    /** Reads a configuration; never throws, whatever the bytes are. */
    public static Parsed read(ConfigBundle bundle) {
        return read(
                bundle,
                name ->
                        bundle.file(name)
                                .orElseThrow(
                                        () -> new java.io.IOException("it was not handed over")));
    }

    static Parsed read(ConfigBundle bundle, Includes includes) {
        return new ConfigParser(bundle, includes).run();
    }

    private Parsed run() {
        for (Macro macro : bundle.macros()) {
            checkMacroName(
                    new Token(Token.Kind.WORD, macro.name(), new Position("command line", 1, 1)));
        }
        lexer.enter(bundle.files().getFirst());
        Optional<Lexer.Statement> statement = lexer.next();
        while (statement.isPresent() && !problems.isFull()) {
            if (!statement.get().damaged()) {
                read(statement.get());
            }
            statement = lexer.next();
        }
        Config config = draft.finish();
        if (!problems.isFull()) {
            Lint.check(config, draft);
        }
        return new Parsed(
                problems.hasErrors() ? Optional.empty() : Optional.of(config), problems.all());
    }

    private void read(Lexer.Statement statement) {
        Cursor cursor = new Cursor(statement.tokens(), problems);
        try {
            if (cursor.peekSecond().kind() == Token.Kind.ASSIGN) {
                define(cursor);
            } else if (cursor.acceptWord("include")) {
                cursor.name("include");
                include(cursor);
            } else {
                Statements.ALL.read(cursor, draft);
                cursor.end();
            }
        } catch (Refusal refusal) {
            problems.error(refusal);
        }
    }

    private void define(Cursor cursor) throws Refusal {
        Token name = cursor.next();
        cursor.name("macro");
        cursor.expect(Token.Kind.ASSIGN, "\"=\"");
        if (checkMacroName(name)) {
            String value = cursor.string("a value").text();
            cursor.end();
            lexer.define(name.text(), value, name.at());
        }
    }

    private boolean checkMacroName(Token name) {
        if (Statements.ALL.has(name.text()) || name.text().equals("include")) {
            problems.error(name.at(), name.shown() + " is a keyword and cannot be a macro name");
            return false;
        }
        boolean good = !name.text().isEmpty() && name.kind() != Token.Kind.QUOTED;
        for (int i = 0; i < name.text().length(); i++) {
            good &= Lexer.isNameCharacter(name.text().charAt(i));
        }
        if (!good) {
            problems.error(
                    name.at(),
                    "macro name "
                            + name.shown()
                            + " has a character other than letter, digit, underscore");
        }
        return good;
    }

    private void include(Cursor cursor) throws Refusal {
        Token name = cursor.string("a file name");
        cursor.end();
        String path = resolve(name);
        List<String> open = lexer.openFiles();
        if (open.contains(path)) {
            List<String> loop = open.subList(open.indexOf(path), open.size());
            throw new Refusal(
                    name.at(), "include loop: " + String.join(" -> ", loop) + " -> " + path);
        }
        if (open.size() > Lexer.MAX_INCLUDE_DEPTH) {
            throw new Refusal(name.at(), "includes nested deeper than " + Lexer.MAX_INCLUDE_DEPTH);
        }
        try {
            lexer.enter(includes.open(path));
        } catch (java.io.IOException e) {
            throw new Refusal(
                    name.at(), "cannot read included file " + path + ": " + e.getMessage());
        }
    }

    /** A relative name is meant from the folder of the file that includes it. */
    private static String resolve(Token name) throws Refusal {
        int slash = name.at().file().lastIndexOf('/');
        if (name.text().startsWith("/") || slash < 0) {
            return name.text();
        }
        try {
            return java.nio.file.Path.of(name.at().file().substring(0, slash + 1))
                    .resolve(name.text())
                    .normalize()
                    .toString();
        } catch (java.nio.file.InvalidPathException e) {
            throw new Refusal(name.at(), "cannot read included file " + name.text());
        }
    }
}
