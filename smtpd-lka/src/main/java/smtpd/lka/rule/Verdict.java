package smtpd.lka.rule;

import smtpd.conf.Action;
import smtpd.conf.Rule;

/** What the rules say about one address. */
public sealed interface Verdict {

    record Accepted(Rule rule, Action action) implements Verdict {}

    /** By a reject rule, or because no rule matches. */
    record Rejected() implements Verdict {}

    /**
     * No decision for now.
     *
     * @param why for the log
     */
    record Failed(String why) implements Verdict {}
}
