package smtpd.lka.table;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import smtpd.lka.rule.RuleSet;
import smtpd.table.Lookup;
import smtpd.table.MemoryTable;
import smtpd.table.Service;
import smtpd.table.Table;
import smtpd.table.TableFile;
import smtpd.table.TableKind;
import smtpd.table.TableRef;
import smtpd.table.TableSpec;

/** The tables of one configuration. Belongs to the event loop, but for {@link #load}. */
public final class Tables implements RuleSet.Tables {

    private final Map<TableRef, TableSpec> specs;
    private final Map<TableRef, Table> tables = new HashMap<>();
    private final char delimiter;

    private Tables(Map<TableRef, TableSpec> specs, char delimiter) {
        this.specs = specs;
        this.delimiter = delimiter;
    }

    /**
     * Reads all tables of a configuration.
     *
     * @throws TableError for the first one that cannot be read
     */
    public static Tables read(Map<TableRef, TableSpec> specs, char delimiter) throws TableError {
        Tables read = new Tables(Map.copyOf(specs), delimiter);
        for (TableSpec spec : read.specs.values()) {
            read.tables.put(spec.ref(), load(spec, delimiter));
        }
        return read;
    }

    /**
     * Makes one table; any thread.
     *
     * @throws TableError with file and line
     */
    public static Table load(TableSpec spec, char delimiter) throws TableError {
        long begun = System.nanoTime();
        try {
            Table table = make(spec, delimiter);
            TableTrace.loaded(spec, table, begun);
            return table;
        } catch (TableError e) {
            TableTrace.failed(spec, e);
            throw e;
        }
    }

    private static Table make(TableSpec spec, char delimiter) throws TableError {
        return switch (spec) {
            case TableSpec.Inline inline -> MemoryTable.of(inline, delimiter);
            case TableSpec.File file -> {
                TableFile content = TableFile.parse(bytes(file.path()));
                if (content.hasErrors()) {
                    TableFile.Problem first = content.firstError().orElseThrow();
                    throw new TableError(file.path() + ":" + first.line() + ": " + first.message());
                }
                yield new MemoryTable(file.ref(), content.kind(), content.entries(), delimiter);
            }
        };
    }

    private static byte[] bytes(String path) throws TableError {
        Path file = Path.of(path);
        if (!Files.isRegularFile(file)) {
            throw new TableError(path + ": no regular file");
        }
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(TableFile.MAX_BYTES + 1);
            if (bytes.length > TableFile.MAX_BYTES) {
                throw new TableError(path + ": larger than " + TableFile.MAX_BYTES + " bytes");
            }
            return bytes;
        } catch (IOException e) {
            throw new TableError(path + ": " + e);
        }
    }

    /** The declaration of a table; null when there is none of this name. */
    public TableSpec spec(TableRef ref) {
        return specs.get(ref);
    }

    /** How a table is kept, in the words of a declaration; for traces. */
    public String backend(TableRef ref) {
        return switch (specs.get(ref)) {
            case null -> "none";
            case TableSpec.Inline _ -> "static";
            case TableSpec.File _ -> "file";
        };
    }

    public char delimiter() {
        return delimiter;
    }

    public Collection<TableRef> names() {
        return specs.keySet();
    }

    /** The table; null when there is none of this name. */
    public Table get(TableRef ref) {
        return tables.get(ref);
    }

    /**
     * Puts new content in the place of the old; look-ups under way finish on the old.
     *
     * @throws TableError when a list has become a mapping or the reverse: its uses would all fail
     */
    public void exchange(Table table) throws TableError {
        Table old = tables.get(table.ref());
        TableKind before = old.kind();
        TableKind after = table.kind();
        if (before != after && before != TableKind.EMPTY && after != TableKind.EMPTY) {
            throw new TableError(
                    "table " + table.ref().name() + " has changed from " + before + " to " + after);
        }
        tables.put(table.ref(), table);
        TableTrace.exchanged(specs.get(table.ref()), old, table);
    }

    @Override
    public Lookup find(TableRef ref, Service service, String key) {
        Table table = tables.get(ref);
        return table == null
                ? new Lookup.Failed("no table " + ref.name())
                : table.find(service, key);
    }
}
