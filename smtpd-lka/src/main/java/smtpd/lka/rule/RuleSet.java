package smtpd.lka.rule;

import java.util.List;
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
    private final Tables tables;

    public RuleSet(List<Rule> rules, LocalNames local, Tables tables) {
        this.rules = List.copyOf(rules);
        this.local = local;
        this.tables = tables;
    }

    /** The first rule that matches decides. */
    public Verdict match(Subject subject) {
        for (Rule rule : rules) {
            switch (matches(rule, subject)) {
                case YES -> {
                    return switch (rule.decision()) {
                        case Decision.Accept(Action action) -> new Verdict.Accepted(rule, action);
                        case Decision.Reject() -> new Verdict.Rejected();
                    };
                }
                case NO -> {}
                case FAILED -> {
                    return new Verdict.Failed("a table of rule " + rule.at() + " failed");
                }
            }
        }
        return new Verdict.Rejected();
    }

    private Outcome matches(Rule rule, Subject subject) {
        for (Condition condition : rule.conditions()) {
            Outcome outcome = holds(condition, rule.dialect(), subject).negate(condition.negated());
            if (outcome != Outcome.YES) {
                return outcome;
            }
        }
        return Outcome.YES;
    }

    private Outcome holds(Condition condition, Dialect dialect, Subject subject) {
        return switch (condition) {
            case Condition.From from -> from(from, dialect, subject);
            case Condition.For to -> to(to, subject.dest());
            case Condition.Tag tag -> find(tag.table(), Service.STRING, subject.tag());
            case Condition.Auth auth -> auth(auth, subject);
            case Condition.MailFrom from ->
                    find(from.table(), Service.MAILADDR, key(subject.sender()));
            case Condition.RcptTo to -> find(to.table(), Service.MAILADDR, key(subject.dest()));
        };
    }

    private Outcome from(Condition.From from, Dialect dialect, Subject subject) {
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
                            from.table().orElseThrow(),
                            Service.NETADDR,
                            keyIsLocal ? LOCAL : text(subject.source()));
        };
    }

    private Outcome to(Condition.For to, MailAddress dest) {
        return switch (to.kind()) {
            case ANY -> Outcome.YES;
            case LOCAL -> Outcome.of(local.isLocalDomain(dest.domain()));
            case DOMAIN -> find(to.table().orElseThrow(), Service.DOMAIN, dest.domain());
        };
    }

    private Outcome auth(Condition.Auth auth, Subject subject) {
        if (auth.table().isEmpty()) {
            return Outcome.of(subject.isAuthenticated());
        }
        if (subject.username().isEmpty()) {
            return Outcome.NO;
        }
        Service service = subject.username().indexOf('@') >= 0 ? Service.MAILADDR : Service.STRING;
        return find(auth.table().get(), service, subject.username());
    }

    private Outcome find(TableRef table, Service service, String key) {
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
