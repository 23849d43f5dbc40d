package smtpd.conf;

import java.util.Optional;

/** {@code listen on socket ...} and {@code listen on IFACE ...}. */
final class ListenStatement {

    private String tag = "";
    private boolean maskSource;
    private boolean dsn = true;
    private Listener.Family family = Listener.Family.ANY;
    private int port = 25;
    private Optional<String> hostname = Optional.empty();

    private ListenStatement() {}

    static void read(Cursor cursor, Draft draft) throws Refusal {
        Position start = cursor.start();
        if (!cursor.acceptWord("on")) {
            throw cursor.unexpected("\"on\"");
        }
        Token on = cursor.string("socket, all, an interface, an address or a host name");
        ListenStatement listen = new ListenStatement();
        if (on.isWord("socket")) {
            cursor.name("on socket");
            listen.socketOptions().read(cursor);
            if (draft.socket.isPresent()) {
                throw new Refusal(start, "socket listener already declared");
            }
            draft.socket =
                    Optional.of(new Listener.Socket(listen.tag, listen.maskSource, listen.dsn));
            return;
        }
        listen.options().read(cursor);
        listen.add(draft, start, on.text());
    }

    private Options socketOptions() {
        return new Options()
                .flag("mask-source", () -> maskSource = true)
                .synonym("mask-src", "mask-source")
                .flag("no-dsn", () -> dsn = false)
                .on("tag", (c, word, negated) -> tag = tag(c))
                .later("filter");
    }

    private Options options() {
        return socketOptions()
                .flag("inet4", () -> family = Listener.Family.INET4)
                .flag("inet6", () -> family = Listener.Family.INET6)
                .exclude("inet4", "inet6")
                .on("port", (c, word, negated) -> port = Units.port(c))
                .on("hostname", (c, word, negated) -> hostname = Optional.of(hostName(c)))
                .later(
                        "hostnames",
                        "tls",
                        "tls-require",
                        "smtps",
                        "secure",
                        "ssl",
                        "verify",
                        "pki",
                        "ca",
                        "ciphers",
                        "protocols",
                        "auth",
                        "auth-optional",
                        "received-auth",
                        "senders",
                        "proxy",
                        "proxy-v2",
                        "proxy-from")
                .flag("dsn", () -> dsn = true)
                .exclude("dsn", "no-dsn")
                .hint(
                        "certificate",
                        "certificates are declared with \"pki x certificate/key ...\" and chosen"
                                + " with \"pki x\"")
                .hint("dsn-notify", "removed; use no-dsn")
                .hint("dsn-ret", "removed; use no-dsn")
                .hint("curve", "removed; curves are negotiated");
    }

    private void add(Draft draft, Position at, String on) throws Refusal {
        Listener listener =
                new Listener(
                        draft.listeners.size(),
                        at,
                        on,
                        family,
                        port,
                        tag,
                        hostname,
                        Optional.empty(),
                        maskSource,
                        dsn);
        for (Listener other : draft.listeners) {
            boolean families =
                    family == other.family()
                            || family == Listener.Family.ANY
                            || other.family() == Listener.Family.ANY;
            if (other.on().equalsIgnoreCase(on) && other.port() == port && families) {
                if (isSame(listener, other)) {
                    draft.problems()
                            .warn(
                                    at,
                                    "the same listener as line " + other.at().line() + ", ignored");
                    return;
                }
                throw new Refusal(
                        at,
                        "same address and port as line "
                                + other.at().line()
                                + " with other options");
            }
        }
        draft.listeners.add(listener);
    }

    private static boolean isSame(Listener a, Listener b) {
        return a.family() == b.family()
                && a.tag().equals(b.tag())
                && a.hostname().equals(b.hostname())
                && a.maskSource() == b.maskSource()
                && a.dsn() == b.dsn();
    }

    static String tag(Cursor cursor) throws Refusal {
        Token tag = cursor.string("a tag");
        if (tag.text().isEmpty() || tag.text().length() > Draft.MAX_TAG) {
            throw new Refusal(
                    tag.at(),
                    tag.text().isEmpty()
                            ? "empty tag"
                            : "tag longer than " + Draft.MAX_TAG + " bytes");
        }
        return tag.text();
    }

    static String hostName(Cursor cursor) throws Refusal {
        Token name = cursor.string("a host name");
        if (!HostName.isValid(name.text())) {
            throw new Refusal(name.at(), name.shown() + " is not a host name");
        }
        return name.text();
    }
}
