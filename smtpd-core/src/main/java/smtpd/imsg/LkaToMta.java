package smtpd.imsg;

import java.util.List;

/** What lka answers mta. */
public sealed interface LkaToMta extends ToMta
        permits Resolved,
                ReverseName,
                LkaToMta.MxPreferenceIs,
                LkaToMta.SourcesAre,
                LkaToMta.HeloNameIs,
                LkaToMta.SmartHostIs {

    /**
     * @param preference of our own name; -1 when it is not among the MX
     */
    record MxPreferenceIs(DnsStatus status, int preference) implements LkaToMta {}

    record SourcesAre(Outcome outcome, List<SocketAddr> sources) implements LkaToMta {}

    /**
     * @param name empty when the table has none for this source
     */
    record HeloNameIs(Outcome outcome, @Max(255) String name) implements LkaToMta {}

    /**
     * @param byDomain the table maps domains, the answer is for that of the recipient; else it is a
     *     list whose hosts serve everybody in turns
     * @param relays relay URLs as in an envelope, in the order of the table; empty when it has none
     */
    record SmartHostIs(Outcome outcome, boolean byDomain, @Max(64) List<String> relays)
            implements LkaToMta {}
}
