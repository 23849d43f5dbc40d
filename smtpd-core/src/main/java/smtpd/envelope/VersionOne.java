package smtpd.envelope;

import java.util.EnumSet;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * Brings an envelope of version 1 (releases to 5.3) to version 2, in memory: the file changes only
 * with its next update.
 */
final class VersionOne {

    private VersionOne() {}

    static void upgrade(
            EnvelopeBuilder builder, List<KeptField> unknown, String relayUrl, String flagWords) {
        String host = "";
        String port = "";
        for (Iterator<KeptField> i = unknown.iterator(); i.hasNext(); ) {
            KeptField f = i.next();
            boolean isOld = true;
            switch (f.name()) {
                case "msgid" -> {}
                case "mta-relay-helo" -> builder.relayHelotable(f.value());
                case "mta-relay-host" -> host = f.value();
                case "mta-relay-port" -> port = f.value();
                case "mta-relay-authmap" -> builder.relayAuth(f.value());
                default -> isOld = false;
            }
            if (isOld) {
                i.remove();
            }
        }
        EnumSet<RelayFlag> flags = EnumSet.noneOf(RelayFlag.class);
        boolean smtps = false;
        boolean tls = false;
        boolean auth = false;
        boolean backup = false;
        for (String word : EnvelopeWords.words(flagWords)) {
            switch (word.toLowerCase(Locale.ROOT)) {
                case "verify" -> flags.add(RelayFlag.VERIFY);
                case "smtps" -> smtps = true;
                case "tls" -> tls = true;
                case "auth" -> auth = true;
                case "backup" -> backup = true;
                default -> throw new IllegalArgumentException("mta-relay-flags: bad value");
            }
        }
        if (!relayUrl.isEmpty() || host.isEmpty()) {
            builder.relay(secure(relayUrl));
            if (tls) {
                flags.add(RelayFlag.TLS);
            }
        } else {
            builder.relay(url(host, port, scheme(smtps, tls, auth, backup), auth && !backup));
        }
        builder.relayFlags(Set.copyOf(flags));
    }

    /** {@code ssl} meant "TLS, whichever way", which {@code secure} says now. */
    private static String secure(String url) {
        if (url.startsWith("ssl://")) {
            return "secure://" + url.substring(6);
        }
        return url.startsWith("ssl+auth://") ? "secure+auth://" + url.substring(11) : url;
    }

    private static String scheme(boolean smtps, boolean tls, boolean auth, boolean backup) {
        if (backup) {
            return "backup";
        }
        String base = smtps && tls ? "secure" : smtps ? "smtps" : tls ? "tls" : "smtp";
        if (!auth) {
            return base;
        }
        // Credentials in clear were never sent: without TLS flags, authentication implied STARTTLS.
        return base.equals("smtp") ? "tls+auth" : base + "+auth";
    }

    /** The 5.2 map of credentials was keyed by host name, so that is the label. */
    private static String url(String host, String port, String scheme, boolean isLabelled) {
        String target = host.indexOf(':') >= 0 && !host.startsWith("[") ? "[" + host + "]" : host;
        boolean hasPort = !port.isEmpty() && !port.equals("0");
        return scheme
                + "://"
                + (isLabelled ? host + "@" : "")
                + target
                + (hasPort ? ":" + port : "");
    }
}
