package smtpd.conf;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A choice by the next word: the statements of the language, or what follows {@code queue} and
 * {@code limit}. A new statement is one more entry.
 */
final class Branches {

    /** Reads the rest of a statement, behind its word. */
    @FunctionalInterface
    interface Reader {
        void read(Cursor cursor, Draft draft) throws Refusal;
    }

    private final Map<String, Reader> entries = new LinkedHashMap<>();

    Branches on(String word, Reader reader) {
        entries.put(word, reader);
        return this;
    }

    /** A word of the language that this version does not carry out. */
    Branches later(String... words) {
        for (String word : words) {
            entries.put(
                    word,
                    (cursor, draft) -> {
                        throw NotYet.refusal(cursor.start(), cursor.statement());
                    });
        }
        return this;
    }

    /** A word of another era, with what to write today. */
    Branches gone(String word, String cure) {
        entries.put(
                word,
                (cursor, draft) -> {
                    throw new Refusal(cursor.start(), "\"" + word + "\" is an old spelling", cure);
                });
        return this;
    }

    boolean has(String word) {
        return entries.containsKey(word);
    }

    void read(Cursor cursor, Draft draft) throws Refusal {
        Token word = cursor.peek();
        if (word.kind() == Token.Kind.END) {
            throw new Refusal(
                    word.at(),
                    cursor.statement() + " statement ends early",
                    Nearest.expected(entries.keySet()));
        }
        Reader reader = word.kind() == Token.Kind.WORD ? entries.get(word.text()) : null;
        if (reader == null) {
            throw new Refusal(
                    word.at(),
                    cursor.statement().isEmpty()
                            ? "unknown statement " + word.shown()
                            : "unexpected "
                                    + word.shown()
                                    + " in "
                                    + cursor.statement()
                                    + " statement",
                    Nearest.suggestionOrList(word.text(), entries.keySet()));
        }
        cursor.next();
        cursor.name(word.text());
        reader.read(cursor, draft);
    }
}
