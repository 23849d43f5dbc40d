package smtpd.conf;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What follows {@code limit GROUP} or {@code GROUP limit}: keys and values. */
final class LimitStatement {

    private static final List<String> MTA_LATER =
            List.of(
                    "rate-domain",
                    "rate-provider",
                    "rate-host",
                    "rate-source",
                    "max-conn-per-provider",
                    "max-line",
                    "dane",
                    "sts",
                    "chunking",
                    "auth-plain-local",
                    "tls-retry",
                    "8bit");

    private static final List<String> SCHEDULER_LATER = List.of("inflight-share", "bulk-threshold");

    private LimitStatement() {}

    static Branches.Reader of(Limit.Group group) {
        return (cursor, draft) -> {
            switch (group) {
                case MTA -> mta(cursor, draft);
                case SCHEDULER -> scheduler(cursor, draft);
                case SMTP, MDA -> keys(cursor, draft, group, draft.limits, "");
            }
        };
    }

    private static void mta(Cursor cursor, Draft draft) throws Refusal {
        if (!cursor.acceptWord("for")) {
            keys(cursor, draft, Limit.Group.MTA, draft.limits, "");
            return;
        }
        if (cursor.peek().isWord("provider")) {
            throw NotYet.refusal(cursor.peek().at(), "limit mta for provider");
        }
        if (!cursor.acceptWord("domain")) {
            throw cursor.unexpected("\"domain\"");
        }
        String domain = ListenStatement.hostName(cursor).toLowerCase(Locale.ROOT);
        Map<Limit, Long> own =
                draft.domainLimits.computeIfAbsent(domain, d -> new EnumMap<>(Limit.class));
        keys(cursor, draft, Limit.Group.MTA, own, domain);
    }

    private static void scheduler(Cursor cursor, Draft draft) throws Refusal {
        keys(cursor, draft, Limit.Group.SCHEDULER, draft.limits, "");
    }

    /**
     * @param domain overlay for this domain; empty: general
     */
    private static void keys(
            Cursor cursor, Draft draft, Limit.Group group, Map<Limit, Long> into, String domain)
            throws Refusal {
        if (cursor.isAtEnd()) {
            throw cursor.unexpected("a limit");
        }
        while (!cursor.isAtEnd()) {
            Token key = cursor.string("a limit");
            if (group == Limit.Group.MTA && readFamily(key, draft, domain)) {
                continue;
            }
            if (group == Limit.Group.MTA && MTA_LATER.contains(key.text())) {
                throw NotYet.refusal(key.at(), "limit mta " + key.text());
            }
            if (group == Limit.Group.SCHEDULER && SCHEDULER_LATER.contains(key.text())) {
                throw NotYet.refusal(key.at(), "limit scheduler " + key.text());
            }
            Limit limit = find(group, key);
            into.put(limit, Units.count(cursor, limit.min(), limit.max()));
            draft.setting(
                    "limit "
                            + group.title()
                            + (domain.isEmpty() ? "" : " for domain " + domain)
                            + " "
                            + key.text(),
                    key.at());
        }
    }

    private static boolean readFamily(Token key, Draft draft, String domain) {
        Listener.Family family =
                key.isWord("inet4")
                        ? Listener.Family.INET4
                        : key.isWord("inet6") ? Listener.Family.INET6 : Listener.Family.ANY;
        if (family == Listener.Family.ANY) {
            return false;
        }
        if (domain.isEmpty()) {
            draft.setting("limit mta family", key.at());
            draft.mtaFamily = family;
        } else {
            draft.domainFamilies.put(domain, family);
        }
        return true;
    }

    private static Limit find(Limit.Group group, Token key) throws Refusal {
        List<String> keys = new ArrayList<>();
        for (Limit limit : Limit.values()) {
            if (limit.group() == group) {
                if (limit.key().equals(key.text())) {
                    return limit;
                }
                keys.add(limit.key());
            }
        }
        throw new Refusal(
                key.at(),
                "unknown limit " + key.shown(),
                Nearest.suggestionOrList(key.text(), keys));
    }
}
