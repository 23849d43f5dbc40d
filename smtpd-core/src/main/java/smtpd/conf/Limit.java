package smtpd.conf;

import java.util.Locale;

/**
 * Every limit the configuration can set, one definition each: key, default, range, unit. {@code
 * limit GROUP KEY VALUE} in the classic dialect, {@code GROUP limit KEY VALUE} in the modern one.
 */
public enum Limit {
    SMTP_MAX_RCPT(Group.SMTP, "max-rcpt", 1000, 1, 1_000_000),
    SMTP_MAX_MAILS(Group.SMTP, "max-mails", 100, 1, 1_000_000),
    SMTP_MAX_SESSION_PER_HOST(Group.SMTP, "max-session-per-host", 100, 0, 65535),

    MDA_MAX_SESSION(Group.MDA, "max-session", 50, 1, 10_000),
    MDA_MAX_SESSION_PER_USER(Group.MDA, "max-session-per-user", 7, 1, 10_000),
    MDA_TASK_HIWAT(Group.MDA, "task-hiwat", 50, 1, 1_000_000),
    MDA_TASK_LOWAT(Group.MDA, "task-lowat", 30, 0, 1_000_000),
    MDA_TASK_RELEASE(Group.MDA, "task-release", 10, 1, 1_000_000),

    MTA_MAX_CONN_PER_HOST(Group.MTA, "max-conn-per-host", 10, 0, 10_000),
    MTA_MAX_CONN_PER_ROUTE(Group.MTA, "max-conn-per-route", 5, 0, 10_000),
    MTA_MAX_CONN_PER_SOURCE(Group.MTA, "max-conn-per-source", 100, 0, 10_000),
    MTA_MAX_CONN_PER_CONNECTOR(Group.MTA, "max-conn-per-connector", 20, 0, 10_000),
    MTA_MAX_CONN_PER_RELAY(Group.MTA, "max-conn-per-relay", 100, 0, 10_000),
    MTA_MAX_CONN_PER_DOMAIN(Group.MTA, "max-conn-per-domain", 100, 0, 10_000),
    MTA_CONN_DELAY_HOST(Group.MTA, "conn-delay-host", 0, 0, 86_400, Unit.SECONDS),
    MTA_CONN_DELAY_ROUTE(Group.MTA, "conn-delay-route", 5, 0, 86_400, Unit.SECONDS),
    MTA_CONN_DELAY_SOURCE(Group.MTA, "conn-delay-source", 0, 0, 86_400, Unit.SECONDS),
    MTA_CONN_DELAY_CONNECTOR(Group.MTA, "conn-delay-connector", 0, 0, 86_400, Unit.SECONDS),
    MTA_CONN_DELAY_RELAY(Group.MTA, "conn-delay-relay", 2, 0, 86_400, Unit.SECONDS),
    MTA_CONN_DELAY_DOMAIN(Group.MTA, "conn-delay-domain", 0, 0, 86_400, Unit.SECONDS),
    MTA_RECONN_DELAY_ROUTE(Group.MTA, "reconn-delay-route", 3, 0, 86_400, Unit.SECONDS),
    MTA_SESSION_MAIL_MAX(Group.MTA, "session-mail-max", 100, 1, 1_000_000),
    MTA_SESSION_RCPT_MAX(Group.MTA, "session-rcpt-max", 100, 1, 1000),
    MTA_SESSION_TRANSACTION_DELAY(
            Group.MTA, "session-transaction-delay", 0, 0, 86_400, Unit.SECONDS),
    MTA_SESSION_KEEPALIVE(Group.MTA, "session-keepalive", 10, 0, 86_400, Unit.SECONDS),
    MTA_MAX_FAILURES_PER_SESSION(Group.MTA, "max-failures-per-session", 25, 0, 1_000_000),
    MTA_TASK_HIWAT(Group.MTA, "task-hiwat", 50, 1, 1_000_000),
    MTA_TASK_LOWAT(Group.MTA, "task-lowat", 30, 0, 1_000_000),
    MTA_TASK_RELEASE(Group.MTA, "task-release", 10, 1, 1_000_000),
    MTA_ADAPTIVE(Group.MTA, "adaptive", 1, 0, 1),
    MTA_SHARE(Group.MTA, "share", 1, 0, 1),

    SCHEDULER_MAX_INFLIGHT(Group.SCHEDULER, "max-inflight", 5000, 10, 1_000_000),
    SCHEDULER_MAX_SCHEDULE(Group.SCHEDULER, "max-schedule", 10, 1, 1000),
    SCHEDULER_MAX_EVP_BATCH_SIZE(Group.SCHEDULER, "max-evp-batch-size", 256, 1, 4096),
    SCHEDULER_MAX_MSG_BATCH_SIZE(Group.SCHEDULER, "max-msg-batch-size", 1024, 1, 16_384),
    SCHEDULER_MAX_HOLD_QUEUE(Group.SCHEDULER, "max-hold-queue", 1000, 0, 1_000_000),
    SCHEDULER_MAX_DUE(Group.SCHEDULER, "max-due", 1024, 64, 65_536),
    SCHEDULER_BULK_THRESHOLD(Group.SCHEDULER, "bulk-threshold", 16, 1, 1000);

    /** The process a limit belongs to; the classic word for SMTP is {@code session}. */
    public enum Group {
        SMTP,
        MDA,
        MTA,
        SCHEDULER;

        String title() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** What a value counts. */
    public enum Unit {
        COUNT,
        SECONDS
    }

    private final Group group;
    private final String key;
    private final long byDefault;
    private final long min;
    private final long max;
    private final Unit unit;

    Limit(Group group, String key, long byDefault, long min, long max) {
        this(group, key, byDefault, min, max, Unit.COUNT);
    }

    Limit(Group group, String key, long byDefault, long min, long max, Unit unit) {
        this.group = group;
        this.key = key;
        this.byDefault = byDefault;
        this.min = min;
        this.max = max;
        this.unit = unit;
    }

    public Group group() {
        return group;
    }

    /** The word of the configuration. */
    public String key() {
        return key;
    }

    public long byDefault() {
        return byDefault;
    }

    public long min() {
        return min;
    }

    public long max() {
        return max;
    }

    public Unit unit() {
        return unit;
    }

    /** Name in counters and listings: {@code mta.max-conn-per-host}. */
    public String title() {
        return group.title() + "." + key;
    }
}
