package smtpd.conf;

import java.time.Duration;
import java.util.Optional;
import smtpd.table.Service;
import smtpd.table.TableRef;

/** {@code accept} and {@code reject}: conditions, look-ups, one method, parameters. */
final class RuleStatement {

    private static final Duration MIN_RETRY = Duration.ofSeconds(1);
    private static final Duration MAX_RETRY_BASE = Duration.ofHours(1);
    private static final Duration MAX_RETRY = Duration.ofDays(7);

    private final Draft draft;
    private final Options options = new Options();
    private final ConditionReader conditions;

    private Expansion expansion = new Expansion.None();
    private Optional<Position> expansionAt = Optional.empty();
    private Optional<TableRef> userbase = Optional.empty();
    private Optional<Position> userbaseAt = Optional.empty();
    private Optional<Delivery> delivery = Optional.empty();
    private Optional<String> user = Optional.empty();
    private Optional<RelayReader> relay = Optional.empty();
    private Optional<Duration> ttl = Optional.empty();
    private Retry retry = Retry.DEFAULT;

    private RuleStatement(Draft draft) {
        this.draft = draft;
        this.conditions = new ConditionReader(draft);
        conditions.words(options);
        options.hint("on", "write tagged TAG");
    }

    static void reject(Cursor cursor, Draft draft) throws Refusal {
        Position at = cursor.start();
        RuleStatement rule = new RuleStatement(draft);
        rule.options.read(cursor);
        if (!rule.conditions.hasFrom()) {
            draft.problems()
                    .warn(
                            at,
                            "reject without \"from\" affects only local sessions",
                            "write reject from any ...");
        }
        rule.add(at, new Decision.Reject());
    }

    static void accept(Cursor cursor, Draft draft) throws Refusal {
        Position at = cursor.start();
        RuleStatement rule = new RuleStatement(draft);
        rule.acceptWords();
        rule.options.read(cursor);
        rule.add(at, new Decision.Accept(draft.share(rule.action())));
    }

    private void acceptWords() {
        options.on(
                        "alias",
                        (c, word, negated) -> {
                            expansion = new Expansion.Alias(lookup(c, "alias"));
                            expansionAt = Optional.of(word.at());
                        })
                .on(
                        "virtual",
                        (c, word, negated) -> {
                            expansion = new Expansion.Virtual(lookup(c, "virtual"));
                            expansionAt = Optional.of(word.at());
                        })
                .exclude("alias", "virtual")
                .on(
                        "userbase",
                        (c, word, negated) -> {
                            userbase =
                                    Optional.of(
                                            TableArguments.read(
                                                    c, draft, Service.USERINFO, "userbase"));
                            userbaseAt = Optional.of(word.at());
                        })
                .on("deliver", this::deliver)
                .on("relay", this::relay)
                .on(
                        "forward-only",
                        (c, word, negated) -> delivery = Optional.of(new Delivery.ForwardOnly()))
                .exclude("deliver", "relay", "forward-only")
                .on(
                        "expire",
                        (c, word, negated) ->
                                ttl =
                                        Optional.of(
                                                Units.delay(
                                                        c,
                                                        SettingStatements.MIN_EXPIRE,
                                                        SettingStatements.MAX_EXPIRE)))
                .synonym("ttl", "expire")
                .on("retry", (c, word, negated) -> retry = retry(c))
                .hint("host", "\"host\" belongs to an action; here write relay via URL")
                .hint("action", "\"action\" belongs to match; accept names the method itself")
                .hint("via", "\"via\" must follow \"relay\"")
                .hint("mbox", "write deliver to mbox")
                .hint("maildir", "write deliver to maildir")
                .hint("mda", "write deliver to mda")
                .hint("lmtp", "write deliver to lmtp");
    }

    private TableRef lookup(Cursor cursor, String option) throws Refusal {
        return TableArguments.read(cursor, draft, Service.ALIAS, option);
    }

    private void deliver(Cursor cursor, Token word, boolean negated) throws Refusal {
        DeliverReader reader = new DeliverReader();
        delivery = Optional.of(reader.read(cursor));
        user = reader.user();
        closeConditions();
    }

    private void relay(Cursor cursor, Token word, boolean negated) throws Refusal {
        if (expansionAt.isPresent()) {
            throw new Refusal(
                    expansionAt.get(),
                    "alias/virtual may not be used with relay",
                    "use \"recipient <t>\" to limit which addresses are relayed");
        }
        if (userbaseAt.isPresent()) {
            throw new Refusal(userbaseAt.get(), "userbase may not be used with relay");
        }
        closeConditions();
        RelayReader reader = new RelayReader(draft);
        relay = Optional.of(reader);
        reader.read(cursor, options);
    }

    /** From the method on, only parameters are left. */
    private void closeConditions() {
        for (String word : ConditionReader.keywords()) {
            options.remove(word);
            options.hint(word, "conditions must come before the delivery method");
        }
        for (String word : new String[] {"alias", "virtual", "userbase"}) {
            options.remove(word);
            options.hint(word, "\"" + word + "\" must come before the delivery method");
        }
    }

    private Action action() {
        if (relay.isPresent()) {
            return relay.get().action(ttl, retry);
        }
        Delivery how = delivery.orElse(new Delivery.ExpandOnly());
        Action.Local nameless = new Action.Local("", how, expansion, userbase, user, ttl, retry);
        return new Action.Local(
                ActionText.name(nameless), how, expansion, userbase, user, ttl, retry);
    }

    private void add(Position at, Decision decision) {
        draft.rules.add(
                new Rule(
                        draft.rules.size(),
                        at,
                        Dialect.CLASSIC,
                        conditions.conditions(),
                        decision));
    }

    private static Retry retry(Cursor cursor) throws Refusal {
        Optional<Duration> base = Optional.empty();
        Optional<Duration> max = Optional.empty();
        Optional<Integer> jitter = Optional.empty();
        Position at = cursor.peek().at();
        while (true) {
            Token word = cursor.peek();
            if (word.isWord("base") && base.isEmpty()) {
                cursor.next();
                base = Optional.of(Units.delay(cursor, MIN_RETRY, MAX_RETRY_BASE));
            } else if (word.isWord("max") && max.isEmpty()) {
                cursor.next();
                max = Optional.of(Units.delay(cursor, MIN_RETRY, MAX_RETRY));
            } else if (word.isWord("jitter") && jitter.isEmpty()) {
                cursor.next();
                jitter = Optional.of((int) Units.count(cursor, 0, 50));
            } else {
                break;
            }
        }
        if (base.isEmpty() && max.isEmpty() && jitter.isEmpty()) {
            throw cursor.unexpected("base, max or jitter");
        }
        if (base.isPresent() && max.isPresent() && base.get().compareTo(max.get()) > 0) {
            throw new Refusal(at, "retry base is longer than retry max");
        }
        return new Retry(base, max, jitter);
    }
}
