package smtpd.imsg;

import smtpd.mail.MailAddress;

/** What mta asks lka. */
public sealed interface MtaToLka extends ToLka
        permits Resolve,
                ReverseLookup,
                MtaToLka.MxPreference,
                MtaToLka.SourceAddress,
                MtaToLka.HeloName,
                MtaToLka.SmartHost {

    /** Preference of {@code ownName} among the MX of {@code domain}. Answered by MxPreferenceIs. */
    record MxPreference(@Max(255) String domain, @Max(255) String ownName) implements MtaToLka {}

    /** All local addresses of a source table. Answered by SourcesAre. */
    record SourceAddress(long configId, @Max(255) String table) implements MtaToLka {}

    /** The name to greet with from {@code source}. Answered by HeloNameIs. */
    record HeloName(long configId, @Max(255) String table, SocketAddr source) implements MtaToLka {}

    /** The hosts of a table that serve this recipient. Answered by SmartHostIs. */
    record SmartHost(long configId, @Max(1023) String table, MailAddress recipient)
            implements MtaToLka {}
}
