package smtpd.stat;

/** Every counter of the daemon. The ordinal is its number on the wire. */
public enum Stat {
    CONTROL_SESSION("control.session", Kind.GAUGE, "open control connections"),

    SMTP_SESSION("smtp.session", Kind.GAUGE, "incoming sessions now"),
    SMTP_SESSION_INET4("smtp.session.inet4", Kind.SUM, "sessions accepted over IPv4"),
    SMTP_SESSION_INET6("smtp.session.inet6", Kind.SUM, "sessions accepted over IPv6"),
    SMTP_SESSION_LOCAL("smtp.session.local", Kind.SUM, "sessions accepted on the local socket"),
    SMTP_KICK("smtp.kick", Kind.SUM, "sessions closed for too many useless commands"),
    SMTP_MESSAGE("smtp.message", Kind.SUM, "messages accepted"),
    SMTP_BYTES("smtp.bytes", Kind.SUM, "bytes of accepted messages"),
    SMTP_RECIPIENT("smtp.recipient", Kind.SUM, "recipients accepted"),
    SMTP_REJECT("smtp.reject", Kind.SUM, "commands and messages refused"),
    SMTP_TIMEOUT("smtp.timeout", Kind.SUM, "sessions closed for silence"),
    SMTP_LIMIT("smtp.limit", Kind.SUM, "connections refused by a limit"),

    LKA_SESSION("lka.session", Kind.GAUGE, "expansions under way"),
    LKA_LOOKUP("lka.lookup", Kind.SUM, "look-ups in tables and the user database"),
    LKA_LOOKUP_FAILED("lka.lookup.failed", Kind.SUM, "look-ups that failed for now"),
    LKA_REFUSED("lka.refused", Kind.SUM, "recipients refused"),
    DNS_QUERY("dns.query", Kind.SUM, "questions to name servers"),
    DNS_CACHED("dns.cached", Kind.SUM, "questions answered from the cache"),
    DNS_FAILED("dns.failed", Kind.SUM, "questions without a usable answer"),

    QUEUE_BOUNCE("queue.bounce", Kind.SUM, "bounce envelopes created"),
    QUEUE_EVPCACHE_SIZE("queue.evpcache.size", Kind.GAUGE, "envelopes in the cache"),
    QUEUE_EVPCACHE_LOAD_HIT("queue.evpcache.load.hit", Kind.SUM, "loads served by the cache"),
    QUEUE_EVPCACHE_LOAD_MISSED("queue.evpcache.load.missed", Kind.SUM, "loads from storage"),
    QUEUE_EVPCACHE_UPDATE_HIT("queue.evpcache.update.hit", Kind.SUM, "updates of cached envelopes"),
    QUEUE_EVPCACHE_UPDATE_MISSED(
            "queue.evpcache.update.missed", Kind.SUM, "updates of envelopes not in the cache"),
    QUEUE_FSYNC("queue.fsync", Kind.SUM, "syncs to disk"),
    QUEUE_DISK_FREE("queue.disk.free", Kind.GAUGE, "free bytes of the spool"),
    QUEUE_INODE_FREE("queue.inode.free", Kind.GAUGE, "free inodes of the spool"),
    QUEUE_MESSAGE_BYTES("queue.message.bytes", Kind.SUM, "bytes of committed content"),
    QUEUE_WALK_FOREIGN("queue.walk.foreign", Kind.SUM, "foreign names met in the spool"),

    SCHEDULER_ENVELOPE("scheduler.envelope", Kind.GAUGE, "envelopes known"),
    SCHEDULER_ENVELOPE_INCOMING(
            "scheduler.envelope.incoming", Kind.GAUGE, "envelopes of uncommitted messages"),
    SCHEDULER_ENVELOPE_INFLIGHT("scheduler.envelope.inflight", Kind.GAUGE, "envelopes with agents"),
    SCHEDULER_ENVELOPE_EXPIRED("scheduler.envelope.expired", Kind.SUM, "envelopes expired"),
    SCHEDULER_ENVELOPE_REMOVED("scheduler.envelope.removed", Kind.SUM, "envelopes removed by hand"),
    SCHEDULER_ENVELOPE_UPDATED("scheduler.envelope.updated", Kind.SUM, "delay notices"),
    SCHEDULER_DELIVERY_OK("scheduler.delivery.ok", Kind.SUM, "attempts that delivered"),
    SCHEDULER_DELIVERY_TEMPFAIL("scheduler.delivery.tempfail", Kind.SUM, "attempts deferred"),
    SCHEDULER_DELIVERY_PERMFAIL(
            "scheduler.delivery.permfail", Kind.SUM, "attempts failed for good"),
    SCHEDULER_DELIVERY_LOOP("scheduler.delivery.loop", Kind.SUM, "loops found"),

    SCHEDULER_RAMQUEUE_ENVELOPE("scheduler.ramqueue.envelope", Kind.GAUGE, "envelopes in memory"),
    SCHEDULER_RAMQUEUE_MESSAGE("scheduler.ramqueue.message", Kind.GAUGE, "messages in memory"),
    SCHEDULER_RAMQUEUE_HOLD("scheduler.ramqueue.hold", Kind.GAUGE, "envelopes held back"),
    SCHEDULER_RAMQUEUE_HOLDQ("scheduler.ramqueue.holdq", Kind.GAUGE, "hold queues"),
    SCHEDULER_RAMQUEUE_HOLD_OVERFLOW(
            "scheduler.ramqueue.hold-overflow", Kind.SUM, "times a hold queue was full"),
    SCHEDULER_INFLIGHT_MTA("scheduler.inflight.mta", Kind.GAUGE, "envelopes with mta"),
    SCHEDULER_INFLIGHT_MDA("scheduler.inflight.mda", Kind.GAUGE, "envelopes with mda"),
    SCHEDULER_INFLIGHT_BOUNCE("scheduler.inflight.bounce", Kind.GAUGE, "failures being reported"),
    SCHEDULER_INFLIGHT_ACK(
            "scheduler.inflight.ack", Kind.GAUGE, "deletions the queue has not confirmed"),
    SCHEDULER_READY_MTA("scheduler.ready.mta", Kind.GAUGE, "envelopes due for mta"),
    SCHEDULER_READY_MDA("scheduler.ready.mda", Kind.GAUGE, "envelopes due for mda"),
    SCHEDULER_READY_BOUNCE("scheduler.ready.bounce", Kind.GAUGE, "failure reports due"),
    SCHEDULER_READY_EXPIRED("scheduler.ready.expired", Kind.GAUGE, "expired, not yet told"),
    SCHEDULER_READY_REMOVED("scheduler.ready.removed", Kind.GAUGE, "removed, not yet told"),
    SCHEDULER_PENDING("scheduler.pending", Kind.GAUGE, "envelopes waiting for their time"),
    SCHEDULER_SUSPENDED("scheduler.suspended", Kind.GAUGE, "envelopes suspended by hand"),
    SCHEDULER_ROUTES("scheduler.routes", Kind.GAUGE, "destinations of the envelopes"),
    SCHEDULER_LAG("scheduler.lag", Kind.GAUGE, "seconds the oldest due envelope waits"),
    SCHEDULER_TURN_COUNT("scheduler.turn.count", Kind.SUM, "turns of the scheduler"),
    SCHEDULER_TURN_MAX("scheduler.turn.max", Kind.GAUGE, "longest turn, microseconds"),
    SCHEDULER_TURN_ROWS("scheduler.turn.rows", Kind.SUM, "envelopes sent to agents"),
    SCHEDULER_DUE_CAPPED(
            "scheduler.due.capped", Kind.SUM, "turns that left due envelopes to the next"),
    SCHEDULER_LIMIT_HIT("scheduler.limit.hit", Kind.SUM, "times max-inflight was reached"),
    SCHEDULER_RELEASE("scheduler.release", Kind.SUM, "envelopes released by agents"),
    SCHEDULER_RELEASE_UNKNOWN(
            "scheduler.release.unknown", Kind.SUM, "releases of keys without envelopes"),
    SCHEDULER_WARNED("scheduler.warned", Kind.SUM, "delay warnings asked for"),
    SCHEDULER_SPREAD("scheduler.spread", Kind.SUM, "overdue tries spread after a restart"),
    SCHEDULER_LOADED("scheduler.loaded", Kind.SUM, "envelopes told again after a restart"),
    SCHEDULER_DUPLICATE("scheduler.duplicate", Kind.SUM, "envelopes told that were known"),
    SCHEDULER_REPAIR("scheduler.repair", Kind.SUM, "results that made no sense any more"),
    SCHEDULER_AGENT_LOST("scheduler.agent-lost", Kind.SUM, "envelopes lost with their agent"),
    SCHEDULER_MEMORY("scheduler.memory", Kind.GAUGE, "bytes of envelope columns and indexes"),

    MTA_SESSION("mta.session", Kind.GAUGE, "outgoing sessions now"),
    MTA_ENVELOPE("mta.envelope", Kind.GAUGE, "envelopes in mta"),
    MTA_TASK("mta.task", Kind.GAUGE, "messages waiting or in progress"),
    MTA_TASK_RUNNING("mta.task.running", Kind.GAUGE, "messages being sent"),
    MTA_RELAY("mta.relay", Kind.GAUGE, "relays known"),
    MTA_ROUTE("mta.route", Kind.GAUGE, "routes known"),
    MTA_CONNECTOR("mta.connector", Kind.GAUGE, "connectors known"),
    MTA_HOST("mta.host", Kind.GAUGE, "hosts known"),
    MTA_DOMAIN("mta.domain", Kind.GAUGE, "domains known"),
    MTA_SOURCE("mta.source", Kind.GAUGE, "local addresses in use"),
    MTA_BYTES("mta.bytes", Kind.SUM, "bytes of content sent"),
    MTA_DUPLICATE_POSSIBLE(
            "mta.duplicate.possible", Kind.SUM, "deaths between acceptance and its record"),
    MTA_CONTENT_FIXED("mta.content.fixed", Kind.SUM, "bare CR and NUL replaced in mail sent"),
    MTA_FALLBACK_HOST("mta.fallback.host", Kind.SUM, "messages moved to the next host of a list"),
    MTA_WINDOW_HALVED("mta.window.halved", Kind.SUM, "times a route was slowed down"),

    MDA_ENVELOPE("mda.envelope", Kind.GAUGE, "envelopes in mda"),
    MDA_PENDING("mda.pending", Kind.GAUGE, "envelopes waiting in mda"),
    MDA_RUNNING("mda.running", Kind.GAUGE, "deliveries running"),
    MDA_USER("mda.user", Kind.GAUGE, "users with work"),
    MDA_HELD("mda.held", Kind.GAUGE, "users above their high water"),
    MDA_STUCK("mda.stuck", Kind.GAUGE, "delivery threads a file system does not let go"),
    MDA_DELIVERY_OK("mda.delivery.ok", Kind.SUM, "local deliveries made"),
    MDA_DELIVERY_TEMPFAIL("mda.delivery.tempfail", Kind.SUM, "local deliveries deferred"),
    MDA_DELIVERY_PERMFAIL("mda.delivery.permfail", Kind.SUM, "local deliveries failed"),
    MDA_DELIVERY_LOOP("mda.delivery.loop", Kind.SUM, "loops found by local delivery"),

    BOUNCE_ENVELOPE("bounce.envelope", Kind.GAUGE, "failures being reported"),
    BOUNCE_MESSAGE("bounce.message", Kind.GAUGE, "notices being composed"),

    IMSG_LATE("imsg.late", Kind.SUM, "answers nobody waits for any more"),
    IMSG_TIMEOUT("imsg.timeout", Kind.SUM, "questions whose answer did not come in time"),
    PROCESS_RESTART("process.restart", Kind.SUM, "processes started anew");

    /** How the values of several incarnations add up. */
    public enum Kind {
        /** Grows only; the values of dead incarnations count on. */
        SUM,
        /** A present value; that of a dead incarnation is void. */
        GAUGE
    }

    private final String key;
    private final Kind kind;
    private final String help;

    Stat(String key, Kind kind, String help) {
        this.key = key;
        this.kind = kind;
        this.help = help;
    }

    public String key() {
        return key;
    }

    public Kind kind() {
        return kind;
    }

    public String help() {
        return help;
    }
}
