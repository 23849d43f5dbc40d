package smtpd.table;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * A table whose content is known: written in the configuration or read from a file. Immutable, so
 * that an update swaps the whole table while running look-ups finish on the old one. What a service
 * needs beyond exact search is built when the table is made, not at the first question.
 */
public final class MemoryTable implements Table {

    private final TableRef ref;
    private final TableKind kind;
    private final List<String> entries;
    private final Map<String, String> byKey = new HashMap<>();
    private final Map<Netaddr, String> byAddress = new HashMap<>();
    private final List<String> globs = new ArrayList<>();
    private final AddressSet addresses;
    private final NetworkSet networks;

    /**
     * @param delimiter what separates user and tag in a local part
     */
    public MemoryTable(TableRef ref, TableKind kind, List<TableEntry> content, char delimiter) {
        this.ref = ref;
        this.kind = kind;
        List<String> keys = new ArrayList<>(content.size());
        Set<String> folded = new HashSet<>();
        for (TableEntry entry : content) {
            keys.add(entry.key());
            String key = fold(entry.key());
            folded.add(key);
            String value = entry.value().orElse(entry.key());
            byKey.put(key, value);
            Netaddr.parseAddress(key).ifPresent(address -> byAddress.put(address, value));
            if (Glob.isPattern(key)) {
                globs.add(key);
            }
        }
        this.entries = List.copyOf(keys);
        this.addresses = new AddressSet(folded, delimiter);
        this.networks = new NetworkSet(folded);
    }

    /** The table of a declaration in the configuration. */
    public static MemoryTable of(TableSpec.Inline spec, char delimiter) {
        return new MemoryTable(spec.ref(), spec.kind(), spec.entries(), delimiter);
    }

    @Override
    public TableRef ref() {
        return ref;
    }

    @Override
    public TableKind kind() {
        return kind;
    }

    @Override
    public List<String> entries() {
        return entries;
    }

    @Override
    public Lookup find(Service service, String key) {
        if (isTooLong(key) || key.indexOf('\n') >= 0 || key.indexOf('\r') >= 0) {
            return new Lookup.Failed("key too long or with a line end");
        }
        if (!kind.serves(service.shape())) {
            return new Lookup.Failed("the table is a " + fold(kind.name()));
        }
        String folded = fold(key);
        return switch (service) {
            case DOMAIN -> domain(folded);
            case NETADDR -> network(folded);
            case MAILADDR -> addresses.matches(folded) ? new Lookup.Found(key) : Lookup.NOT_FOUND;
            case ADDRNAME -> answer(Netaddr.parseAddress(folded).map(byAddress::get).orElse(null));
            case ALIAS -> alias(folded);
            case REGEX -> new Lookup.Failed("regular expressions cannot be asked of a list");
            case CREDENTIALS,
                    SOURCE,
                    USERINFO,
                    MAILADDRMAP,
                    RELAYHOST,
                    RELAYHOST_BY_DOMAIN,
                    STRING ->
                    answer(byKey.get(folded));
        };
    }

    private static Lookup answer(String value) {
        return value == null ? Lookup.NOT_FOUND : new Lookup.Found(value);
    }

    private Lookup domain(String name) {
        String exact = byKey.get(name);
        if (exact != null) {
            return new Lookup.Found(name);
        }
        for (String pattern : globs) {
            if (Glob.matches(pattern, name)) {
                return new Lookup.Found(pattern);
            }
        }
        return Lookup.NOT_FOUND;
    }

    /** Equal text first, which also finds the word {@code local}. */
    private Lookup network(String key) {
        if (byKey.containsKey(key)) {
            return new Lookup.Found(key);
        }
        return Netaddr.parseAddress(key).filter(networks::contains).isPresent()
                ? new Lookup.Found(key)
                : Lookup.NOT_FOUND;
    }

    private Lookup alias(String key) {
        String value = byKey.get(key);
        return value == null ? Lookup.NOT_FOUND : new Lookup.Found(withoutComment(value));
    }

    /** An unquoted {@code #} behind a blank ends the value. */
    private static String withoutComment(String value) {
        char quote = 0;
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c == '\\') {
                i++;
            } else if (quote != 0) {
                quote = c == quote ? 0 : quote;
            } else if (c == '"' || c == '\'') {
                quote = c;
            } else if (c == '#' && (i == 0 || value.charAt(i - 1) <= ' ')) {
                return value.substring(0, i).stripTrailing();
            }
        }
        return value;
    }

    private static boolean isTooLong(String key) {
        return key.length() > MAX_KEY
                || (key.length() > MAX_KEY / 3
                        && key.getBytes(StandardCharsets.UTF_8).length > MAX_KEY);
    }

    private static String fold(String text) {
        return text.toLowerCase(Locale.ROOT);
    }
}
