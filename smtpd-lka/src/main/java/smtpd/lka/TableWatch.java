package smtpd.lka;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import smtpd.lka.rule.RuleSet;
import smtpd.log.LogLine;
import smtpd.stat.Stat;
import smtpd.stat.Stats;
import smtpd.table.Lookup;
import smtpd.table.Service;

/** Counts the searches of tables, logs those that failed, and shows all while somebody traces. */
final class TableWatch {

    private static final Logger LOG = LoggerFactory.getLogger(TableWatch.class);

    private final Stats stats;
    private boolean traced;

    TableWatch(Stats stats) {
        this.stats = stats;
    }

    void trace(boolean on) {
        traced = on;
    }

    RuleSet.Tables over(RuleSet.Tables tables) {
        return (table, service, key) -> {
            stats.increment(Stat.LKA_LOOKUP);
            Lookup answer = tables.find(table, service, key);
            if (answer instanceof Lookup.Failed(String why)) {
                stats.increment(Stat.LKA_LOOKUP_FAILED);
                line("lookup-failed", table.name(), service, key).add("error", why).info(LOG);
            } else if (traced) {
                line("lookup", table.name(), service, key)
                        .add("result", shown(service, answer))
                        .info(LOG);
            }
            return answer;
        };
    }

    private static LogLine line(String event, String table, Service service, String key) {
        return LogLine.of("lka", event)
                .add("table", table)
                .add("service", service.title())
                .add("key", key);
    }

    /** Credentials never reach a log. */
    private static String shown(Service service, Lookup answer) {
        return switch (answer) {
            case Lookup.Found(String value) -> service == Service.CREDENTIALS ? "found" : value;
            case Lookup.NotFound _ -> "none";
            case Lookup.Failed(String why) -> why;
        };
    }
}
