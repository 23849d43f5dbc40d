package smtpd.conf;

/** All statements of the language. What this version does not carry out is refused by name. */
final class Statements {

    private static final Branches QUEUE =
            new Branches()
                    .on("backend", SettingStatements::queueBackend)
                    .on("sync", SettingStatements::queueSync)
                    .on("space", SettingStatements::queueSpace)
                    .on("inline-content", SettingStatements::queueInline)
                    .on("cache", SettingStatements::queueCache)
                    .on("ttl", SettingStatements::expire)
                    .later("compression", "encryption", "materialise", "envelope-fields");

    private static final Branches LIMIT =
            new Branches()
                    .on("session", LimitStatement.of(Limit.Group.SMTP))
                    .on("smtp", LimitStatement.of(Limit.Group.SMTP))
                    .on("mda", LimitStatement.of(Limit.Group.MDA))
                    .on("mta", LimitStatement.of(Limit.Group.MTA))
                    .on("scheduler", LimitStatement.of(Limit.Group.SCHEDULER));

    private static final Branches SMTP =
            new Branches()
                    .on("limit", LimitStatement.of(Limit.Group.SMTP))
                    .on("max-message-size", SettingStatements::maxMessageSize)
                    .on("sub-addr-delim", SettingStatements::delimiter)
                    .later("ciphers", "greet-pause");

    private static final Branches MDA =
            new Branches()
                    .on("limit", LimitStatement.of(Limit.Group.MDA))
                    .on("sync", SettingStatements::mdaSync)
                    .on("alias-user", SettingStatements::aliasUser)
                    .later("wrapper", "sandbox");

    private static final Branches MTA =
            new Branches()
                    .on("limit", LimitStatement.of(Limit.Group.MTA))
                    .on("max-deferred", SettingStatements::maxDeferred)
                    .later("tls-report");

    private static final Branches SCHEDULER =
            new Branches().on("limit", LimitStatement.of(Limit.Group.SCHEDULER));

    private static final Branches BOUNCE =
            new Branches()
                    .on("warn-interval", SettingStatements::warnings)
                    .later("max-size", "copy-to", "double-to");

    static final Branches ALL =
            new Branches()
                    .on("accept", RuleStatement::accept)
                    .on("reject", RuleStatement::reject)
                    .on("listen", ListenStatement::read)
                    .on("table", TableStatement::read)
                    .on("expire", SettingStatements::expire)
                    .on("bounce-warn", SettingStatements::warnings)
                    .on("max-message-size", SettingStatements::maxMessageSize)
                    .on("max-mta-deferred", SettingStatements::maxDeferred)
                    .on("subaddressing-delimiter", SettingStatements::delimiter)
                    .on("resolver", SettingStatements::resolver)
                    .on("queue", QUEUE::read)
                    .on("limit", LIMIT::read)
                    .on("smtp", SMTP::read)
                    .on("mda", MDA::read)
                    .on("mta", MTA::read)
                    .on("scheduler", SCHEDULER::read)
                    .on("bounce", BOUNCE::read)
                    .later(
                            "action",
                            "match",
                            "pki",
                            "ca",
                            "ciphers",
                            "filter",
                            "filterchain",
                            "enqueuer",
                            "proc",
                            "admd",
                            "srs",
                            "chaos",
                            "log",
                            "metrics",
                            "dashboard")
                    .gone("map", "write table NAME file:/path or table NAME { ... }")
                    .gone("size", "write max-message-size")
                    .gone(
                            "hostname",
                            "the server name comes from the mailname file; \"hostname\" is now an"
                                    + " option of listen on");

    private Statements() {}
}
