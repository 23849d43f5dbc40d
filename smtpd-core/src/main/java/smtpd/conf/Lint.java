package smtpd.conf;

import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import smtpd.table.TableRef;

/** What only the whole configuration shows: contradictions are errors, doubts are warnings. */
final class Lint {

    private final Config config;
    private final Draft draft;
    private final Problems problems;

    private Lint(Config config, Draft draft) {
        this.config = config;
        this.draft = draft;
        this.problems = draft.problems();
    }

    static void check(Config config, Draft draft) {
        Lint lint = new Lint(config, draft);
        lint.settings();
        lint.waters();
        if (!draft.problems().hasErrors() || !config.rules().isEmpty()) {
            lint.rules();
        }
        lint.unusedTables();
    }

    private void settings() {
        boolean fs = config.queue().backend() == QueueSettings.Backend.FS;
        Optional<Position> sync = draft.settingAt("queue sync");
        if (!fs && sync.isPresent()) {
            problems.error(sync.get(), "queue sync needs queue backend fs");
        }
    }

    private void waters() {
        check("limit mda", config.limits(), Limit.MDA_TASK_LOWAT, Limit.MDA_TASK_HIWAT);
        check("limit mta", config.limits(), Limit.MTA_TASK_LOWAT, Limit.MTA_TASK_HIWAT);
        for (String domain : config.mtaLimits().byDomain().keySet()) {
            check(
                    "limit mta for domain " + domain,
                    config.mtaLimits().towards(domain, false),
                    Limit.MTA_TASK_LOWAT,
                    Limit.MTA_TASK_HIWAT);
        }
    }

    private void check(String statement, Limits limits, Limit low, Limit high) {
        if (limits.of(low) >= limits.of(high)) {
            Position at =
                    draft.settingAt(statement + " " + low.key())
                            .or(() -> draft.settingAt(statement + " " + high.key()))
                            .orElse(null);
            if (at != null) {
                problems.error(
                        at,
                        "low water must be below high water",
                        low.key()
                                + " is "
                                + limits.of(low)
                                + ", "
                                + high.key()
                                + " is "
                                + limits.of(high));
            }
        }
    }

    private void rules() {
        List<Rule> rules = config.rules();
        if (rules.isEmpty()) {
            problems.error(
                    new Position(draft.mainFile(), 1, 1), "no rules: nothing would be accepted");
            return;
        }
        for (int i = 0; i < rules.size(); i++) {
            Rule rule = rules.get(i);
            for (int j = 0; j < i; j++) {
                if (covers(rules.get(j), rule)) {
                    problems.warn(
                            rule.at(),
                            "rule can never match because line "
                                    + rules.get(j).at().line()
                                    + " already matches everything it would");
                    break;
                }
            }
            if (isOpenRelay(rule)) {
                problems.warn(
                        rule.at(),
                        "open relay: everybody may send mail to everywhere",
                        "limit it with from, tagged, sender or recipient");
            }
        }
        lintForwards(rules);
    }

    /** True when whatever fulfils {@code later} fulfils {@code earlier} too. */
    private static boolean covers(Rule earlier, Rule later) {
        for (Condition condition : earlier.conditions()) {
            boolean everything = !condition.negated() && isAny(condition);
            boolean same =
                    later.conditions().contains(condition)
                            && (!(condition instanceof Condition.From)
                                    || earlier.dialect() == later.dialect());
            if (!everything && !same) {
                return false;
            }
        }
        return true;
    }

    private static boolean isAny(Condition condition) {
        return switch (condition) {
            case Condition.From from -> from.kind() == Condition.FromKind.ANY;
            case Condition.For to -> to.kind() == Condition.ForKind.ANY;
            default -> false;
        };
    }

    private static boolean isOpenRelay(Rule rule) {
        return rule.decision() instanceof Decision.Accept accept
                && accept.action() instanceof Action.Remote
                && rule.conditions().size() == 2
                && rule.conditions().stream().allMatch(c -> isAny(c) && !c.negated());
    }

    /** Aliases and .forward files that lead outside need a relay rule that local mail matches. */
    private void lintForwards(List<Rule> rules) {
        Rule firstLocal = null;
        for (Rule rule : rules) {
            boolean local =
                    rule.decision() instanceof Decision.Accept accept
                            && accept.action() instanceof Action.Local;
            if (local && firstLocal == null) {
                firstLocal = rule;
            }
            boolean relays =
                    rule.decision() instanceof Decision.Accept accept
                            && accept.action() instanceof Action.Remote;
            boolean takesLocal =
                    rule.conditions().stream()
                            .anyMatch(
                                    c ->
                                            c instanceof Condition.From from
                                                    && !from.negated()
                                                    && from.kind() != Condition.FromKind.SOCKET
                                                    && from.kind() != Condition.FromKind.SRC);
            if (relays && takesLocal) {
                return;
            }
        }
        if (firstLocal != null) {
            problems.warn(
                    firstLocal.at(),
                    "no relay rule matches local mail, so aliases and .forward files cannot lead"
                            + " to other hosts",
                    "add accept for any relay");
        }
    }

    private void unusedTables() {
        Set<String> used = new HashSet<>();
        for (TableUse use : TableUse.of(config)) {
            used.add(use.table().name());
        }
        draft.tablePositions()
                .forEach(
                        (name, at) -> {
                            if (!used.contains(name)
                                    && draft.table(new TableRef(name)).isPresent()) {
                                problems.warn(at, "table \"" + name + "\" is never used");
                            }
                        });
    }
}
