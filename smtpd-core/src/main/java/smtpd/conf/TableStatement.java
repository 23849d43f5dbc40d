package smtpd.conf;

import java.util.List;
import java.util.Set;
import smtpd.table.TableEntry;
import smtpd.table.TableRef;
import smtpd.table.TableSpec;

/** {@code table NAME [backend:]config} and {@code table NAME { ... }}. */
final class TableStatement {

    private static final Set<String> LATER =
            Set.of(
                    "db",
                    "getpwnam",
                    "imsg",
                    "ldap",
                    "mysql",
                    "passwd",
                    "postgres",
                    "proc",
                    "proc-exec",
                    "redis",
                    "socketmap",
                    "socketmap-ns",
                    "sqlite");

    private TableStatement() {}

    static void read(Cursor cursor, Draft draft) throws Refusal {
        Token name = cursor.string("a table name");
        draft.claimTable(name);
        TableRef ref = new TableRef(name.text());
        if (cursor.peek().kind() == Token.Kind.OPEN_BRACE) {
            List<TableEntry> entries = TableArguments.braces(cursor, draft);
            draft.declare(new TableSpec.Inline(ref, TableArguments.kindOf(entries), entries));
        } else {
            Token config = cursor.string("backend:/path, /path or { ... }");
            draft.declare(new TableSpec.File(ref, path(config, draft)));
        }
        cursor.end();
    }

    private static String path(Token config, Draft draft) throws Refusal {
        String text = config.text();
        if (text.startsWith("/")) {
            return text;
        }
        int colon = text.indexOf(':');
        String backend = colon < 0 ? text : text.substring(0, colon);
        String rest = colon < 0 ? "" : text.substring(colon + 1);
        if (LATER.contains(backend)) {
            throw NotYet.refusal(config.at(), "table backend " + backend);
        }
        switch (backend) {
            case "file", "static" -> {}
            case "plain" ->
                    draft.problems()
                            .warn(
                                    config.at(),
                                    "\"plain\" is an old spelling",
                                    "write file:" + rest);
            default ->
                    throw new Refusal(
                            config.at(),
                            "unknown table backend \"" + backend + "\"",
                            "expected one of file, static, or a list in braces");
        }
        if (!rest.startsWith("/")) {
            throw new Refusal(config.at(), "table config must be an absolute path");
        }
        return rest;
    }
}
