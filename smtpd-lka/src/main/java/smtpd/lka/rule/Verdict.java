package smtpd.lka.rule;

import java.util.Optional;
import smtpd.conf.Action;
import smtpd.conf.Rule;

/** What the rules say about one address. */
public sealed interface Verdict {

    record Accepted(Rule rule, Action action) implements Verdict {}

    /**
     * Refused.
     *
     * @param by the reject rule; absent when no rule matches
     */
    record Rejected(Optional<Rule> by) implements Verdict {
        static final Rejected BY_NO_RULE = new Rejected(Optional.empty());
    }

    /**
     * No decision for now.
     *
     * @param why for the log
     */
    record Failed(String why) implements Verdict {}
}
