package smtpd.lka;

import java.util.HashMap;
import java.util.Map;
import smtpd.conf.Action;
import smtpd.conf.Config;
import smtpd.conf.Decision;
import smtpd.conf.Dialect;
import smtpd.conf.Route;
import smtpd.conf.Rule;
import smtpd.lka.rule.LocalNames;
import smtpd.lka.rule.RuleSet;
import smtpd.lka.table.TableError;
import smtpd.lka.table.Tables;
import smtpd.table.TableRef;

/**
 * One configuration made ready for use.
 *
 * @param watch sees each search, for the counters and the trace
 * @param names resolver of this configuration
 * @param relayDialects in which dialect the URLs of a table are written
 */
record Site(
        Config config,
        Tables tables,
        TableWatch watch,
        RuleSet rules,
        Names names,
        Map<TableRef, Dialect> relayDialects) {

    /**
     * Reads all tables; any thread.
     *
     * @param watch sees each search, for the counters and the trace
     * @throws TableError for a table that cannot be read
     */
    static Site of(Config config, Names names, TableWatch watch) throws TableError {
        Tables tables = Tables.read(config.tables(), config.subAddressDelimiter());
        RuleSet rules = new RuleSet(config.rules(), LocalNames.of(config.serverName()));
        return new Site(config, tables, watch, rules, names, dialects(config));
    }

    /** The tables as one session searches them. */
    RuleSet.Tables watched(long session) {
        return watch.over(tables, session);
    }

    private static Map<TableRef, Dialect> dialects(Config config) {
        Map<TableRef, Dialect> dialects = new HashMap<>();
        for (Rule rule : config.rules()) {
            if (rule.decision() instanceof Decision.Accept(Action.Remote remote)) {
                switch (remote.route()) {
                    case Route.Hosts(TableRef table) -> dialects.put(table, rule.dialect());
                    case Route.ByDomain(TableRef table) -> dialects.put(table, rule.dialect());
                    default -> {}
                }
            }
        }
        return Map.copyOf(dialects);
    }
}
