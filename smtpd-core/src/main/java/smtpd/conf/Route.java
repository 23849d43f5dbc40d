package smtpd.conf;

import java.util.Optional;
import smtpd.table.TableRef;

/** Where a relay action sends. */
public sealed interface Route {

    /** The mail exchangers of the recipient's domain. */
    record Mx() implements Route {}

    /**
     * Only exchangers preferred to {@code host}.
     *
     * @param host our name among them; absent: the server name
     */
    record Backup(Optional<String> host) implements Route {}

    /**
     * One host given in place.
     *
     * @param url parsed by the rules of the dialect it was written in
     */
    record Host(RelayUrl url) implements Route {}

    /**
     * Hosts of a list, taken in turn.
     *
     * @param table list of relay URLs
     */
    record Hosts(TableRef table) implements Route {}

    /**
     * The host found under the recipient's domain.
     *
     * @param table mapping of relay URLs
     */
    record ByDomain(TableRef table) implements Route {}
}
