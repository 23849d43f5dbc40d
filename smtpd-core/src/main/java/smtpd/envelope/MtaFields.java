package smtpd.envelope;

import java.util.Set;

/**
 * Where and how a mail is relayed. All texts may be empty.
 *
 * @param relay URL {@code SCHEME://[label@]host[:port]}; empty = by MX
 * @param relayTable table, list or mapping the relay was chosen from (version 2)
 * @param auth table of credentials
 * @param source table of source addresses
 * @param helotable table of HELO names by source address
 * @param cert name of the client certificate
 * @param ca name of the authority the next hop must be signed by
 * @param heloname HELO name
 * @param flags added to what the URL demands
 */
public record MtaFields(
        String relay,
        String relayTable,
        String auth,
        String source,
        String helotable,
        String cert,
        String ca,
        String heloname,
        Set<RelayFlag> flags) {

    public static final MtaFields NONE = new MtaFields("", "", "", "", "", "", "", "", Set.of());

    public MtaFields {
        relay = Values.text("mta-relay", relay, 1023);
        if (!relay.isEmpty()) {
            Values.relay("mta-relay", relay);
        }
        relayTable = Values.text("mta-relay-table", relayTable, 1023);
        auth = Values.text("mta-relay-auth", auth, 1023);
        source = Values.text("mta-relay-source", source, 1023);
        helotable = Values.text("mta-relay-helotable", helotable, 1023);
        cert = Values.text("mta-relay-cert", cert, 1023);
        ca = Values.text("mta-relay-ca", ca, 1023);
        heloname = Values.text("mta-relay-heloname", heloname, 255);
        flags = Set.copyOf(flags);
    }
}
