package smtpd.conf;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import smtpd.table.MailaddrPattern;
import smtpd.table.Netaddr;
import smtpd.table.Service;
import smtpd.table.TableEntry;
import smtpd.table.TableKind;
import smtpd.table.TableRef;

/** Whether the content of a table fits what it is used for. */
final class EntryCheck {

    private static final int MAX_COMPLAINTS = 5;

    private EntryCheck() {}

    /**
     * @param option words of the statement that use the table
     * @return one message for each entry that does not fit, the first five
     */
    static List<String> complaints(
            TableRef ref,
            TableKind kind,
            List<TableEntry> entries,
            Service service,
            String option) {
        if (!kind.serves(service.shape())) {
            String who = ref.isAnonymous() ? "this" : "table \"" + ref.name() + "\"";
            return List.of(
                    kind == TableKind.LIST
                            ? who + " is a list, " + option + " needs a mapping"
                            : who + " is a mapping, " + option + " needs a list");
        }
        List<String> complaints = new ArrayList<>();
        for (TableEntry entry : entries) {
            Optional<String> wanted = fault(entry, service);
            if (wanted.isPresent() && complaints.size() < MAX_COMPLAINTS) {
                complaints.add("bad entry \"" + show(entry) + "\": not " + wanted.get());
            }
        }
        return complaints;
    }

    private static String show(TableEntry entry) {
        return entry.key() + entry.value().map(value -> " => " + value).orElse("");
    }

    /** What the entry should be and is not. */
    private static Optional<String> fault(TableEntry entry, Service service) {
        String key = entry.key();
        String value = entry.value().orElse("");
        return switch (service) {
            case NETADDR ->
                    unless(
                            key.equalsIgnoreCase("local") || Netaddr.parse(key).isPresent(),
                            "an address or network");
            case SOURCE -> unless(Netaddr.isAddress(key), "an address");
            case ADDRNAME ->
                    unless(
                            Netaddr.isAddress(key) && HostName.isValid(value),
                            "an address and a host name");
            case DOMAIN ->
                    unless(
                            !key.isEmpty() && key.indexOf(' ') < 0 && key.indexOf('@') < 0,
                            "a domain");
            case MAILADDR ->
                    unless(MailaddrPattern.isValid(key), "an address, user, @domain, @ or <>");
            case USERINFO -> unless(isUserInfo(value), "uid:gid:home");
            case RELAYHOST -> unless(isRelay(key), "a relay URL");
            case RELAYHOST_BY_DOMAIN -> unless(isRelay(value), "a relay URL");
            case ALIAS, CREDENTIALS, MAILADDRMAP ->
                    unless(!key.isEmpty() && !value.isEmpty(), "a key with a value");
            case STRING, REGEX -> unless(!key.isEmpty(), "a text");
        };
    }

    private static Optional<String> unless(boolean fits, String wanted) {
        return fits ? Optional.empty() : Optional.of(wanted);
    }

    private static boolean isRelay(String url) {
        try {
            RelayUrl.parseClassic(url);
            return true;
        } catch (RelayUrl.Malformed classic) {
            try {
                RelayUrl.parseModern(url);
                return true;
            } catch (RelayUrl.Malformed modern) {
                return false;
            }
        }
    }

    /** lka-mda: numbers, not the highest one, and an absolute home without {@code ..}. */
    private static boolean isUserInfo(String value) {
        int first = value.indexOf(':');
        int second = value.indexOf(':', first + 1);
        if (first < 0 || second < 0) {
            return false;
        }
        String home = value.substring(second + 1);
        return isId(value.substring(0, first))
                && isId(value.substring(first + 1, second))
                && home.startsWith("/")
                && !(home + "/").contains("/../");
    }

    private static boolean isId(String digits) {
        if (digits.isEmpty() || digits.length() > 10) {
            return false;
        }
        for (int i = 0; i < digits.length(); i++) {
            if (digits.charAt(i) < '0' || digits.charAt(i) > '9') {
                return false;
            }
        }
        return Long.parseLong(digits) < 0xffffffffL;
    }
}
