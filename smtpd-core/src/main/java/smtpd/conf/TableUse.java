package smtpd.conf;

import java.util.ArrayList;
import java.util.List;
import smtpd.table.Service;
import smtpd.table.TableRef;

/**
 * One use of a table: whatever holds its content must be able to answer this.
 *
 * @param option words of the statement, for messages
 */
public record TableUse(TableRef table, Service service, String option, Position at) {

    /** All uses in a configuration, in the order of the text. */
    public static List<TableUse> of(Config config) {
        List<TableUse> uses = new ArrayList<>();
        for (Listener listener : config.listeners()) {
            listener.hostnames()
                    .ifPresent(
                            t ->
                                    uses.add(
                                            new TableUse(
                                                    t,
                                                    Service.ADDRNAME,
                                                    "hostnames",
                                                    listener.at())));
        }
        for (Rule rule : config.rules()) {
            for (Condition condition : rule.conditions()) {
                ofCondition(uses, condition, rule.at());
            }
            if (rule.decision() instanceof Decision.Accept accept) {
                ofAction(uses, accept.action(), rule.at());
            }
        }
        return uses;
    }

    private static void ofCondition(List<TableUse> uses, Condition condition, Position at) {
        switch (condition) {
            case Condition.From from ->
                    from.table()
                            .ifPresent(
                                    t ->
                                            uses.add(
                                                    new TableUse(
                                                            t,
                                                            Service.NETADDR,
                                                            "from source",
                                                            at)));
            case Condition.For to ->
                    to.table()
                            .ifPresent(
                                    t ->
                                            uses.add(
                                                    new TableUse(
                                                            t, Service.DOMAIN, "for domain", at)));
            case Condition.Tag tag ->
                    uses.add(new TableUse(tag.table(), Service.STRING, "tagged", at));
            case Condition.Auth auth ->
                    auth.table()
                            .ifPresent(t -> uses.add(new TableUse(t, Service.STRING, "auth", at)));
            case Condition.MailFrom sender ->
                    uses.add(new TableUse(sender.table(), Service.MAILADDR, "sender", at));
            case Condition.RcptTo recipient ->
                    uses.add(new TableUse(recipient.table(), Service.MAILADDR, "recipient", at));
        }
    }

    private static void ofAction(List<TableUse> uses, Action action, Position at) {
        switch (action) {
            case Action.Local local -> {
                switch (local.expansion()) {
                    case Expansion.None none -> {}
                    case Expansion.Alias alias ->
                            uses.add(new TableUse(alias.table(), Service.ALIAS, "alias", at));
                    case Expansion.Virtual virtual ->
                            uses.add(new TableUse(virtual.table(), Service.ALIAS, "virtual", at));
                }
                local.userbase()
                        .ifPresent(
                                t -> uses.add(new TableUse(t, Service.USERINFO, "userbase", at)));
            }
            case Action.Remote remote -> {
                switch (remote.route()) {
                    case Route.Mx mx -> {}
                    case Route.Backup backup -> {}
                    case Route.Host host -> {}
                    case Route.Hosts hosts ->
                            uses.add(
                                    new TableUse(
                                            hosts.table(), Service.RELAYHOST, "relay via", at));
                    case Route.ByDomain domain ->
                            uses.add(
                                    new TableUse(
                                            domain.table(),
                                            Service.RELAYHOST_BY_DOMAIN,
                                            "relay via",
                                            at));
                }
                remote.auth()
                        .ifPresent(t -> uses.add(new TableUse(t, Service.CREDENTIALS, "auth", at)));
                remote.source()
                        .ifPresent(t -> uses.add(new TableUse(t, Service.SOURCE, "source", at)));
                remote.heloTable()
                        .ifPresent(
                                t -> uses.add(new TableUse(t, Service.ADDRNAME, "hostnames", at)));
            }
        }
    }
}
