package smtpd.ctl;

/**
 * Every command. A pattern is keywords and parameters: {@code <id>} one message or envelope, {@code
 * <ids>} several of them, {@code <evpid>}, {@code <msgid>}, {@code <number>}, {@code <word>},
 * {@code <words>} one or more.
 */
enum Verb {
    DISCOVER("discover <id>", "take in an envelope or message that was put into the spool"),
    FLUSH("flush", "make plain files of all queued mail", false),
    LOG_BRIEF("log brief", "log no debug lines"),
    LOG_VERBOSE("log verbose", "log debug lines"),
    MONITOR("monitor", "print figures once a second", "in"),
    PAUSE_ENVELOPE("pause envelope <ids>", "suspend envelopes"),
    PAUSE_ENVELOPES("pause envelope all", "suspend all envelopes"),
    PAUSE_MDA("pause mda", "begin no local delivery"),
    PAUSE_MTA("pause mta", "begin no relaying"),
    PAUSE_SMTP("pause smtp", "accept no mail"),
    PROFILE("profile <words>", "measure: imsg, queue"),
    RELOAD("reload", "take a new configuration", false),
    REMOVE("remove <ids>", "remove envelopes from the queue"),
    REMOVE_ALL("remove all", "empty the queue", "y"),
    RESUME_ENVELOPE("resume envelope <ids>", "lift a suspension"),
    RESUME_ENVELOPES("resume envelope all", "lift all suspensions"),
    RESUME_MDA("resume mda", "deliver locally again"),
    RESUME_MTA("resume mta", "relay again"),
    RESUME_SMTP("resume smtp", "accept mail again"),
    RESUME_ROUTE("resume route <number>", "forget the errors of a route"),
    RESUME_ROUTES("resume route all", "forget the errors of all routes"),
    SCHEDULE("schedule <ids>", "try envelopes now"),
    SCHEDULE_ALL("schedule all", "try all envelopes now"),
    SHOW_ENVELOPE("show envelope <evpid>", "print an envelope"),
    SHOW_HOSTS("show hosts", "list remote hosts"),
    SHOW_MESSAGE("show message <id>", "print a message"),
    SHOW_QUEUE("show queue", "list envelopes", "j"),
    SHOW_QUEUE_OF("show queue <msgid>", "list the envelopes of a message", "j"),
    SHOW_RELAYS("show relays", "list relays and their connectors"),
    SHOW_ROUTES("show routes", "list routes"),
    SHOW_STATS("show stats", "print counters", "j"),
    SHOW_STATUS("show status", "tell what is paused"),
    SHOW_HOLDS("show holds", "list hold queues", false),
    SHOW_PROBLEMS("show problems", "list damaged files of the spool", false),
    SHOW_PROCESSES("show processes", "list processes", false),
    SHOW_PROFILE("show profile", "print all measurements", false),
    SHOW_PROFILE_OF("show profile <word>", "print measurements of imsg or queue", false),
    STOP("stop", "stop the daemon"),
    TRACE("trace <words>", "log what a subsystem does"),
    UNCORRUPT("uncorrupt <msgid>", "bring back a message from the corrupt area"),
    UNPROFILE("unprofile <words>", "measure no longer"),
    UNTRACE("untrace <words>", "end a trace"),
    UPDATE_TABLE("update table <word>", "load a table anew");

    private final String pattern;
    private final String help;
    private final String options;
    private final boolean isClassic;

    Verb(String pattern, String help) {
        this(pattern, help, "", true);
    }

    Verb(String pattern, String help, boolean isClassic) {
        this(pattern, help, "", isClassic);
    }

    Verb(String pattern, String help, String options) {
        this(pattern, help, options, true);
    }

    Verb(String pattern, String help, String options, boolean isClassic) {
        this.pattern = pattern;
        this.help = help;
        this.options = options;
        this.isClassic = isClassic;
    }

    String pattern() {
        return pattern;
    }

    String help() {
        return help;
    }

    /** Letters of the options that belong to this command alone. */
    String options() {
        return options;
    }

    /** Its keywords keep the prefixes they had before newer commands came. */
    boolean isClassic() {
        return isClassic;
    }
}
