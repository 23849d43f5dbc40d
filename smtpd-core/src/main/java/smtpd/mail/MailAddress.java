package smtpd.mail;

/**
 * A mailbox as it stands in an envelope: local part and domain, without angle brackets. The null
 * reverse-path (RFC 5321 4.5.5) has both empty.
 *
 * @param local local part as given, quotes included; never null
 * @param domain domain or address literal as given; empty when the address had none
 */
public record MailAddress(String local, String domain) {

    public static final MailAddress NULL = new MailAddress("", "");

    public MailAddress {
        java.util.Objects.requireNonNull(local);
        java.util.Objects.requireNonNull(domain);
    }

    /**
     * Splits at the last {@code @}; without one the whole text is the local part. This does not
     * check the RFC 5321 grammar: that is done once, where an address enters the system.
     */
    public static MailAddress split(String text) {
        int at = text.lastIndexOf('@');
        return at < 0
                ? new MailAddress(text, "")
                : new MailAddress(text.substring(0, at), text.substring(at + 1));
    }

    public boolean isNull() {
        return local.isEmpty() && domain.isEmpty();
    }

    /**
     * {@code local@domain}; only the local part when there is no domain; empty for the null path.
     */
    @Override
    public String toString() {
        return domain.isEmpty() ? local : local + "@" + domain;
    }
}
