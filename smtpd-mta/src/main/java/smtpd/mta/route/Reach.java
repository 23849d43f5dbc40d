package smtpd.mta.route;

import java.util.List;
import java.util.function.BiPredicate;
import smtpd.mta.session.Reason;
import smtpd.mta.session.Result;

/** Whether the DNS leaves a way to a relay at all. */
final class Reach {

    private Reach() {}

    /** What the DNS says against it; null = nothing. */
    static Result against(Relay relay, BiPredicate<Relay, Domain.Mx> isOurs) {
        boolean asHost = relay.key.asHost();
        switch (relay.domain.status) {
            case OK -> {
                return loop(relay, isOurs);
            }
            case RETRY -> {
                return Result.deferred(
                        Reason.DNS_TEMPFAIL, "451 4.4.3 Temporary failure in MX lookup");
            }
            case NOT_FOUND -> {
                return Result.deferred(
                        Reason.NO_ROUTE,
                        asHost ? "451 4.4.4 Host not found" : "451 4.4.4 No MX found for domain");
            }
            default -> {}
        }
        if (asHost) {
            // The administrator named this host and can mend it: no reason to bounce mail.
            return Result.deferred(Reason.NO_ROUTE, "451 4.4.4 Host not found");
        }
        return switch (relay.domain.status) {
            case INVALID -> Result.failed("550 5.1.2 Invalid domain name");
            case NULL_MX -> Result.failed("556 5.1.10 Domain does not accept mail");
            default -> Result.failed("550 5.1.2 Domain does not exist");
        };
    }

    /** RFC 5321 5.1: ourselves among the mail hosts, and nobody better. */
    private static Result loop(Relay relay, BiPredicate<Relay, Domain.Mx> isOurs) {
        List<Domain.Mx> list = relay.domain.hosts;
        if (list.isEmpty() || !isOurs.test(relay, list.getFirst())) {
            return null;
        }
        String text = " Mail for " + relay.key.domain() + " loops back to myself";
        return relay.key.asHost()
                ? Result.deferred(Reason.NO_ROUTE, "451 4.4.6" + text)
                : Result.failed("550 5.4.6" + text);
    }
}
