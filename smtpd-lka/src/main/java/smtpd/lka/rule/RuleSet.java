package smtpd.lka.rule;

import java.util.List;
import java.util.Optional;
import smtpd.conf.Action;
import smtpd.conf.Condition;
import smtpd.conf.Decision;
import smtpd.conf.Dialect;
import smtpd.conf.Rule;
import smtpd.imsg.SocketAddr;
import smtpd.mail.MailAddress;
import smtpd.table.Lookup;
import smtpd.table.Netaddr;
import smtpd.table.Service;
import smtpd.table.TableRef;

/** All rules of one configuration, in its order. */
public final class RuleSet {

    private static final String LOCAL = "local";

    /** Searches a table of the configuration. */
    @FunctionalInterface
    public interface Tables {
        Lookup find(TableRef table, Service service, String key);
    }

    private enum Outcome {
        YES,
        NO,
        FAILED;

        static Outcome of(boolean holds) {
            return holds ? YES : NO;
        }

        Outcome negate(boolean negated) {
            return !negated || this == FAILED ? this : of(this == NO);
        }
    }

    private final List<Rule> rules;
    private final LocalNames local;

    public RuleSet(List<Rule> rules, LocalNames local) {
        this.rules = List.copyOf(rules);
        this.local = local;
    }

    /** The first rule that matches decides. */
    public Verdict match(Subject subject, Tables tables) {
        for (Rule rule : rules) {
            switch (matches(rule, subject, tables)) {
                case YES -> {
                    return switch (rule.decision()) {
                        case Decision.Accept(Action action) -> new Verdict.Accepted(rule, action);
                        case Decision.Reject() -> new Verdict.Rejected(Optional.of(rule));
                    };
                }
                case NO -> {}
                case FAILED -> {
                    return new Verdict.Failed("a table of rule " + rule.at() + " failed");
                }
            }
        }
        return Verdict.Rejected.BY_NO_RULE;
    }

    private Outcome matches(Rule rule, Subject subject, Tables tables) {
        for (Condition condition : rule.conditions()) {
            Outcome outcome =
                    holds(condition, rule.dialect(), subject, tables).negate(condition.negated());
            if (outcome != Outcome.YES) {
                return outcome;
            }
        }
        return Outcome.YES;
    }

    private Outcome holds(Condition condition, Dialect dialect, Subject subject, Tables tables) {
        return switch (condition) {
            case Condition.From from -> from(from, dialect, subject, tables);
            case Condition.For to -> to(to, subject.dest(), tables);
            case Condition.Tag tag -> find(tables, tag.table(), Service.STRING, subject.tag());
            case Condition.Auth auth -> auth(auth, subject, tables);
            case Condition.MailFrom from ->
                    find(tables, from.table(), Service.MAILADDR, key(subject.sender()));
            case Condition.RcptTo to ->
                    find(tables, to.table(), Service.MAILADDR, key(subject.dest()));
        };
    }

    private Outcome from(Condition.From from, Dialect dialect, Subject subject, Tables tables) {
        boolean isEnqueue = subject.source().isLocal();
        boolean keyIsLocal =
                subject.isInternal()
                        || isEnqueue
                        || (dialect == Dialect.CLASSIC && subject.isAuthenticated());
        return switch (from.kind()) {
            case ANY -> Outcome.YES;
            case SOCKET -> Outcome.of(isEnqueue && !subject.isInternal());
            case LOCAL -> Outcome.of(keyIsLocal || local.isOwn(subject.source()));
            case SRC ->
                    find(
                            tables,
                            from.table().orElseThrow(),
                            Service.NETADDR,
                            keyIsLocal ? LOCAL : text(subject.source()));
        };
    }

    private Outcome to(Condition.For to, MailAddress dest, Tables tables) {
        return switch (to.kind()) {
            case ANY -> Outcome.YES;
            case LOCAL -> Outcome.of(local.isLocalDomain(dest.domain()));
            case DOMAIN -> find(tables, to.table().orElseThrow(), Service.DOMAIN, dest.domain());
        };
    }

    private Outcome auth(Condition.Auth auth, Subject subject, Tables tables) {
        if (auth.table().isEmpty()) {
            return Outcome.of(subject.isAuthenticated());
        }
        if (subject.username().isEmpty()) {
            return Outcome.NO;
        }
        Service service = subject.username().indexOf('@') >= 0 ? Service.MAILADDR : Service.STRING;
        return find(tables, auth.table().get(), service, subject.username());
    }

    private static Outcome find(Tables tables, TableRef table, Service service, String key) {
        return switch (tables.find(table, service, key)) {
            case Lookup.Found _ -> Outcome.YES;
            case Lookup.NotFound _ -> Outcome.NO;
            case Lookup.Failed _ -> Outcome.FAILED;
        };
    }

    private static String key(MailAddress address) {
        return address.isNull() ? "@" : address.toString();
    }

    private static String text(SocketAddr address) {
        return Netaddr.ofBytes(address.ip()).toString();
    }
}
