package smtpd.conf;

import java.net.InetSocketAddress;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import smtpd.table.Netaddr;
import smtpd.table.TableEntry;
import smtpd.table.TableRef;
import smtpd.table.TableSpec;

/**
 * Prints a configuration as canonical modern text, each rule with its source line: what {@code
 * smtpd -nv} shows, and the way from the classic dialect to the modern one. Settings at their
 * default are left out.
 */
public final class ConfigPrinter {

    private final Config config;
    private final StringBuilder text = new StringBuilder(1024);

    private ConfigPrinter(Config config) {
        this.config = config;
    }

    /** The whole configuration, one statement a line. */
    public static String print(Config config) {
        ConfigPrinter printer = new ConfigPrinter(config);
        printer.settings();
        printer.limits();
        printer.tables();
        printer.listeners();
        config.actions().values().forEach(printer::action);
        config.rules().forEach(rule -> printer.line(printer.match(rule) + " # " + rule.at()));
        return printer.text.toString();
    }

    /** One rule of a configuration on one line, with what its action does when that is unnamed. */
    public static String print(Config config, Rule rule) {
        ConfigPrinter printer = new ConfigPrinter(config);
        String match = printer.match(rule);
        if (rule.decision() instanceof Decision.Accept(Action action)
                && action.name().startsWith("@")) {
            match += ' ' + printer.how(action);
        }
        return match + " # " + rule.at();
    }

    private void line(String statement) {
        text.append(statement).append('\n');
    }

    private void settings() {
        if (!config.expire().equals(Config.DEFAULT_EXPIRE)) {
            line("queue ttl " + Units.show(config.expire()));
        }
        if (!config.warnAfter().equals(List.of(java.time.Duration.ofHours(4)))) {
            line(
                    "bounce warn-interval "
                            + String.join(
                                    ", ", config.warnAfter().stream().map(Units::show).toList()));
        }
        if (config.maxMessageBytes() != Config.DEFAULT_MAX_MESSAGE_BYTES) {
            line("smtp max-message-size " + Units.showSize(config.maxMessageBytes()));
        }
        if (config.subAddressDelimiter() != '+') {
            line(
                    "smtp sub-addr-delim "
                            + Scanner.quote(String.valueOf(config.subAddressDelimiter())));
        }
        if (config.maxMtaDeferred() != Config.DEFAULT_MAX_MTA_DEFERRED) {
            line("mta max-deferred " + config.maxMtaDeferred());
        }
        queue(config.queue());
        if (config.mda().sync() != MdaSettings.DEFAULT.sync()) {
            line("mda sync " + word(config.mda().sync()));
        }
        if (!config.mda().aliasUser().equals(MdaSettings.DEFAULT.aliasUser())) {
            line("mda alias-user " + Scanner.quote(config.mda().aliasUser()));
        }
        if (!config.resolvers().isEmpty()) {
            StringBuilder servers = new StringBuilder("resolver");
            for (InetSocketAddress server : config.resolvers()) {
                Netaddr address = Netaddr.ofBytes(server.getAddress().getAddress());
                servers.append(' ')
                        .append(address.isIpv4() ? address.toString() : "[" + address + "]")
                        .append(':')
                        .append(server.getPort());
            }
            line(servers.toString());
        }
    }

    private void queue(QueueSettings queue) {
        QueueSettings usual = QueueSettings.DEFAULT;
        if (queue.backend() != usual.backend()) {
            line("queue backend " + word(queue.backend()));
        }
        if (queue.sync() != usual.sync()) {
            line("queue sync " + word(queue.sync()));
        }
        if (queue.inlineContentBytes() != usual.inlineContentBytes()) {
            line("queue inline-content " + Units.showSize(queue.inlineContentBytes()));
        }
        if (queue.cacheBytes() != usual.cacheBytes()) {
            line("queue cache " + Units.showSize(queue.cacheBytes()));
        }
        if (!queue.space().equals(usual.space())) {
            line(
                    "queue space "
                            + switch (queue.space()) {
                                case QueueSettings.Space.Percent percent -> percent.percent() + "%";
                                case QueueSettings.Space.Bytes bytes ->
                                        Units.showSize(bytes.bytes());
                            });
        }
    }

    private static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    private void limits() {
        for (Limit.Group group : Limit.Group.values()) {
            String keys = keys(group, config.limits());
            if (group == Limit.Group.MTA) {
                keys += family(config.mtaLimits().family());
            }
            if (group == Limit.Group.SCHEDULER
                    && !config.inflightShare().equals(Config.InflightShare.DEFAULT)) {
                Config.InflightShare share = config.inflightShare();
                keys +=
                        " inflight-share mta "
                                + share.mta()
                                + " mda "
                                + share.mda()
                                + " bounce "
                                + share.bounce();
            }
            if (!keys.isEmpty()) {
                line(group.title() + " limit" + keys);
            }
        }
        Map<String, MtaLimits.ForDomain> byDomain =
                new java.util.TreeMap<>(config.mtaLimits().byDomain());
        byDomain.forEach(
                (domain, own) ->
                        line(
                                "mta limit for domain "
                                        + domain
                                        + keys(Limit.Group.MTA, own.limits())
                                        + family(own.family())));
    }

    private static String keys(Limit.Group group, Limits limits) {
        StringBuilder keys = new StringBuilder();
        for (Limit limit : Limit.values()) {
            if (limit.group() == group && limits.isSet(limit)) {
                keys.append(' ').append(limit.key()).append(' ').append(limits.of(limit));
            }
        }
        return keys.toString();
    }

    private static String family(Listener.Family family) {
        return family == Listener.Family.ANY ? "" : " " + word(family);
    }

    private void tables() {
        for (TableSpec table : config.tables().values()) {
            if (!table.ref().isAnonymous()) {
                line(
                        "table "
                                + Scanner.quote(table.ref().name())
                                + " "
                                + switch (table) {
                                    case TableSpec.Inline inline -> braces(inline);
                                    case TableSpec.File file ->
                                            Scanner.quote("file:" + file.path());
                                });
            }
        }
    }

    private static String braces(TableSpec.Inline table) {
        StringBuilder list = new StringBuilder("{ ");
        for (TableEntry entry : table.entries()) {
            list.append(list.length() == 2 ? "" : ", ").append(Scanner.quote(entry.key()));
            entry.value().ifPresent(value -> list.append(" = ").append(Scanner.quote(value)));
        }
        return list.append(" }").toString();
    }

    private void listeners() {
        if (!config.submission().equals(Listener.Socket.DEFAULT)) {
            Listener.Socket socket = config.submission();
            line(
                    "listen on socket"
                            + (socket.tag().isEmpty() ? "" : " tag " + Scanner.quote(socket.tag()))
                            + flags(socket.maskSource(), socket.dsn()));
        }
        for (Listener listener : config.listeners()) {
            line(
                    "listen on "
                            + Scanner.quote(listener.on())
                            + family(listener.family())
                            + " port "
                            + listener.port()
                            + (listener.tag().isEmpty()
                                    ? ""
                                    : " tag " + Scanner.quote(listener.tag()))
                            + listener.hostname()
                                    .map(name -> " hostname " + Scanner.quote(name))
                                    .orElse("")
                            + listener.hostnames().map(t -> " hostnames " + table(t)).orElse("")
                            + flags(listener.maskSource(), listener.dsn()));
        }
    }

    private static String flags(boolean maskSource, boolean dsn) {
        return (maskSource ? " mask-src" : "") + (dsn ? "" : " no-dsn");
    }

    private void action(Action action) {
        line("action \"" + action.name() + "\" " + how(action));
    }

    private String how(Action action) {
        String how = ActionText.of(action);
        for (TableSpec table : config.tables().values()) {
            if (table instanceof TableSpec.Inline inline && table.ref().isAnonymous()) {
                how = how.replace(table.ref().name(), braces(inline));
            }
        }
        return how;
    }

    private String match(Rule rule) {
        StringBuilder match = new StringBuilder("match");
        for (Condition condition : rule.conditions()) {
            match.append(condition.negated() ? " !" : " ").append(condition(condition));
        }
        match.append(
                switch (rule.decision()) {
                    case Decision.Reject reject -> " reject";
                    case Decision.Accept accept -> " action \"" + accept.action().name() + "\"";
                });
        return match.toString();
    }

    private String condition(Condition condition) {
        return switch (condition) {
            case Condition.From from ->
                    "from " + word(from.kind()) + from.table().map(t -> " " + table(t)).orElse("");
            case Condition.For to ->
                    "for " + word(to.kind()) + to.table().map(t -> " " + table(t)).orElse("");
            case Condition.Tag tag -> "tag " + table(tag.table());
            case Condition.Auth auth -> "auth" + auth.table().map(t -> " " + table(t)).orElse("");
            case Condition.MailFrom sender -> "mail-from " + table(sender.table());
            case Condition.RcptTo recipient -> "rcpt-to " + table(recipient.table());
        };
    }

    /** A table written in place is printed in place; a list of one without braces. */
    private String table(TableRef ref) {
        Optional<TableSpec.Inline> inline =
                Optional.ofNullable(config.tables().get(ref))
                        .filter(TableSpec.Inline.class::isInstance)
                        .map(TableSpec.Inline.class::cast);
        if (!ref.isAnonymous() || inline.isEmpty()) {
            return "<" + ref.name() + ">";
        }
        List<TableEntry> entries = inline.get().entries();
        return entries.size() == 1 && entries.getFirst().value().isEmpty()
                ? Scanner.quote(entries.getFirst().key())
                : braces(inline.get());
    }
}
