package smtpd.conf;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The options of one statement: words in any order, each at most once. What is a valid word, what
 * excludes what, and which spellings mean the same is said in entries; the loop, the messages and
 * the suggestions are here. A reader may add entries, so that {@code relay} brings its own.
 */
final class Options {

    /** Reads what follows an option's word. */
    @FunctionalInterface
    interface Reader {
        /**
         * @param negated a {@code !} stood before the word
         */
        void read(Cursor cursor, Token word, boolean negated) throws Refusal;
    }

    private record Entry(String word, Reader reader, boolean negatable, boolean repeatable) {}

    private final Map<String, Entry> entries = new LinkedHashMap<>();
    private final Map<String, String> hints = new HashMap<>();
    private final Set<String> oldSpellings = new HashSet<>();
    private final List<List<String>> exclusive = new ArrayList<>();
    private final Map<String, Token> seen = new LinkedHashMap<>();

    Options on(String word, Reader reader) {
        entries.put(word, new Entry(word, reader, false, false));
        return this;
    }

    /** An option that {@code !} may precede. */
    Options condition(String word, Reader reader) {
        entries.put(word, new Entry(word, reader, true, false));
        return this;
    }

    Options flag(String word, Runnable action) {
        return on(word, (cursor, token, negated) -> action.run());
    }

    /** Words of the language that this version does not carry out. */
    Options later(String... words) {
        return laterIn("", words);
    }

    /**
     * The same, for options of a part of the statement.
     *
     * @param part how messages call it; empty: as the statement
     */
    Options laterIn(String part, String... words) {
        for (String word : words) {
            entries.put(
                    word,
                    new Entry(
                            word,
                            (cursor, token, negated) -> {
                                throw NotYet.refusal(
                                        token.at(),
                                        (part.isEmpty() ? cursor.statement() : part)
                                                + " ... "
                                                + word);
                            },
                            true,
                            true));
        }
        return this;
    }

    /** The other dialect's word for {@code word}: accepted with a warning. */
    Options synonym(String spelling, String word) {
        oldSpellings.add(spelling);
        return alias(spelling, word);
    }

    /** Another word for {@code word}. */
    Options alias(String spelling, String word) {
        entries.put(spelling, entries.get(word));
        return this;
    }

    /** A word that must not stand here, with what to write instead. */
    Options hint(String word, String cure) {
        hints.put(word, cure);
        return this;
    }

    /** At most one of these words. */
    Options exclude(String... words) {
        exclusive.add(List.of(words));
        return this;
    }

    /** True for a word that may stand here, or that has a hint of its own. */
    boolean knows(String word) {
        return entries.containsKey(word) || hints.containsKey(word);
    }

    void remove(String... words) {
        for (String word : words) {
            entries.remove(word);
        }
    }

    /** Reads to the end of the statement. */
    void read(Cursor cursor) throws Refusal {
        while (!cursor.isAtEnd()) {
            Position start = cursor.peek().at();
            boolean negated = cursor.accept(Token.Kind.BANG);
            Token word = cursor.peek();
            Entry entry = word.kind() == Token.Kind.WORD ? entries.get(word.text()) : null;
            if (entry == null) {
                throw unknown(cursor, word);
            }
            if (negated && !entry.negatable()) {
                throw new Refusal(start, "\"!\" cannot stand before " + word.shown());
            }
            cursor.next();
            if (oldSpellings.contains(word.text())) {
                cursor.problems()
                        .warn(
                                word.at(),
                                word.shown() + " is the other dialect's word",
                                "write \"" + entry.word() + "\"");
            }
            checkRepetition(entry, word);
            seen.put(entry.word(), word);
            entry.reader().read(cursor, word, negated);
        }
    }

    private void checkRepetition(Entry entry, Token word) throws Refusal {
        Token before = seen.get(entry.word());
        if (before != null && !entry.repeatable()) {
            throw new Refusal(
                    word.at(), word.shown() + " given twice, first at line " + before.at().line());
        }
        for (List<String> group : exclusive) {
            if (group.contains(entry.word())) {
                for (String other : group) {
                    Token rival = seen.get(other);
                    if (rival != null && !other.equals(entry.word())) {
                        throw new Refusal(
                                word.at(),
                                rival.shown() + " and " + word.shown() + " exclude each other");
                    }
                }
            }
        }
    }

    private Refusal unknown(Cursor cursor, Token word) {
        List<String> valid = new ArrayList<>(entries.keySet());
        valid.removeAll(oldSpellings);
        if (word.kind() == Token.Kind.END) {
            return new Refusal(
                    word.at(),
                    cursor.statement() + " statement ends early",
                    Nearest.expected(valid));
        }
        String hint = word.kind() == Token.Kind.WORD ? hints.get(word.text()) : null;
        String cure = hint != null ? hint : Nearest.suggestionOrList(word.text(), valid);
        return new Refusal(
                word.at(),
                "unexpected " + word.shown() + " in " + cursor.statement() + " statement",
                cure);
    }
}
