package smtpd.envelope;

import java.time.Duration;

/**
 * What a bounce envelope reports.
 *
 * @param type null for the other envelope types
 * @param delay how long the mail has been waiting; zero except for a delay warning
 * @param expire its whole life; zero except for a delay warning
 * @param notice id of the notice being committed, {@link Msgid#NONE} before: when that message
 *     exists at load, this bounce is done
 */
public record BounceFields(BounceType type, Duration delay, Duration expire, Msgid notice) {

    public static final BounceFields NONE =
            new BounceFields(null, Duration.ZERO, Duration.ZERO, Msgid.NONE);

    public BounceFields {
        Values.range("bounce-delay", delay.toSeconds(), Values.MAX_SECONDS);
        Values.range("bounce-expire", expire.toSeconds(), Values.MAX_SECONDS);
        java.util.Objects.requireNonNull(notice);
    }
}
