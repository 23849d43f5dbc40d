package smtpd.conf;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import smtpd.table.TableRef;
import smtpd.table.TableSpec;

/**
 * One configuration, complete and immutable. Every process builds the same one from the same bytes
 * and takes what concerns it.
 *
 * @param configId number of the hand-over; sessions name it in what they ask
 * @param instance where this daemon lives
 * @param serverName name at greeting, EHLO and in Received headers
 * @param listeners in the order of the text
 * @param submission options of the local submission socket
 * @param tables all tables, anonymous ones included, by name
 * @param rules in the order of the text; the first that matches decides
 * @param actions all actions by name
 * @param expire life of mail in the queue where the action says nothing
 * @param bounceExpire life of bounces
 * @param warnAfter ages at which the sender is told that mail is late, ascending; may be empty
 * @param maxMessageBytes largest mail taken
 * @param subAddressDelimiter what separates user and tag in a local part
 * @param maxMtaDeferred deferred envelopes remembered for each domain
 * @param limits of smtp, mda and scheduler
 * @param mtaLimits of mta
 * @param inflightShare how the scheduler divides what is with agents
 * @param resolvers name servers; empty: those of {@code resolv.conf}
 */
public record Config(
        long configId,
        Instance instance,
        String serverName,
        List<Listener> listeners,
        Listener.Socket submission,
        Map<TableRef, TableSpec> tables,
        List<Rule> rules,
        Map<String, Action> actions,
        Duration expire,
        Duration bounceExpire,
        List<Duration> warnAfter,
        long maxMessageBytes,
        char subAddressDelimiter,
        int maxMtaDeferred,
        Limits limits,
        MtaLimits mtaLimits,
        InflightShare inflightShare,
        QueueSettings queue,
        MdaSettings mda,
        List<InetSocketAddress> resolvers) {

    public static final Duration DEFAULT_EXPIRE = Duration.ofDays(4);
    public static final Duration BOUNCE_EXPIRE = Duration.ofDays(7);
    public static final long DEFAULT_MAX_MESSAGE_BYTES = 35L << 20;
    public static final int DEFAULT_MAX_MTA_DEFERRED = 100;

    public Config {
        listeners = List.copyOf(listeners);
        tables = Collections.unmodifiableMap(new LinkedHashMap<>(tables));
        rules = List.copyOf(rules);
        actions = Collections.unmodifiableMap(new LinkedHashMap<>(actions));
        warnAfter = List.copyOf(warnAfter);
        resolvers = List.copyOf(resolvers);
    }

    /**
     * Percent of {@code max-inflight} reserved for each kind; together 100.
     *
     * @param mta relayed mail
     * @param mda local mail
     * @param bounce notices
     */
    public record InflightShare(int mta, int mda, int bounce) {
        public static final InflightShare DEFAULT = new InflightShare(60, 30, 10);
    }

    /** Life in the queue of mail this action takes. */
    public Duration ttlOf(Action action) {
        return action.ttl().orElse(expire);
    }
}
