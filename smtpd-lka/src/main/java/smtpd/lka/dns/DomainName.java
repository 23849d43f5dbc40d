package smtpd.lka.dns;

import java.net.IDN;
import java.util.Locale;
import java.util.Optional;
import org.xbill.DNS.Name;
import org.xbill.DNS.TextParseException;

/** Text of a domain made into a name for the DNS. */
final class DomainName {

    private static final int MAX_LENGTH = 253;
    private static final int MAX_LABEL = 63;

    private DomainName() {}

    /**
     * Folds to lower case, drops one final dot, converts to A-labels (RFC 5890); absent when it is
     * no domain name (RFC 1035 2.3.4).
     */
    static Optional<Name> parse(String text) {
        String plain = text.endsWith(".") ? text.substring(0, text.length() - 1) : text;
        if (plain.isEmpty() || plain.length() > MAX_LENGTH) {
            return Optional.empty();
        }
        if (!isAscii(plain)) {
            try {
                plain = IDN.toASCII(plain, IDN.ALLOW_UNASSIGNED);
            } catch (IllegalArgumentException e) {
                return Optional.empty();
            }
        }
        plain = plain.toLowerCase(Locale.ROOT);
        if (plain.length() > MAX_LENGTH || !hasGoodLabels(plain)) {
            return Optional.empty();
        }
        try {
            return Optional.of(Name.fromString(plain, Name.root));
        } catch (TextParseException e) {
            return Optional.empty();
        }
    }

    /** Text of a name without its final dot. */
    static String text(Name name) {
        return name.toString(true).toLowerCase(Locale.ROOT);
    }

    /** True for names that are safe in headers and logs: letters, digits, {@code - _ .} */
    static boolean isHostName(String text) {
        if (text.isEmpty() || text.length() > MAX_LENGTH) {
            return false;
        }
        for (int i = 0; i < text.length(); i++) {
            if (!isHostChar(text.charAt(i)) && text.charAt(i) != '.') {
                return false;
            }
        }
        return true;
    }

    private static boolean hasGoodLabels(String text) {
        int label = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '.') {
                if (label == 0) {
                    return false;
                }
                label = 0;
            } else if (!isHostChar(c) || ++label > MAX_LABEL) {
                return false;
            }
        }
        return label > 0;
    }

    private static boolean isHostChar(char c) {
        return (c >= 'a' && c <= 'z')
                || (c >= 'A' && c <= 'Z')
                || (c >= '0' && c <= '9')
                || c == '-'
                || c == '_';
    }

    private static boolean isAscii(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) >= 0x80) {
                return false;
            }
        }
        return true;
    }
}
