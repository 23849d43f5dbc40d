package smtpd.lka.rule;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import smtpd.conf.Action;
import smtpd.conf.Condition;
import smtpd.conf.Decision;
import smtpd.conf.Dialect;
import smtpd.conf.Position;
import smtpd.conf.Retry;
import smtpd.conf.Route;
import smtpd.conf.Rule;
import smtpd.conf.TlsPolicy;
import smtpd.imsg.SocketAddr;
import smtpd.mail.MailAddress;
import smtpd.table.Lookup;
import smtpd.table.MemoryTable;
import smtpd.table.Netaddr;
import smtpd.table.Service;
import smtpd.table.TableEntry;
import smtpd.table.TableKind;
import smtpd.table.TableRef;

class RuleSetTest {

    private static final Condition ANYWHERE =
            new Condition.For(Condition.ForKind.ANY, Optional.empty(), false);
    private static final Condition ANYONE =
            new Condition.From(Condition.FromKind.ANY, Optional.empty(), false);
    private static final Action OUT =
            new Action.Remote(
                    "out",
                    new Route.Mx(),
                    TlsPolicy.OPPORTUNISTIC,
                    Optional.empty(),
                    Optional.empty(),
                    Optional.empty(),
                    Optional.empty(),
                    Optional.empty(),
                    Optional.empty(),
                    Retry.DEFAULT);
    private static final LocalNames LOCAL =
            new LocalNames(
                    Set.of("localhost", "mx.here.example", "mx"),
                    Set.of(Netaddr.parse("203.0.113.5").orElseThrow()));

    private List<String> entries = List.of();
    private boolean broken;

    @Test
    void authenticatedClientIsLocalForClassicRulesOnly() {
        Condition local = new Condition.From(Condition.FromKind.LOCAL, Optional.empty(), false);
        assertThat(accepts(Dialect.CLASSIC, authenticated(), local, ANYWHERE)).isTrue();
        assertThat(accepts(Dialect.MODERN, authenticated(), local, ANYWHERE)).isFalse();
        assertThat(accepts(Dialect.CLASSIC, client(), local, ANYWHERE)).isFalse();
    }

    @Test
    void ownAddressesAndForwardedMailAreLocalForBoth() {
        Condition local = new Condition.From(Condition.FromKind.LOCAL, Optional.empty(), false);
        for (Dialect dialect : Dialect.values()) {
            assertThat(accepts(dialect, from(203, 0, 113, 5), local, ANYWHERE)).isTrue();
            assertThat(accepts(dialect, from(127, 9, 9, 9), local, ANYWHERE)).isTrue();
            assertThat(accepts(dialect, internal(client()), local, ANYWHERE)).isTrue();
            assertThat(accepts(dialect, enqueue(), local, ANYWHERE)).isTrue();
        }
    }

    @Test
    void authenticatedClientInASourceTableIsTheWordLocalForClassicRules() {
        entries = List.of("192.0.2.0/24");
        Condition src = src(false);
        Condition notSrc = src(true);
        assertThat(accepts(Dialect.CLASSIC, client(), src, ANYWHERE)).isTrue();
        assertThat(accepts(Dialect.CLASSIC, authenticated(), src, ANYWHERE)).isFalse();
        assertThat(accepts(Dialect.CLASSIC, authenticated(), notSrc, ANYWHERE)).isTrue();
        assertThat(accepts(Dialect.MODERN, authenticated(), src, ANYWHERE)).isTrue();
        entries = List.of("local");
        assertThat(accepts(Dialect.CLASSIC, authenticated(), src, ANYWHERE)).isTrue();
    }

    @Test
    void socketIsLocalEnqueueAlone() {
        Condition socket = new Condition.From(Condition.FromKind.SOCKET, Optional.empty(), false);
        assertThat(accepts(Dialect.MODERN, enqueue(), socket, ANYWHERE)).isTrue();
        assertThat(accepts(Dialect.MODERN, internal(enqueue()), socket, ANYWHERE)).isFalse();
        assertThat(accepts(Dialect.MODERN, authenticated(), socket, ANYWHERE)).isFalse();
    }

    @Test
    void tableThatFailsEndsTheEvaluationNegatedOrNot() {
        broken = true;
        Condition from = new Condition.MailFrom(new TableRef("t"), true);
        Rule first = rule(0, Dialect.CLASSIC, List.of(ANYONE, ANYWHERE, from));
        Rule second = rule(1, Dialect.CLASSIC, List.of(ANYONE, ANYWHERE));
        assertThat(rules(first, second).match(client(), this::find))
                .isInstanceOf(Verdict.Failed.class);
    }

    @Test
    void conditionThatIsFalseSparesTheTablesBehindIt() {
        broken = true;
        Condition local = new Condition.From(Condition.FromKind.LOCAL, Optional.empty(), false);
        Condition from = new Condition.MailFrom(new TableRef("t"), false);
        assertThat(accepts(Dialect.CLASSIC, client(), local, ANYWHERE, from)).isFalse();
    }

    @Test
    void noticesPassANegatedSenderCondition() {
        entries = List.of("@far.example");
        Condition notFrom = new Condition.MailFrom(new TableRef("t"), true);
        Subject notice =
                new Subject(SocketAddr.LOCAL, true, false, "", "local", MailAddress.NULL, dest());
        assertThat(accepts(Dialect.CLASSIC, notice, ANYONE, ANYWHERE, notFrom)).isTrue();
        assertThat(accepts(Dialect.CLASSIC, client(), ANYONE, ANYWHERE, notFrom)).isFalse();
    }

    @Test
    void loginsAreComparedByNameOrAsAddress() {
        entries = List.of("bob");
        Condition auth = new Condition.Auth(Optional.of(new TableRef("t")), false);
        Condition anyAuth = new Condition.Auth(Optional.empty(), false);
        assertThat(accepts(Dialect.MODERN, authenticated(), ANYONE, ANYWHERE, auth)).isTrue();
        assertThat(accepts(Dialect.MODERN, client(), ANYONE, ANYWHERE, auth)).isFalse();
        assertThat(accepts(Dialect.MODERN, authenticated(), ANYONE, ANYWHERE, anyAuth)).isTrue();
        entries = List.of("ann");
        assertThat(accepts(Dialect.MODERN, authenticated(), ANYONE, ANYWHERE, auth)).isFalse();
    }

    @Test
    void withoutAMatchingRuleNothingIsTaken() {
        assertThat(rules().match(enqueue(), this::find)).isInstanceOf(Verdict.Rejected.class);
    }

    private static Condition src(boolean negated) {
        return new Condition.From(Condition.FromKind.SRC, Optional.of(new TableRef("t")), negated);
    }

    private static Subject client() {
        return from(192, 0, 2, 17);
    }

    private static Subject from(int a, int b, int c, int d) {
        byte[] ip = {(byte) a, (byte) b, (byte) c, (byte) d};
        return new Subject(
                new SocketAddr(ip, 25, 0),
                false,
                false,
                "",
                "",
                new MailAddress("zed", "far.example"),
                dest());
    }

    private static Subject authenticated() {
        Subject s = client();
        return new Subject(s.source(), false, true, "bob", "", s.sender(), s.dest());
    }

    private static Subject enqueue() {
        Subject s = client();
        return new Subject(SocketAddr.LOCAL, false, true, "bob", "", s.sender(), s.dest());
    }

    private static Subject internal(Subject s) {
        return new Subject(
                s.source(), true, s.isAuthenticated(), s.username(), s.tag(), s.sender(), s.dest());
    }

    private static MailAddress dest() {
        return new MailAddress("x", "elsewhere.example");
    }

    private boolean accepts(Dialect dialect, Subject subject, Condition... conditions) {
        Rule rule = rule(0, dialect, List.of(conditions));
        return rules(rule).match(subject, this::find) instanceof Verdict.Accepted;
    }

    private static Rule rule(int id, Dialect dialect, List<Condition> conditions) {
        return new Rule(
                id, new Position("conf", 1, 1), dialect, conditions, new Decision.Accept(OUT));
    }

    private RuleSet rules(Rule... rules) {
        return new RuleSet(List.of(rules), LOCAL);
    }

    private Lookup find(TableRef table, Service service, String key) {
        if (broken) {
            return new Lookup.Failed("scripted");
        }
        List<TableEntry> items = new ArrayList<>();
        entries.forEach(entry -> items.add(TableEntry.item(entry)));
        return new MemoryTable(table, TableKind.LIST, items, '+').find(service, key);
    }
}
