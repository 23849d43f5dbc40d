package smtpd.conf;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import smtpd.table.Netaddr;

/** The settings: everything that is neither table, listener nor rule. */
final class SettingStatements {

    static final Duration MIN_EXPIRE = Duration.ofSeconds(60);
    static final Duration MAX_EXPIRE = Duration.ofDays(365);

    private static final int MAX_WARNINGS = 4;
    private static final int MAX_RESOLVERS = 8;

    private SettingStatements() {}

    static void expire(Cursor cursor, Draft draft) throws Refusal {
        Duration expire = Units.delay(cursor, MIN_EXPIRE, MAX_EXPIRE);
        cursor.end();
        draft.setting("expire", cursor.start());
        draft.expire = expire;
    }

    static void warnings(Cursor cursor, Draft draft) throws Refusal {
        List<Duration> delays = new ArrayList<>();
        do {
            Token token = cursor.peek();
            delays.add(Units.delay(cursor));
            if (delays.size() > MAX_WARNINGS) {
                throw new Refusal(token.at(), "at most " + MAX_WARNINGS + " warning delays");
            }
        } while (cursor.accept(Token.Kind.COMMA));
        cursor.end();
        draft.setting("bounce-warn", cursor.start());
        delays.sort(null);
        draft.warnAfter = delays;
    }

    static void maxMessageSize(Cursor cursor, Draft draft) throws Refusal {
        long bytes = Units.size(cursor, 1, 1L << 40);
        cursor.end();
        draft.setting("max-message-size", cursor.start());
        draft.maxMessageBytes = bytes;
    }

    static void maxDeferred(Cursor cursor, Draft draft) throws Refusal {
        long count = Units.count(cursor, 0, 1_000_000);
        cursor.end();
        draft.setting("max-mta-deferred", cursor.start());
        draft.maxMtaDeferred = (int) count;
    }

    static void delimiter(Cursor cursor, Draft draft) throws Refusal {
        Token token = cursor.string("one character");
        String text = token.text();
        if (text.length() != 1
                || text.charAt(0) <= ' '
                || text.charAt(0) > '~'
                || text.charAt(0) == '@') {
            throw new Refusal(
                    token.at(),
                    "sub-address delimiter must be one printable character other than space and"
                            + " @");
        }
        cursor.end();
        draft.setting("subaddressing-delimiter", cursor.start());
        draft.delimiter = text.charAt(0);
    }

    static void queueBackend(Cursor cursor, Draft draft) throws Refusal {
        QueueSettings.Backend backend = choice(cursor, QueueSettings.Backend.class);
        if (backend == QueueSettings.Backend.LOG) {
            throw NotYet.refusal(cursor.start(), "queue backend log");
        }
        draft.setting("queue backend", cursor.start());
        draft.queue = draft.queue.withBackend(backend);
    }

    static void queueSync(Cursor cursor, Draft draft) throws Refusal {
        QueueSettings.Sync sync = choice(cursor, QueueSettings.Sync.class);
        if (sync == QueueSettings.Sync.JOURNAL) {
            throw NotYet.refusal(cursor.start(), "queue sync journal");
        }
        draft.setting("queue sync", cursor.start());
        draft.queue = draft.queue.withSync(sync);
    }

    static void queueInline(Cursor cursor, Draft draft) throws Refusal {
        long bytes = Units.size(cursor, 0, 192 << 10);
        cursor.end();
        draft.setting("queue inline-content", cursor.start());
        draft.queue = draft.queue.withInlineContent(bytes);
    }

    static void queueCache(Cursor cursor, Draft draft) throws Refusal {
        long bytes = Units.size(cursor, 0, 1 << 30);
        cursor.end();
        draft.setting("queue cache", cursor.start());
        draft.queue = draft.queue.withCache(bytes);
    }

    static void queueSpace(Cursor cursor, Draft draft) throws Refusal {
        Token token = cursor.peek();
        QueueSettings.Space space;
        if (token.text().endsWith("%") && token.isString()) {
            cursor.next();
            int percent = RelayUrl.port(token.text().substring(0, token.text().length() - 1));
            if (percent < 1 || percent > 50) {
                throw new Refusal(token.at(), token.shown() + " is out of range: 1% to 50%");
            }
            space = new QueueSettings.Space.Percent(percent);
        } else {
            space = new QueueSettings.Space.Bytes(Units.size(cursor, 16L << 20, 1L << 40));
        }
        cursor.end();
        draft.setting("queue space", cursor.start());
        draft.queue = draft.queue.withSpace(space);
    }

    static void mdaSync(Cursor cursor, Draft draft) throws Refusal {
        MdaSettings.Sync sync = choice(cursor, MdaSettings.Sync.class);
        if (sync == MdaSettings.Sync.GROUP) {
            throw NotYet.refusal(cursor.start(), "mda sync group");
        }
        draft.setting("mda sync", cursor.start());
        draft.mda = new MdaSettings(sync, draft.mda.aliasUser());
    }

    static void aliasUser(Cursor cursor, Draft draft) throws Refusal {
        Token user = cursor.string("a system account");
        if (user.text().isEmpty() || user.text().equals("root")) {
            throw new Refusal(user.at(), "mda alias-user must be an account other than root");
        }
        cursor.end();
        draft.setting("mda alias-user", cursor.start());
        draft.mda = new MdaSettings(draft.mda.sync(), user.text());
    }

    static void resolver(Cursor cursor, Draft draft) throws Refusal {
        draft.setting("resolver", cursor.start());
        List<InetSocketAddress> servers = new ArrayList<>();
        do {
            Token token = cursor.string("an address");
            servers.add(server(token));
            if (servers.size() > MAX_RESOLVERS) {
                throw new Refusal(token.at(), "at most " + MAX_RESOLVERS + " resolvers");
            }
            cursor.accept(Token.Kind.COMMA);
        } while (!cursor.isAtEnd());
        draft.resolvers.clear();
        draft.resolvers.addAll(servers);
    }

    private static InetSocketAddress server(Token token) throws Refusal {
        String text = token.text();
        int close = text.indexOf(']');
        int colon = text.startsWith("[") ? close + 1 : text.indexOf(':');
        boolean bareIpv6 = !text.startsWith("[") && colon >= 0 && text.indexOf(':', colon + 1) >= 0;
        String host =
                bareIpv6 || colon < 0 || colon >= text.length() ? text : text.substring(0, colon);
        int port = 53;
        if (host.length() < text.length()) {
            port = text.charAt(colon) == ':' ? RelayUrl.port(text.substring(colon + 1)) : 0;
        }
        Netaddr address = Netaddr.parseAddress(host).orElse(null);
        if (address == null || port == 0) {
            throw new Refusal(
                    token.at(),
                    "resolver " + token.shown() + ": not an address",
                    "write ADDRESS, ADDRESS:PORT or [IPV6]:PORT");
        }
        try {
            return new InetSocketAddress(InetAddress.getByAddress(address.toBytes()), port);
        } catch (UnknownHostException wrongLength) {
            throw new IllegalStateException(wrongLength);
        }
    }

    /** One word out of the names of an enum, then the end of the line. */
    private static <E extends Enum<E>> E choice(Cursor cursor, Class<E> type) throws Refusal {
        Token token = cursor.peek();
        List<String> words = new ArrayList<>();
        for (E constant : type.getEnumConstants()) {
            words.add(constant.name().toLowerCase(Locale.ROOT));
        }
        if (!token.isString()) {
            throw cursor.unexpected("one of " + String.join(", ", words));
        }
        int index = words.indexOf(token.text());
        if (index < 0) {
            throw new Refusal(
                    token.at(),
                    "unexpected " + token.shown() + " in " + cursor.statement() + " statement",
                    Nearest.suggestionOrList(token.text(), words));
        }
        cursor.next();
        cursor.end();
        return Arrays.asList(type.getEnumConstants()).get(index);
    }
}
