package smtpd.conf;

import java.util.Optional;
import smtpd.table.TableRef;

/**
 * The canonical modern text of an action, without its name. The name of a classic rule's action is
 * made from it and stands in queued envelopes, so the text must not change between versions.
 */
final class ActionText {

    private ActionText() {}

    /** {@code @} and 16 hex digits. */
    static String name(Action action) {
        return "@" + Hash.sixteen(of(action));
    }

    static String of(Action action) {
        StringBuilder text = new StringBuilder(64);
        switch (action) {
            case Action.Local local -> local(text, local);
            case Action.Remote remote -> remote(text, remote);
        }
        action.ttl().ifPresent(ttl -> text.append(" ttl ").append(Units.show(ttl)));
        retry(text, action.retry());
        return text.toString();
    }

    private static void local(StringBuilder text, Action.Local local) {
        text.append(
                switch (local.delivery()) {
                    case Delivery.Mbox mbox -> "mbox";
                    case Delivery.Maildir maildir ->
                            "maildir"
                                    + maildir.path().map(p -> " " + quoted(p)).orElse("")
                                    + (maildir.junk() ? " junk" : "");
                    case Delivery.Mda mda -> "mda " + quoted(mda.command());
                    case Delivery.Lmtp lmtp ->
                            "lmtp "
                                    + quoted(lmtp.destination())
                                    + (lmtp.rcptTo() ? " rcpt-to" : "");
                    case Delivery.Filename filename -> "filename " + quoted(filename.path());
                    case Delivery.ForwardOnly forward -> "forward-only";
                    case Delivery.ExpandOnly expand -> "expand-only";
                });
        switch (local.expansion()) {
            case Expansion.None none -> {}
            case Expansion.Alias alias -> text.append(" alias ").append(table(alias.table()));
            case Expansion.Virtual virtual ->
                    text.append(" virtual ").append(table(virtual.table()));
        }
        option(text, "userbase", local.userbase().map(ActionText::table));
        option(text, "user", local.user().map(ActionText::quoted));
    }

    private static void remote(StringBuilder text, Action.Remote remote) {
        text.append("relay");
        switch (remote.route()) {
            case Route.Mx mx -> {}
            case Route.Backup backup -> {
                text.append(" backup");
                option(text, "mx", backup.host());
            }
            case Route.Host host -> text.append(" host ").append(quoted(host.url().modernText()));
            case Route.Hosts hosts -> text.append(" host ").append(table(hosts.table()));
            case Route.ByDomain domain -> text.append(" domain ").append(table(domain.table()));
        }
        switch (remote.tls()) {
            case OPPORTUNISTIC -> {}
            case REQUIRED -> text.append(" tls no-verify");
            case VERIFIED -> text.append(" tls");
        }
        option(text, "auth", remote.auth().map(ActionText::table));
        option(text, "src", remote.source().map(ActionText::table));
        option(text, "helo", remote.helo().map(ActionText::quoted));
        option(text, "helo-src", remote.heloTable().map(ActionText::table));
        option(
                text,
                "mail-from",
                remote.rewrite()
                        .map(
                                address ->
                                        quoted(
                                                address.local().isEmpty()
                                                        ? "@" + address.domain()
                                                        : address.toString())));
    }

    private static void retry(StringBuilder text, Retry retry) {
        if (retry.equals(Retry.DEFAULT)) {
            return;
        }
        text.append(" retry");
        option(text, "base", retry.base().map(Units::show));
        option(text, "max", retry.max().map(Units::show));
        option(text, "jitter", retry.jitterPercent().map(String::valueOf));
    }

    private static void option(StringBuilder text, String word, Optional<String> value) {
        value.ifPresent(v -> text.append(' ').append(word).append(' ').append(v));
    }

    static String table(TableRef ref) {
        return ref.isAnonymous() ? ref.name() : "<" + ref.name() + ">";
    }

    /** Text that is not plainly a word stands in quotes. */
    static String quoted(String text) {
        return Scanner.quote(text);
    }
}
