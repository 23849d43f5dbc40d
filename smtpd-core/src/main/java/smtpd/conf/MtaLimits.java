package smtpd.conf;

import java.util.Locale;
import java.util.Map;

/**
 * Limits of the mta: general ones, and overlays for destination domains whatever the order of the
 * statements.
 *
 * @param general what holds everywhere
 * @param family address family to connect with
 * @param byDomain destination domain, lower case, to what is different there
 */
public record MtaLimits(Limits general, Listener.Family family, Map<String, ForDomain> byDomain) {

    public static final MtaLimits DEFAULT =
            new MtaLimits(Limits.DEFAULT, Listener.Family.ANY, Map.of());

    public MtaLimits {
        byDomain = Map.copyOf(byDomain);
    }

    /**
     * What one domain has different.
     *
     * @param limits only what is set counts
     * @param family {@code ANY}: as the general setting
     */
    public record ForDomain(Limits limits, Listener.Family family) {}

    /**
     * Limits towards one destination.
     *
     * @param domain recipient domain, any case
     * @param asHost the action names a host instead of looking for exchangers
     */
    public Limits towards(String domain, boolean asHost) {
        ForDomain narrow = byDomain.get(domain.toLowerCase(Locale.ROOT));
        Limits limits = narrow == null ? general : general.overlaidWith(narrow.limits());
        return asHost ? limits.asHost() : limits;
    }

    /** Address family towards one destination. */
    public Listener.Family familyTowards(String domain) {
        ForDomain narrow = byDomain.get(domain.toLowerCase(Locale.ROOT));
        return narrow == null || narrow.family() == Listener.Family.ANY ? family : narrow.family();
    }
}
