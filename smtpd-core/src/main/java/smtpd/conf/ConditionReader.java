package smtpd.conf;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import smtpd.table.Service;
import smtpd.table.TableRef;

/** The conditions of {@code accept} and {@code reject}. */
final class ConditionReader {

    private final Draft draft;

    private Optional<Condition.From> from = Optional.empty();
    private Optional<Condition.For> destination = Optional.empty();
    private Optional<Condition> tag = Optional.empty();
    private Optional<Condition> auth = Optional.empty();
    private Optional<Condition> sender = Optional.empty();
    private Optional<Condition> recipient = Optional.empty();

    ConditionReader(Draft draft) {
        this.draft = draft;
    }

    /** Adds the words of the conditions. */
    void words(Options options) {
        options.condition("tagged", this::tagged)
                .synonym("tag", "tagged")
                .condition(
                        "authenticated",
                        (c, word, negated) ->
                                auth = Optional.of(new Condition.Auth(Optional.empty(), negated)))
                .condition("from", this::from)
                .condition(
                        "sender",
                        (c, word, before) -> {
                            boolean negated = negated(c, before);
                            sender =
                                    Optional.of(
                                            new Condition.MailFrom(
                                                    table(c, Service.MAILADDR, "sender"), negated));
                        })
                .synonym("mail-from", "sender")
                .condition("for", this::destination)
                .condition(
                        "recipient",
                        (c, word, before) -> {
                            boolean negated = negated(c, before);
                            recipient =
                                    Optional.of(
                                            new Condition.RcptTo(
                                                    table(c, Service.MAILADDR, "recipient"),
                                                    negated));
                        })
                .synonym("rcpt-to", "recipient");
    }

    static List<String> keywords() {
        return List.of(
                "tagged",
                "tag",
                "authenticated",
                "from",
                "sender",
                "mail-from",
                "for",
                "recipient",
                "rcpt-to");
    }

    boolean hasFrom() {
        return from.isPresent();
    }

    /** In the order of evaluation; what was not written is local. */
    List<Condition> conditions() {
        List<Condition> all = new ArrayList<>();
        tag.ifPresent(all::add);
        all.add(from.orElse(new Condition.From(Condition.FromKind.LOCAL, Optional.empty(), false)));
        all.add(
                destination.orElse(
                        new Condition.For(Condition.ForKind.LOCAL, Optional.empty(), false)));
        auth.ifPresent(all::add);
        sender.ifPresent(all::add);
        recipient.ifPresent(all::add);
        return all;
    }

    private void tagged(Cursor cursor, Token word, boolean before) throws Refusal {
        boolean negated = negated(cursor, before);
        Token at = cursor.peek();
        ListenStatement.tag(cursor);
        tag =
                Optional.of(
                        new Condition.Tag(
                                TableArguments.literal(draft, at, Service.STRING, "tagged"),
                                negated));
    }

    private void from(Cursor cursor, Token word, boolean before) throws Refusal {
        boolean negated = negated(cursor, before);
        if (cursor.acceptWord("any")) {
            if (negated) {
                draft.problems().warn(word.at(), "\"from ! any\" never matches");
            }
            from =
                    Optional.of(
                            new Condition.From(Condition.FromKind.ANY, Optional.empty(), negated));
        } else if (cursor.acceptWord("local")) {
            from =
                    Optional.of(
                            new Condition.From(
                                    Condition.FromKind.LOCAL, Optional.empty(), negated));
        } else {
            if (cursor.peek().isWord("src")) {
                draft.problems()
                        .warn(
                                cursor.peek().at(),
                                "\"src\" is the other dialect's word",
                                "write \"source\"");
                cursor.next();
            } else {
                cursor.acceptWord("source");
            }
            TableRef table = table(cursor, Service.NETADDR, "from source");
            from =
                    Optional.of(
                            new Condition.From(
                                    Condition.FromKind.SRC, Optional.of(table), negated));
        }
    }

    private void destination(Cursor cursor, Token word, boolean before) throws Refusal {
        boolean negated = negated(cursor, before);
        if (cursor.acceptWord("any")) {
            if (negated) {
                draft.problems().warn(word.at(), "\"for ! any\" never matches");
            }
            destination =
                    Optional.of(
                            new Condition.For(Condition.ForKind.ANY, Optional.empty(), negated));
        } else if (cursor.acceptWord("local")) {
            destination =
                    Optional.of(
                            new Condition.For(Condition.ForKind.LOCAL, Optional.empty(), negated));
        } else if (cursor.acceptWord("domain")) {
            TableRef table = table(cursor, Service.DOMAIN, "for domain");
            destination =
                    Optional.of(
                            new Condition.For(
                                    Condition.ForKind.DOMAIN, Optional.of(table), negated));
        } else if (cursor.peek().kind() == Token.Kind.OPEN_BRACE) {
            throw new Refusal(
                    cursor.peek().at(),
                    "a list of destinations is an old spelling",
                    "one \"for\" per rule; write one rule per destination");
        } else if (cursor.peek().isWord("virtual")) {
            throw new Refusal(
                    cursor.peek().at(),
                    "\"for virtual\" is an old spelling",
                    "write for domain <t> virtual <t>");
        } else {
            throw cursor.unexpected("any, local or domain");
        }
    }

    /** Takes a {@code !} behind the word; one before it as well is too many. */
    private static boolean negated(Cursor cursor, boolean before) throws Refusal {
        Position at = cursor.peek().at();
        boolean after = cursor.accept(Token.Kind.BANG);
        if ((before && after) || (after && cursor.peek().kind() == Token.Kind.BANG)) {
            throw new Refusal(at, "\"!\" given twice");
        }
        return before || after;
    }

    private TableRef table(Cursor cursor, Service service, String option) throws Refusal {
        return TableArguments.read(cursor, draft, service, option);
    }
}
