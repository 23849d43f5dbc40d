package smtpd.mta.route;

/**
 * All that changes what the peer sees or what we demand of it: envelopes that differ in nothing of
 * this share a relay.
 *
 * @param domain destination: recipient domain, or the smarthost's name; A-labels, lower case
 * @param asHost the administrator named the host: no MX
 * @param port to connect to
 * @param tls word of the TLS mode, {@code verify} included
 * @param authTable table of credentials; empty = none
 * @param label key in it
 * @param cert our certificate's name
 * @param ca authority to trust
 * @param sourceTable local addresses; empty = the system chooses
 * @param heloTable names to greet with by source address
 * @param helo name to greet with; empty = the server's
 * @param backup our name among the MX, only better ones are used; empty = all
 * @param tlsDemanded no TLS, no mail
 */
public record RelayKey(
        String domain,
        boolean asHost,
        int port,
        boolean lmtp,
        String tls,
        String authTable,
        String label,
        String cert,
        String ca,
        String sourceTable,
        String heloTable,
        String helo,
        String backup,
        String needs,
        boolean tlsDemanded) {

    /** As {@code show relays} and hold names print it. */
    public String text() {
        StringBuilder text = new StringBuilder("[relay:").append(domain);
        text.append(",port=").append(port).append(',').append(tls);
        if (!authTable.isEmpty()) {
            text.append(",auth=").append(authTable).append(':').append(label);
        }
        add(text, "pki_name", cert);
        add(text, "ca", ca);
        if (!asHost) {
            text.append(",mx");
        }
        add(text, "backup", backup);
        add(text, "sourcetable", sourceTable);
        add(text, "helotable", heloTable);
        add(text, "heloname", helo);
        add(text, "need", needs);
        return text.append(']').toString();
    }

    private static void add(StringBuilder text, String key, String value) {
        if (!value.isEmpty()) {
            text.append(',').append(key).append('=').append(value);
        }
    }

    /** True when a connection made for the one serves the other as well (mail hosts equal). */
    boolean sharesWith(RelayKey other) {
        return port == other.port
                && lmtp == other.lmtp
                && tls.equals(other.tls)
                && authTable.equals(other.authTable)
                && label.equals(other.label)
                && cert.equals(other.cert)
                && ca.equals(other.ca)
                && heloTable.equals(other.heloTable)
                && helo.equals(other.helo)
                && needs.equals(other.needs)
                && !tlsDemanded
                && !other.tlsDemanded;
    }
}
