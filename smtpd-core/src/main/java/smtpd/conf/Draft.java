package smtpd.conf;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import smtpd.table.TableEntry;
import smtpd.table.TableKind;
import smtpd.table.TableRef;
import smtpd.table.TableSpec;

/** A configuration while its statements are read; mutable, and gone when {@link Config} is made. */
final class Draft {

    static final int MAX_TABLE_NAME = 64;
    static final int MAX_TAG = 32;

    private final ConfigBundle bundle;
    private final Problems problems;
    private final Map<TableRef, TableSpec> tables = new LinkedHashMap<>();
    private final Map<String, Position> tablePositions = new HashMap<>();
    private final List<Missing> missingTables = new ArrayList<>();
    private final Map<String, Position> settings = new HashMap<>();
    private final Map<String, Action> actions = new LinkedHashMap<>();

    final List<Listener> listeners = new ArrayList<>();
    final List<Rule> rules = new ArrayList<>();
    final Map<Limit, Long> limits = new EnumMap<>(Limit.class);
    final Map<String, Map<Limit, Long>> domainLimits = new LinkedHashMap<>();
    final Map<String, Listener.Family> domainFamilies = new HashMap<>();
    final List<InetSocketAddress> resolvers = new ArrayList<>();

    Listener.Family mtaFamily = Listener.Family.ANY;
    Optional<Listener.Socket> socket = Optional.empty();
    Duration expire = Config.DEFAULT_EXPIRE;
    List<Duration> warnAfter = List.of(Duration.ofHours(4));
    long maxMessageBytes = Config.DEFAULT_MAX_MESSAGE_BYTES;
    char delimiter = '+';
    int maxMtaDeferred = Config.DEFAULT_MAX_MTA_DEFERRED;
    QueueSettings queue = QueueSettings.DEFAULT;
    MdaSettings mda = MdaSettings.DEFAULT;

    private record Missing(String name, Position at) {}

    Draft(ConfigBundle bundle, Problems problems) {
        this.bundle = bundle;
        this.problems = problems;
    }

    String mainFile() {
        return bundle.mainFile();
    }

    Problems problems() {
        return problems;
    }

    /** Claims a table name before its content is read, so that one error does not make ten. */
    void claimTable(Token name) throws Refusal {
        String text = name.text();
        if (text.isEmpty() || text.startsWith("<") || text.startsWith("@")) {
            throw new Refusal(name.at(), name.shown() + " is a reserved name");
        }
        if (text.length() > MAX_TABLE_NAME) {
            throw new Refusal(name.at(), "table name longer than " + MAX_TABLE_NAME + " bytes");
        }
        Position before = tablePositions.putIfAbsent(text, name.at());
        if (before != null) {
            throw new Refusal(
                    name.at(),
                    "table " + name.shown() + " already declared at line " + before.line());
        }
    }

    void declare(TableSpec table) {
        tables.put(table.ref(), table);
    }

    /** True for a declared name, even when its declaration was wrong. */
    boolean isTable(String name) {
        return tablePositions.containsKey(name);
    }

    Map<String, Position> tablePositions() {
        return tablePositions;
    }

    Optional<TableSpec> table(TableRef ref) {
        return Optional.ofNullable(tables.get(ref));
    }

    /** Remembers the use of a table that is not declared above; told at the end of the text. */
    void missTable(String name, Position at) {
        missingTables.add(new Missing(name, at));
    }

    /** A list or mapping written in place; equal content is one table. */
    TableRef anonymous(TableKind kind, List<TableEntry> entries) {
        StringBuilder content = new StringBuilder(kind == TableKind.LIST ? "list" : "mapping");
        for (TableEntry entry : entries) {
            content.append('\n').append(entry.key());
            entry.value().ifPresent(value -> content.append('\0').append(value));
        }
        TableRef ref = new TableRef("<" + Hash.sixteen(content.toString()) + ">");
        tables.putIfAbsent(ref, new TableSpec.Inline(ref, kind, entries));
        return ref;
    }

    /** Notes that a setting was made: the last one counts, and a second one is told. */
    void setting(String name, Position at) {
        Position before = settings.put(name, at);
        if (before != null) {
            problems.warn(
                    at, name + " was set at line " + before.line() + " already, this one counts");
        }
    }

    /** Where a setting was made; absent when it was not. */
    Optional<Position> settingAt(String name) {
        return Optional.ofNullable(settings.get(name));
    }

    /** The action of that content: equal ones are one. */
    Action share(Action action) {
        Action before = actions.putIfAbsent(action.name(), action);
        return before != null ? before : action;
    }

    private void reportMissingTables() {
        for (Missing missing : missingTables) {
            Position below = tablePositions.get(missing.name());
            problems.error(
                    missing.at(),
                    "no table called \"" + missing.name() + "\"",
                    below != null
                            ? "it is declared below at line " + below.line() + ", move it up"
                            : Nearest.suggestion(missing.name(), tablePositions.keySet()));
        }
    }

    /** Reports what only the whole text shows, and makes the configuration. */
    Config finish() {
        reportMissingTables();
        Map<String, MtaLimits.ForDomain> byDomain = new LinkedHashMap<>();
        domainLimits.forEach(
                (domain, set) ->
                        byDomain.put(
                                domain,
                                new MtaLimits.ForDomain(
                                        new Limits(set),
                                        domainFamilies.getOrDefault(domain, Listener.Family.ANY))));
        Limits all = new Limits(limits);
        return new Config(
                bundle.configId(),
                bundle.instance(),
                bundle.serverName(),
                listeners,
                socket.orElse(Listener.Socket.DEFAULT),
                tables,
                rules,
                actions,
                expire,
                Config.BOUNCE_EXPIRE,
                warnAfter,
                maxMessageBytes,
                delimiter,
                maxMtaDeferred,
                all,
                new MtaLimits(all, mtaFamily, byDomain),
                Config.InflightShare.DEFAULT,
                queue,
                mda,
                resolvers);
    }
}
