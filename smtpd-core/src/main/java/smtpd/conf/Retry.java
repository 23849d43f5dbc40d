package smtpd.conf;

import java.time.Duration;
import java.util.Optional;

/**
 * How the tries of a deferred envelope are spaced; what is absent is the scheduler's default for
 * the kind of delivery.
 *
 * @param base first wait, 1 s to 1 h
 * @param max longest wait, up to 7 d
 * @param jitterPercent random spread, 0 to 50
 */
public record Retry(
        Optional<Duration> base, Optional<Duration> max, Optional<Integer> jitterPercent) {

    public static final Retry DEFAULT =
            new Retry(Optional.empty(), Optional.empty(), Optional.empty());
}
