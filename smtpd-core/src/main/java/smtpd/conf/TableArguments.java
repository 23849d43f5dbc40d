package smtpd.conf;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import smtpd.table.Service;
import smtpd.table.TableEntry;
import smtpd.table.TableKind;
import smtpd.table.TableRef;
import smtpd.table.TableSpec;

/** Table arguments: {@code <name>}, a single string, or a list or mapping in braces. */
final class TableArguments {

    private TableArguments() {}

    /**
     * Reads one and checks that it can serve {@code option}.
     *
     * @param option words of the statement that use it, for messages
     */
    static TableRef read(Cursor cursor, Draft draft, Service service, String option)
            throws Refusal {
        Position at = cursor.peek().at();
        if (cursor.accept(Token.Kind.LESS)) {
            Token name = cursor.string("a table name");
            cursor.expect(Token.Kind.GREATER, "\">\"");
            TableRef ref = new TableRef(name.text());
            if (!draft.isTable(name.text())) {
                draft.missTable(name.text(), name.at());
            } else {
                draft.table(ref).ifPresent(table -> check(table, draft, service, option, at));
            }
            return ref;
        }
        if (cursor.peek().kind() == Token.Kind.OPEN_BRACE) {
            List<TableEntry> entries = braces(cursor, draft);
            TableRef ref = draft.anonymous(kindOf(entries), entries);
            draft.table(ref).ifPresent(table -> check(table, draft, service, option, at));
            return ref;
        }
        Token literal = cursor.string("<table>, { list } or a single value");
        if (literal.kind() == Token.Kind.WORD && draft.isTable(literal.text())) {
            draft.problems()
                    .warn(
                            literal.at(),
                            literal.shown() + " is a literal here and the name of a table",
                            "did you mean <" + literal.text() + ">?");
        }
        return literal(draft, literal, service, option);
    }

    /** A list of one. */
    static TableRef literal(Draft draft, Token literal, Service service, String option) {
        TableRef ref = draft.anonymous(TableKind.LIST, List.of(TableEntry.item(literal.text())));
        draft.table(ref).ifPresent(table -> check(table, draft, service, option, literal.at()));
        return ref;
    }

    /** {@code { a, b }} or {@code { a => b, c => d }}, at least one entry. */
    static List<TableEntry> braces(Cursor cursor, Draft draft) throws Refusal {
        cursor.expect(Token.Kind.OPEN_BRACE, "\"{\"");
        List<TableEntry> entries = new ArrayList<>();
        Set<String> keys = new HashSet<>();
        while (!cursor.accept(Token.Kind.CLOSE_BRACE)) {
            Token key = cursor.string(entries.isEmpty() ? "a list entry" : "a list entry or \"}\"");
            boolean mapping = cursor.accept(Token.Kind.ASSIGN);
            if (!entries.isEmpty() && mapping != entries.getFirst().value().isPresent()) {
                throw new Refusal(
                        key.at(),
                        "list and mapping mixed at " + key.shown(),
                        mapping ? "remove the value" : "write " + key.text() + " => value");
            }
            entries.add(
                    mapping
                            ? TableEntry.pair(key.text(), cursor.string("a value").text())
                            : TableEntry.item(key.text()));
            if (!keys.add(key.text().toLowerCase(Locale.ROOT))) {
                draft.problems()
                        .warn(key.at(), "duplicate key " + key.shown() + ", the last one counts");
            }
            cursor.accept(Token.Kind.COMMA);
        }
        if (entries.isEmpty()) {
            throw new Refusal(cursor.start(), "empty list");
        }
        return entries;
    }

    static TableKind kindOf(List<TableEntry> entries) {
        return entries.getFirst().value().isPresent() ? TableKind.MAPPING : TableKind.LIST;
    }

    private static void check(
            TableSpec table, Draft draft, Service service, String option, Position at) {
        if (table instanceof TableSpec.Inline inline) {
            for (String complaint :
                    EntryCheck.complaints(
                            inline.ref(), inline.kind(), inline.entries(), service, option)) {
                draft.problems().error(at, complaint);
            }
        }
    }
}
