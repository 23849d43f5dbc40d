package smtpd.conf;

import java.util.Optional;
import smtpd.table.TableRef;

/**
 * One condition of a rule. {@code negated} turns the outcome of a look-up round, never its failure.
 */
public sealed interface Condition {

    boolean negated();

    /** The session's source. */
    enum FromKind {
        ANY,
        LOCAL,
        /** Local enqueue only. */
        SOCKET,
        /** The source key in a list of networks. */
        SRC
    }

    /** The recipient's domain. */
    enum ForKind {
        ANY,
        LOCAL,
        DOMAIN
    }

    /**
     * @param table present for {@code SRC} only
     */
    record From(FromKind kind, Optional<TableRef> table, boolean negated) implements Condition {}

    /**
     * @param table present for {@code DOMAIN} only
     */
    record For(ForKind kind, Optional<TableRef> table, boolean negated) implements Condition {}

    /** Tag of the session's listener. */
    record Tag(TableRef table, boolean negated) implements Condition {}

    /**
     * The session logged in.
     *
     * @param table logins; absent: any
     */
    record Auth(Optional<TableRef> table, boolean negated) implements Condition {}

    /** Envelope sender. */
    record MailFrom(TableRef table, boolean negated) implements Condition {}

    /** The address being routed, which after an expansion is not the one given at RCPT. */
    record RcptTo(TableRef table, boolean negated) implements Condition {}
}
