package smtpd.lka;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import smtpd.lka.rule.RuleSet;
import smtpd.lka.table.Tables;
import smtpd.lka.table.UserAnswer;
import smtpd.lka.table.Userbase;
import smtpd.log.LogLine;
import smtpd.log.Trace;
import smtpd.stat.Stat;
import smtpd.stat.Stats;
import smtpd.table.Lookup;
import smtpd.table.Service;
import smtpd.table.TableRef;

/**
 * Counts the searches of tables, logs those that failed, and shows all to {@code trace lookup}.
 *
 * <p>Keys and values are those of mails; credentials never reach a log.
 */
final class TableWatch {

    private static final Logger LOG = LoggerFactory.getLogger(TableWatch.class);

    private final Stats stats;

    TableWatch(Stats stats) {
        this.stats = stats;
    }

    /**
     * The tables as one session searches them.
     *
     * @param session for log and trace, 0 for none
     */
    RuleSet.Tables over(Tables tables, long session) {
        return (table, service, key) -> {
            stats.increment(Stat.LKA_LOOKUP);
            Lookup answer = tables.find(table, service, key);
            if (answer instanceof Lookup.Failed(String why)) {
                stats.increment(Stat.LKA_LOOKUP_FAILED);
                LogLine.of(session, "lka", "lookup-failed")
                        .add("table", table.name())
                        .add("service", service.title())
                        .add("key", key)
                        .add("error", why)
                        .info(LOG);
            }
            if (Trace.LOOKUP.isOn()) {
                searched(session, tables.backend(table), table, service, key, answer);
            }
            return answer;
        };
    }

    private static void searched(
            long session,
            String backend,
            TableRef table,
            Service service,
            String key,
            Lookup answer) {
        boolean isMatch = service.shape() != Service.Shape.MAPPING;
        String result =
                switch (answer) {
                    case Lookup.Failed(String why) -> "error: " + why;
                    case Lookup.NotFound _ -> isMatch ? "false" : "none";
                    case Lookup.Found _ when service == Service.CREDENTIALS -> "[redacted]";
                    case Lookup.Found(String value) -> isMatch ? "true" : '"' + value + '"';
                };
        Trace.LOOKUP.line(
                session,
                "",
                (isMatch ? "match \"" : "lookup \"")
                        + key
                        + "\" as "
                        + service.title()
                        + " in table "
                        + backend
                        + ':'
                        + table.name()
                        + " -> "
                        + result);
    }

    /** A whole list was taken. */
    void fetched(long session, Tables tables, TableRef table, Service service, int entries) {
        if (Trace.LOOKUP.isOn()) {
            Trace.LOOKUP.line(
                    session,
                    "",
                    "fetch "
                            + service.title()
                            + " from table "
                            + tables.backend(table)
                            + ':'
                            + table.name()
                            + " -> "
                            + (entries == 0 ? "none" : entries + " entries"));
        }
    }

    /** The system's user database answered; tables of users are seen as tables. */
    void user(long session, String name, UserAnswer answer) {
        String result =
                switch (answer) {
                    case UserAnswer.Found(String _, int uid, int gid, String home) ->
                            '"'
                                    + Integer.toUnsignedString(uid)
                                    + ':'
                                    + Integer.toUnsignedString(gid)
                                    + ':'
                                    + home
                                    + '"';
                    case UserAnswer.Missing _ -> "none";
                    case UserAnswer.Failed(String why) -> "error: " + why;
                };
        Trace.LOOKUP.line(
                session,
                "",
                "lookup \""
                        + name
                        + "\" as userinfo in table getpwnam:"
                        + Userbase.SYSTEM.name()
                        + " -> "
                        + result);
    }
}
