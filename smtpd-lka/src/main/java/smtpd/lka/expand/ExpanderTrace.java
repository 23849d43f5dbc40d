package smtpd.lka.expand;

import java.util.Locale;
import java.util.Optional;
import smtpd.conf.Config;
import smtpd.conf.ConfigPrinter;
import smtpd.conf.Rule;
import smtpd.lka.rule.Verdict;
import smtpd.log.Trace;

/**
 * What {@code trace rules} and {@code trace expand} show of one expansion. Every method does
 * nothing while its word is off; text is built only then.
 */
final class ExpanderTrace {

    /** Commands and refusals are of any length, and of other people's making. */
    private static final int MAX_VALUE = 255;

    private final long session;
    private final Config config;

    ExpanderTrace(long session, Config config) {
        this.session = session;
        this.config = config;
    }

    // ---- rules

    void ruled(Verdict verdict) {
        if (!Trace.RULES.isOn()) {
            return;
        }
        Trace.RULES.line(
                session,
                "",
                switch (verdict) {
                    case Verdict.Accepted accepted -> matched(accepted.rule());
                    case Verdict.Rejected(Optional<Rule> by) ->
                            by.map(this::matched).orElse("no rule matched");
                    case Verdict.Failed(String why) ->
                            "temporary failure in processing of a rule: " + why;
                });
    }

    private String matched(Rule rule) {
        return "rule #" + (rule.id() + 1) + " matched: " + ConfigPrinter.print(config, rule);
    }

    // ---- the tree

    void inserted(Node node) {
        if (Trace.EXPAND.isOn()) {
            line(
                    "insert "
                            + shown(node)
                            + " origin="
                            + node.origin.name().toLowerCase(Locale.ROOT)
                            + parent(node));
        }
    }

    void duplicate(Node node) {
        if (Trace.EXPAND.isOn()) {
            line("duplicate " + shown(node) + parent(node));
        }
    }

    void taken(Node node) {
        if (Trace.EXPAND.isOn()) {
            line("expand " + shown(node) + parent(node) + action(node));
        }
    }

    void tooDeep(Node node) {
        if (Trace.EXPAND.isOn()) {
            line("node too deep: " + shown(node));
        }
    }

    void delivered(Node node) {
        if (Trace.EXPAND.isOn()) {
            line("deliver " + shown(node) + action(node));
        }
    }

    /**
     * What was decided about a {@code .forward}.
     *
     * @param decision in words
     */
    void forward(String user, String decision) {
        if (Trace.EXPAND.isOn()) {
            line("forward of " + user + ": " + decision);
        }
    }

    private void line(String text) {
        Trace.EXPAND.line(session, "", text);
    }

    private static String shown(Node node) {
        return shown(node.value) + " [depth=" + node.depth + "]";
    }

    private static String parent(Node node) {
        return node.parent == null ? "" : " parent=" + shown(node.parent.value);
    }

    private static String action(Node node) {
        return node.action == null ? "" : " action=" + node.action.name();
    }

    private static String shown(Value value) {
        return switch (value) {
            case Value.Address address -> "address: " + address.address();
            case Value.Username(String name) -> "username: " + name;
            case Value.Filename(String path) -> "filename: " + cut(path);
            case Value.Command(String text) -> "filter: " + cut(text);
            case Value.Include(String path) -> "include: " + cut(path);
            case Value.Refuse(String reply) -> "error: " + cut(reply);
        };
    }

    private static String cut(String text) {
        return text.length() <= MAX_VALUE ? text : text.substring(0, MAX_VALUE);
    }
}
