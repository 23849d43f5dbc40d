package smtpd.lka.table;

import smtpd.log.Trace;
import smtpd.table.Table;
import smtpd.table.TableSpec;

/** What {@code trace tables} shows: the life of tables, their content never. */
final class TableTrace {

    private TableTrace() {}

    /** Read from its file, or from the configuration; any thread. */
    static void loaded(TableSpec spec, Table table, long begunNanos) {
        if (Trace.TABLES.isOn()) {
            line(
                    "load "
                            + shown(spec)
                            + " -> "
                            + content(table)
                            + ' '
                            + (System.nanoTime() - begunNanos) / 1_000
                            + "us");
        }
    }

    static void failed(TableSpec spec, TableError why) {
        if (Trace.TABLES.isOn()) {
            line("load " + shown(spec) + " -> error: " + why.getMessage());
        }
    }

    /** New content is in force in the place of the old. */
    static void exchanged(TableSpec spec, Table before, Table after) {
        if (Trace.TABLES.isOn()) {
            line("update " + shown(spec) + ": " + content(before) + " -> " + content(after));
        }
    }

    private static void line(String text) {
        Trace.TABLES.line(0, "", text);
    }

    private static String content(Table table) {
        return table.kind() + " of " + table.entries().size();
    }

    private static String shown(TableSpec spec) {
        return switch (spec) {
            case TableSpec.Inline inline -> "static:" + inline.ref().name();
            case TableSpec.File file -> "file:" + file.ref().name() + " (" + file.path() + ')';
        };
    }
}
