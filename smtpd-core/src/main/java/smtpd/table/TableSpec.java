package smtpd.table;

import java.util.List;

/** A table as the configuration declares it. */
public sealed interface TableSpec {

    TableRef ref();

    /**
     * Content written in the configuration.
     *
     * @param kind list or mapping, never empty
     */
    record Inline(TableRef ref, TableKind kind, List<TableEntry> entries) implements TableSpec {
        public Inline {
            entries = List.copyOf(entries);
        }
    }

    /**
     * Content of a file, read whole by lka.
     *
     * @param path absolute path
     */
    record File(TableRef ref, String path) implements TableSpec {}
}
