package smtpd.lka.expand;

import java.util.Optional;
import smtpd.conf.Action;
import smtpd.conf.Expansion;
import smtpd.conf.Rule;
import smtpd.lka.table.UserAnswer;
import smtpd.table.TableRef;

/** One target in the tree that grows from a recipient. */
final class Node {

    /** Which text named it. */
    enum Origin {
        RCPT,
        MAPPING,
        FORWARD
    }

    /**
     * What makes two targets the same; the second is dropped. Ancestors count by identity, so two
     * addresses that forward to each other are stopped by depth.
     */
    record Key(
            Value value,
            boolean sameUser,
            Optional<TableRef> mapping,
            Optional<TableRef> userbase,
            Node address,
            Node user) {}

    final Value value;
    final Node parent;
    final int depth;
    final Origin origin;

    /** The only value of its key but for other includes: when it fails, nothing is left. */
    final boolean alone;

    /** Names the user whose alias or {@code .forward} it stands in: looked up no second time. */
    final boolean sameUser;

    Rule rule;
    Action action;

    /** Set when the user database knows it. */
    UserAnswer.Found user;

    /** Part behind the delimiter, empty when there is none. */
    String tag = "";

    /** Its {@code .forward} was read. */
    boolean forwarded;

    Node(Value value, Node parent, Origin origin, boolean alone, boolean sameUser) {
        this.value = value;
        this.parent = parent;
        this.depth = parent == null ? 0 : parent.depth + 1;
        this.origin = origin;
        this.alone = alone;
        this.sameUser = sameUser;
        if (parent != null) {
            this.rule = parent.rule;
            this.action = parent.action;
        }
    }

    /** Itself or the nearest address above; the recipient itself is one. */
    Node address() {
        Node node = this;
        while (!(node.value instanceof Value.Address)) {
            node = node.parent;
        }
        return node;
    }

    /** Itself or the nearest user above; null when there is none. */
    Node userNode() {
        Node node = this;
        while (node != null && !(node.value instanceof Value.Username)) {
            node = node.parent;
        }
        return node;
    }

    Value.Address addressValue() {
        return (Value.Address) address().value;
    }

    Key key() {
        Node above = value instanceof Value.Address ? parent : this;
        boolean byUser = value instanceof Value.Filename || value instanceof Value.Command;
        return new Key(
                value,
                sameUser,
                mapping(),
                userbase(),
                above == null ? null : above.address(),
                byUser ? userNode() : null);
    }

    Optional<TableRef> mapping() {
        return action instanceof Action.Local local
                ? switch (local.expansion()) {
                    case Expansion.None() -> Optional.empty();
                    case Expansion.Alias(TableRef table) -> Optional.of(table);
                    case Expansion.Virtual(TableRef table) -> Optional.of(table);
                }
                : Optional.empty();
    }

    Optional<TableRef> userbase() {
        return action instanceof Action.Local local ? local.userbase() : Optional.empty();
    }
}
