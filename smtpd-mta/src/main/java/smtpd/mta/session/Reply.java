package smtpd.mta.session;

/**
 * One complete reply of the peer.
 *
 * @param code 200 to 599
 * @param esc enhanced status code given by the peer (RFC 3463), its class made equal to the first
 *     digit of the code, which wins when they differ; empty when there was none
 * @param text the reply on one line as it is stored and shown: {@code CODE ESC text}, harmless
 *     bytes only, at most 2,047 of them
 */
public record Reply(int code, String esc, String text) {

    public boolean isPositive() {
        return code < 300;
    }

    public boolean isTemporary() {
        return code >= 400 && code < 500;
    }

    public boolean isPermanent() {
        return code >= 500;
    }

    /** The status of a report: the peer's code, else {@code x.0.0}. */
    public String status() {
        return esc.isEmpty() ? (code / 100) + ".0.0" : esc;
    }

    /** The same refusal as a temporary one: a host that refuses us says nothing about the mail. */
    public Reply asTemporary() {
        if (code < 500) {
            return this;
        }
        String rest = text.substring(3);
        if (esc.isEmpty() || !rest.startsWith(" 5.")) {
            return new Reply(
                    code - 100,
                    esc.isEmpty() ? "" : "4" + esc.substring(1),
                    "4" + text.substring(1));
        }
        return new Reply(
                code - 100,
                "4" + esc.substring(1),
                "4" + text.substring(1, 3) + " 4" + rest.substring(2));
    }
}
