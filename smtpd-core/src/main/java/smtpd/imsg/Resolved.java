package smtpd.imsg;

import java.util.List;

/**
 * Answer to Resolve.
 *
 * @param incomplete some host's addresses could not be asked: more may exist
 */
public record Resolved(DnsStatus status, List<MxHost> hosts, boolean incomplete)
        implements LkaToMta, LkaToMda {

    /**
     * One address of one mail host.
     *
     * @param preference of the MX; -1 for a host or literal
     * @param address port 0
     * @param host its name, or the literal
     * @param secure proven by DNSSEC
     */
    public record MxHost(
            int preference, SocketAddr address, @Max(255) String host, boolean secure) {}
}
