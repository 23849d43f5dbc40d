package smtpd.queue.bounce;

import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import smtpd.envelope.BounceType;
import smtpd.envelope.DsnFields;
import smtpd.envelope.Envelope;
import smtpd.envelope.EnvelopeFlag;
import smtpd.envelope.EnvelopeType;
import smtpd.envelope.Evpid;
import smtpd.imsg.AgentToQueue;
import smtpd.log.LogLine;
import smtpd.queue.EnvelopeStore;
import smtpd.stat.Stat;
import smtpd.stat.Stats;

/**
 * Decides whether the sender hears of an end, and makes the bounce envelope that stands for the
 * report until it is written: a copy of the failed one, of type bounce, with a life of its own.
 */
public final class BounceMaker {

    private static final Logger LOG = LoggerFactory.getLogger(BounceMaker.class);

    private static final int MAX_HOST = 255;

    private final Clock clock;
    private final Stats stats;
    private final SecureRandom random = new SecureRandom();

    BounceMaker(Clock clock, Stats stats) {
        this.clock = clock;
        this.stats = stats;
    }

    /** A low half for the bounce; the commit refuses nothing, since 32 random bits do not meet. */
    public int drawLow() {
        int low;
        do {
            low = random.nextInt();
        } while (low == 0 || low == -1);
        return low;
    }

    /** A bounce envelope is stored. */
    public void created() {
        stats.increment(Stat.QUEUE_BOUNCE);
    }

    /** Null when nobody is to be told of this failure. */
    public Envelope failure(
            Evpid id, EnvelopeStore.Stored stored, String text, String esc, String remote) {
        Envelope failed = stored.envelope();
        if (!mayReport(id, failed, DsnFields.FAILURE)) {
            return null;
        }
        return bounce(failed, BounceType.FAILED)
                .errorline(text)
                .enhancedStatus(esc)
                .remoteMta(host(remote))
                .build();
    }

    /** Life is over; the last answer stays in the report. */
    public Envelope expired(Evpid id, EnvelopeStore.Stored stored) {
        Envelope failed = stored.envelope();
        if (!mayReport(id, failed, DsnFields.FAILURE)) {
            return null;
        }
        String last = failed.errorline();
        return bounce(failed, BounceType.FAILED)
                .errorline(Wording.EXPIRED + (last.isEmpty() ? "" : ": " + last))
                .enhancedStatus("4.4.7")
                .bounceExpire(failed.expire())
                .build();
    }

    /** Late, but still tried; times in seconds. */
    public Envelope delayed(EnvelopeStore.Stored stored, long delay, long expire) {
        Envelope late = stored.envelope();
        if (late.type() == EnvelopeType.BOUNCE
                || late.isNullSender()
                || isUnwanted(late, DsnFields.DELAY)) {
            return null;
        }
        return bounce(late, BounceType.DELAYED)
                .bounceDelay(Duration.ofSeconds(delay))
                .bounceExpire(Duration.ofSeconds(expire))
                .build();
    }

    /** Delivered or passed on, where the sender asked for it. */
    public Envelope success(Evpid id, EnvelopeStore.Stored stored, AgentToQueue.Delivered m) {
        Envelope delivered = stored.envelope();
        if (delivered.type() == EnvelopeType.BOUNCE
                || delivered.isNullSender()
                || (delivered.dsn().notifyBits() & DsnFields.SUCCESS) == 0
                || m.dsnCapable()) {
            return null;
        }
        boolean relayed = delivered.type() == EnvelopeType.MTA;
        return bounce(delivered, relayed ? BounceType.RELAYED : BounceType.DELIVERED)
                .errorline(m.text())
                .enhancedStatus("2.0.0")
                .remoteMta(host(m.remote()))
                .build();
    }

    /**
     * One recipient became several, each of which no longer reports its success.
     *
     * @param staged one of them, not stored so far
     */
    public Envelope expanded(Envelope staged) {
        return bounce(staged, BounceType.EXPANDED)
                .flag(EnvelopeFlag.INTERNAL)
                .enhancedStatus("2.0.0")
                .build();
    }

    /** Whether a recipient that became several is to be reported as that. */
    public static boolean wantsExpanded(Envelope staged) {
        return !staged.isNullSender()
                && staged.type() != EnvelopeType.BOUNCE
                && (staged.dsn().notifyBits() & DsnFields.SUCCESS) != 0;
    }

    /** A host as an agent names it, made fit for an envelope whatever the other side put there. */
    public static String host(String remote) {
        StringBuilder host = new StringBuilder(Math.min(remote.length(), MAX_HOST));
        for (int i = 0; i < remote.length() && host.length() < MAX_HOST; i++) {
            char c = remote.charAt(i);
            host.append(c >= ' ' && c < 0x7f && c != '\\' ? c : '?');
        }
        return host.toString();
    }

    private boolean mayReport(Evpid id, Envelope failed, int kind) {
        if (failed.type() == EnvelopeType.BOUNCE) {
            discard(id, failed, "double-bounce");
            return false;
        }
        if (failed.isNullSender()) {
            discard(id, failed, "null-sender");
            return false;
        }
        if (isUnwanted(failed, kind)) {
            discard(id, failed, "notify");
            return false;
        }
        return true;
    }

    private static boolean isUnwanted(Envelope envelope, int kind) {
        int bits = envelope.dsn().notifyBits();
        return (bits & DsnFields.NEVER) != 0 || (bits != 0 && (bits & kind) == 0);
    }

    private static void discard(Evpid id, Envelope envelope, String reason) {
        LogLine.of("bounce", "failed")
                .add("evpid", id.toString())
                .address("to", envelope.sender())
                .add("action", "discard")
                .add("reason", reason)
                .info(LOG);
    }

    private smtpd.envelope.EnvelopeBuilder bounce(Envelope failed, BounceType type) {
        return failed.toBuilder()
                .type(EnvelopeType.BOUNCE)
                .bounceType(type)
                .retry(0)
                .lastTry(0)
                .lastBounce(0)
                .hold(null)
                .ctime(clock.millis() / 1000)
                .expire(Envelope.BOUNCE_EXPIRE);
    }
}
