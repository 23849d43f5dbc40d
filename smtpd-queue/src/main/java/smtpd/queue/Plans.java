package smtpd.queue;

import smtpd.conf.Retry;
import smtpd.envelope.Envelope;
import smtpd.envelope.EnvelopeType;
import smtpd.envelope.Evpid;
import smtpd.imsg.QueueToScheduler.Plan;

/** From an envelope to the few numbers the scheduler works with. */
final class Plans {

    private Plans() {}

    /**
     * @param retry what its action says of the times between tries
     */
    static Plan of(Evpid evpid, Envelope envelope, Retry retry) {
        return new Plan(
                evpid.low(),
                envelope.type(),
                envelope.ctime(),
                envelope.expire().toSeconds(),
                envelope.retry(),
                envelope.lastBounce(),
                withTimes(routeKey(envelope), retry),
                envelope.hold() != null,
                false);
    }

    /** Equal for envelopes that go the same way: relay or domain, mailbox owner, return path. */
    private static long routeKey(Envelope envelope) {
        long key = envelope.type().ordinal() + 1L;
        if (envelope.type() == EnvelopeType.MTA) {
            String relay = envelope.mta().relay();
            key = mix(key, relay == null || relay.isEmpty() ? envelope.dest().domain() : relay);
            return mix(key, String.valueOf(envelope.mta().source()));
        }
        return envelope.type() == EnvelopeType.MDA
                ? mix(key, String.valueOf(envelope.mda().user()))
                : mix(key, envelope.sender().domain());
    }

    /**
     * Times belong to a route: actions of different times that go the same way do not share one.
     */
    private static long withTimes(long key, Retry retry) {
        return retry.equals(Retry.DEFAULT) ? key : (key ^ retry.hashCode()) * 0x100000001b3L;
    }

    private static long mix(long key, String text) {
        long mixed = key;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            mixed = (mixed ^ (c >= 'A' && c <= 'Z' ? c + 32 : c)) * 0x100000001b3L;
        }
        return mixed ^ (mixed >>> 29);
    }
}
