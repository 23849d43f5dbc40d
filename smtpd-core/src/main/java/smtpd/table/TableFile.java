package smtpd.table;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * The text of a table file. The line {@code # @list} before the first entry, or else the first
 * entry itself, decides whether it is a list or a mapping; a later line of the other kind is an
 * error. A file with an error yields no content.
 *
 * @param kind what it is
 * @param entries in the order of the text; of a repeated key only the last
 * @param problems errors and warnings by line
 */
public record TableFile(TableKind kind, List<TableEntry> entries, List<Problem> problems) {

    /** Largest file that is read. */
    public static final int MAX_BYTES = 64 << 20;

    private static final int MAX_PROBLEMS = 20;

    /**
     * @param line from 1
     * @param isError false for a warning
     */
    public record Problem(int line, String message, boolean isError) {}

    public TableFile {
        entries = List.copyOf(entries);
        problems = List.copyOf(problems);
    }

    public boolean hasErrors() {
        return problems.stream().anyMatch(Problem::isError);
    }

    /** Reads the bytes of a file. */
    public static TableFile parse(byte[] bytes) {
        return new Reader(new String(bytes, StandardCharsets.UTF_8)).read();
    }

    /** Walks over the lines once. */
    private static final class Reader {
        private final String text;
        private final Map<String, Integer> places = new HashMap<>();
        private final List<TableEntry> entries = new ArrayList<>();
        private final List<Problem> problems = new ArrayList<>();
        private TableKind kind = TableKind.EMPTY;
        private boolean forcedList;
        private int line;

        Reader(String text) {
            this.text = text.startsWith("\ufeff") ? text.substring(1) : text;
        }

        TableFile read() {
            int at = 0;
            while (at < text.length()) {
                int end = text.indexOf('\n', at);
                if (end < 0) {
                    end = text.length();
                }
                line++;
                line(text.substring(at, end).strip());
                at = end + 1;
            }
            return new TableFile(kind, entries, problems);
        }

        private void line(String content) {
            if (content.isEmpty()) {
                return;
            }
            if (content.charAt(0) == '#') {
                if (kind == TableKind.EMPTY && content.substring(1).strip().equals("@list")) {
                    forcedList = true;
                    kind = TableKind.LIST;
                }
                return;
            }
            if (content.indexOf('\0') >= 0) {
                problem("NUL byte in entry", true);
                return;
            }
            TableEntry entry = forcedList ? TableEntry.item(content) : entry(content);
            if (kind == TableKind.EMPTY) {
                kind = entry.value().isPresent() ? TableKind.MAPPING : TableKind.LIST;
            }
            if (kind == TableKind.MAPPING && entry.value().isEmpty()) {
                problem("key without value", true);
            } else if (kind == TableKind.LIST && entry.value().isPresent()) {
                problem("malformed entry: a value in a list", true);
            } else if (entry.key().isEmpty()) {
                problem("malformed entry: empty key", true);
            } else if (entry.key().getBytes(StandardCharsets.UTF_8).length > Table.MAX_KEY) {
                problem("key longer than " + Table.MAX_KEY + " bytes", true);
            } else {
                add(entry);
            }
        }

        private void add(TableEntry entry) {
            Integer before =
                    places.putIfAbsent(entry.key().toLowerCase(Locale.ROOT), entries.size());
            if (before == null) {
                entries.add(entry);
                return;
            }
            entries.set(before, entry);
            problem("duplicate key " + entry.key() + ", the last one counts", false);
        }

        private void problem(String message, boolean isError) {
            if (isError || problems.size() < MAX_PROBLEMS) {
                if (problems.size() < 2 * MAX_PROBLEMS) {
                    problems.add(new Problem(line, message, isError));
                }
            }
        }

        /**
         * Splits key and value. An address is a key even with colons in it, so that {@code ::1
         * localhost} is not an empty key.
         */
        private static TableEntry entry(String content) {
            int blank = firstBlank(content);
            String word = content.substring(0, blank);
            int end = Netaddr.parse(word).isPresent() ? blank : keyEnd(content, blank);
            String rest = content.substring(end).stripLeading();
            if (rest.startsWith(":")) {
                rest = rest.substring(1).stripLeading();
            }
            String key = content.substring(0, end);
            return rest.isEmpty() ? TableEntry.item(key) : TableEntry.pair(key, rest);
        }

        private static int firstBlank(String content) {
            for (int i = 0; i < content.length(); i++) {
                if (content.charAt(i) == ' ' || content.charAt(i) == '\t') {
                    return i;
                }
            }
            return content.length();
        }

        private static int keyEnd(String content, int blank) {
            int from = content.charAt(0) == '[' ? Math.max(0, content.indexOf(']')) : 0;
            int colon = content.indexOf(':', from);
            return colon >= 0 && colon < blank ? colon : blank;
        }
    }

    /** The line and text of the first error, for the log. */
    public Optional<Problem> firstError() {
        return problems.stream().filter(Problem::isError).findFirst();
    }
}
