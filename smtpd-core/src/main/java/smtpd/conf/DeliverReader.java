package smtpd.conf;

import java.util.Optional;
import smtpd.table.Netaddr;

/** What follows {@code deliver to}. */
final class DeliverReader {

    private Optional<String> user = Optional.empty();

    /** The account of {@code as USER}. */
    Optional<String> user() {
        return user;
    }

    Delivery read(Cursor cursor) throws Refusal {
        if (!cursor.acceptWord("to")) {
            throw cursor.unexpected("\"to\"");
        }
        Token method = cursor.peek();
        cursor.next();
        if (method.isWord("mbox")) {
            return new Delivery.Mbox();
        } else if (method.isWord("maildir")) {
            return new Delivery.Maildir(maildirPath(cursor), false);
        } else if (method.isWord("mda")) {
            String command = text(cursor, "a command");
            readUser(cursor);
            return new Delivery.Mda(command);
        } else if (method.isWord("lmtp")) {
            String destination = destination(cursor);
            boolean rcptTo = cursor.acceptWord("rcpt-to");
            readUser(cursor);
            return new Delivery.Lmtp(destination, rcptTo);
        } else if (method.isWord("filename")) {
            return new Delivery.Filename(path(cursor, "filename"));
        }
        java.util.List<String> methods =
                java.util.List.of("filename", "lmtp", "maildir", "mbox", "mda");
        throw new Refusal(
                method.at(),
                method.kind() == Token.Kind.END
                        ? cursor.statement() + " statement ends early"
                        : "unexpected " + method.shown() + " in deliver to",
                method.kind() == Token.Kind.END
                        ? Nearest.expected(methods)
                        : Nearest.suggestionOrList(method.text(), methods));
    }

    /** A bare word that is no path belongs to what follows. */
    private static Optional<String> maildirPath(Cursor cursor) throws Refusal {
        Token next = cursor.peek();
        boolean isPath =
                next.kind() == Token.Kind.QUOTED
                        || (next.kind() == Token.Kind.WORD
                                && "/~%".indexOf(next.text().charAt(0)) >= 0);
        return isPath ? Optional.of(path(cursor, "maildir")) : Optional.empty();
    }

    private static String path(Cursor cursor, String what) throws Refusal {
        Token token = cursor.peek();
        String path = text(cursor, "a path");
        if (!path.startsWith("/")
                && !path.startsWith("~/")
                && !path.startsWith("%{user.directory}/")) {
            throw new Refusal(token.at(), what + " path must be absolute or start with ~/");
        }
        return path;
    }

    private static String text(Cursor cursor, String what) throws Refusal {
        Token token = cursor.string(what);
        if (token.text().isEmpty()) {
            throw new Refusal(token.at(), "empty text", "expected " + what);
        }
        Optional<String> fault = FormatCheck.firstFault(token.text());
        if (fault.isPresent()) {
            throw new Refusal(token.at(), "bad format specifier \"" + fault.get() + "\"");
        }
        return token.text();
    }

    private static String destination(Cursor cursor) throws Refusal {
        Token token = cursor.string("host:port or a socket path");
        String text = token.text();
        int colon = text.lastIndexOf(':');
        boolean good = text.startsWith("/");
        if (!good && colon > 0) {
            String host = text.substring(0, colon);
            good =
                    RelayUrl.port(text.substring(colon + 1)) != 0
                            && (host.startsWith("[")
                                    ? host.endsWith("]") && Netaddr.isAddress(host)
                                    : HostName.isValid(host));
        }
        if (!good) {
            throw new Refusal(token.at(), "lmtp destination must be host:port or a socket path");
        }
        return text;
    }

    private void readUser(Cursor cursor) throws Refusal {
        if (cursor.acceptWord("as")) {
            Token name = cursor.string("a system account");
            if (name.text().isEmpty()) {
                throw new Refusal(name.at(), "empty account name");
            }
            user = Optional.of(name.text());
        }
    }
}
