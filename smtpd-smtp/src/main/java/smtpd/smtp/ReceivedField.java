package smtpd.smtp;

import java.nio.charset.StandardCharsets;

/**
 * Our trace field (RFC 5321 4.4), stored with LF: who gave us the mail, who we are, how, when.
 *
 * @param helo as the client said it; empty leaves the from part out
 * @param clientName confirmed reverse name or {@code <unknown>}
 * @param clientAddress {@code 192.0.2.1}, {@code IPv6:2001:db8::1} or {@code local}
 * @param name our name in this session
 * @param protocol RFC 3848: {@code SMTP}, {@code ESMTP}, {@code UTF8SMTP} …
 * @param msgid of the mail
 * @param tls comment about TLS without parentheses; empty without TLS
 * @param auth comment about the login without parentheses; empty for none
 * @param recipient the only recipient; empty when there are more
 * @param date RFC 5322 date-time
 */
record ReceivedField(
        String helo,
        String clientName,
        String clientAddress,
        String name,
        String protocol,
        String msgid,
        String tls,
        String auth,
        String recipient,
        String date) {

    /** The field with its last LF. */
    byte[] bytes() {
        StringBuilder text = new StringBuilder(320).append("Received: ");
        if (!helo.isEmpty()) {
            text.append("from ").append(helo).append(" (").append(clientName).append(" [");
            text.append(clientAddress).append("])\n\t");
        }
        text.append("by ").append(name).append(" (smtpd) with ").append(protocol);
        text.append(" id ").append(msgid);
        comment(text, tls);
        comment(text, auth);
        if (!recipient.isEmpty()) {
            text.append("\n\tfor <").append(recipient).append('>');
        }
        return text.append(";\n\t")
                .append(date)
                .append('\n')
                .toString()
                .getBytes(StandardCharsets.UTF_8);
    }

    private static void comment(StringBuilder text, String comment) {
        if (!comment.isEmpty()) {
            text.append(" (").append(comment).append(')');
        }
    }
}
