package smtpd.conf;

import java.time.Duration;
import java.util.Optional;
import smtpd.mail.MailAddress;
import smtpd.table.MailaddrPattern;
import smtpd.table.Service;
import smtpd.table.TableRef;

/** What follows {@code relay}: its options join those of the rule. */
final class RelayReader {

    private final Draft draft;

    private Route route = new Route.Mx();
    private Optional<TableRef> source = Optional.empty();
    private Optional<String> helo = Optional.empty();
    private Optional<TableRef> heloTable = Optional.empty();
    private Optional<MailAddress> rewrite = Optional.empty();

    RelayReader(Draft draft) {
        this.draft = draft;
    }

    /** Reads {@code via URL} and adds the words that may follow. */
    void read(Cursor cursor, Options options) throws Refusal {
        if (cursor.acceptWord("via")) {
            route = via(cursor);
            options.hint("backup", "\"relay via\" names the host itself");
        } else {
            options.on(
                    "backup", (c, word, negated) -> route = new Route.Backup(backup(c, options)));
        }
        options.remove("auth");
        options.on("as", (c, word, negated) -> rewrite = Optional.of(address(c)))
                .on(
                        "source",
                        (c, word, negated) ->
                                source = Optional.of(table(c, Service.SOURCE, "source")))
                .synonym("src", "source")
                .on(
                        "hostname",
                        (c, word, negated) -> helo = Optional.of(ListenStatement.hostName(c)))
                .on(
                        "hostnames",
                        (c, word, negated) ->
                                heloTable = Optional.of(table(c, Service.ADDRNAME, "hostnames")))
                .on("helo", this::helo)
                .laterIn("relay", "auth", "verify", "pki", "ca", "tls")
                .hint(
                        "certificate",
                        "certificates are declared with \"pki x certificate/key ...\" and chosen"
                                + " with \"pki x\"")
                .hint("host", "\"host\" belongs to an action; here write relay via URL")
                .hint("via", "\"via\" must follow \"relay\" at once")
                .hint("no-verify", "\"relay tls\" does not verify; only \"relay tls verify\" does");
    }

    Action.Remote action(Optional<Duration> ttl, Retry retry) {
        Action.Remote nameless =
                new Action.Remote(
                        "",
                        route,
                        TlsPolicy.OPPORTUNISTIC,
                        Optional.empty(),
                        source,
                        helo,
                        heloTable,
                        rewrite,
                        ttl,
                        retry);
        return new Action.Remote(
                ActionText.name(nameless),
                route,
                TlsPolicy.OPPORTUNISTIC,
                Optional.empty(),
                source,
                helo,
                heloTable,
                rewrite,
                ttl,
                retry);
    }

    private static Route via(Cursor cursor) throws Refusal {
        Token url = cursor.peek();
        if (url.kind() == Token.Kind.LESS || url.kind() == Token.Kind.OPEN_BRACE) {
            throw NotYet.refusal(url.at(), "relay via <table>");
        }
        cursor.string("a relay URL");
        RelayUrl parsed;
        try {
            parsed = RelayUrl.parseClassic(url.text());
        } catch (RelayUrl.Malformed e) {
            throw new Refusal(url.at(), "bad relay URL " + url.shown() + ": " + e.getMessage());
        }
        if (parsed.mode().isTlsMandatory()) {
            String scheme = url.text().substring(0, url.text().indexOf("://") + 3);
            throw NotYet.refusal(url.at(), "relay via " + scheme);
        }
        return new Route.Host(parsed);
    }

    /** The host is optional, so a word that may follow is not taken for it. */
    private static Optional<String> backup(Cursor cursor, Options options) throws Refusal {
        Token next = cursor.peek();
        boolean isHost =
                next.kind() == Token.Kind.QUOTED
                        || (next.kind() == Token.Kind.WORD && !options.knows(next.text()));
        return isHost ? Optional.of(ListenStatement.hostName(cursor)) : Optional.empty();
    }

    /** 5.3: a table names a mapping, a plain word the name itself. */
    private void helo(Cursor cursor, Token word, boolean negated) throws Refusal {
        Token.Kind kind = cursor.peek().kind();
        if (kind == Token.Kind.LESS || kind == Token.Kind.OPEN_BRACE) {
            heloTable = Optional.of(table(cursor, Service.ADDRNAME, "helo"));
        } else {
            helo = Optional.of(ListenStatement.hostName(cursor));
        }
    }

    private static MailAddress address(Cursor cursor) throws Refusal {
        Token token = cursor.string("user, user@domain or @domain");
        String text = token.text();
        int at = text.lastIndexOf('@');
        boolean good =
                MailaddrPattern.isValid(text)
                        && !text.equals("@")
                        && !text.startsWith("<")
                        && (at < 0 || HostName.isValid(text.substring(at + 1)));
        if (!good) {
            throw new Refusal(token.at(), token.shown() + " is not an address, user or @domain");
        }
        return MailAddress.split(text);
    }

    private TableRef table(Cursor cursor, Service service, String option) throws Refusal {
        return TableArguments.read(cursor, draft, service, option);
    }
}
