package smtpd.queue;

import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import smtpd.conf.Action;
import smtpd.conf.Retry;
import smtpd.envelope.Envelope;
import smtpd.envelope.EnvelopeType;
import smtpd.imsg.QueueToScheduler.Plan;
import smtpd.imsg.QueueToScheduler.RouteTimes;

/**
 * Which routes have retry times of their own, and which of them the scheduler of today has heard.
 * Hosts without such an action pay one look at an empty map.
 */
final class RetryTimes {

    /** Routes remembered; one that was forgotten is only told again. */
    static final int MAX_ROUTES = 8192;

    /** The scheduler takes its default for what the action does not say. */
    private static final int UNSET = 0;

    private static final int UNSET_JITTER = -1;

    private static final class Route {
        final RouteTimes times;
        long heardBy;

        Route(RouteTimes times) {
            this.times = times;
        }
    }

    private final Map<String, Retry> byAction = new HashMap<>();
    private final Map<Long, Route> routes = new LinkedHashMap<>();
    private long scheduler = 1;

    RetryTimes(Map<String, Action> actions) {
        actions.forEach(
                (name, action) -> {
                    if (!action.retry().equals(Retry.DEFAULT)) {
                        byAction.put(name, action.retry());
                    }
                });
    }

    /** The times of this envelope's action. A report that waits to be sent is not its mail. */
    Retry of(Envelope envelope) {
        return byAction.isEmpty() || envelope.type() == EnvelopeType.BOUNCE
                ? Retry.DEFAULT
                : byAction.getOrDefault(envelope.action(), Retry.DEFAULT);
    }

    /** This route has these times. */
    void note(long routeKey, Retry retry) {
        if (routes.containsKey(routeKey)) {
            return; // the key is made of the times too
        }
        if (routes.size() >= MAX_ROUTES) {
            routes.remove(routes.keySet().iterator().next());
        }
        routes.put(
                routeKey,
                new Route(
                        new RouteTimes(
                                routeKey,
                                seconds(retry.base()),
                                seconds(retry.max()),
                                retry.jitterPercent().orElse(UNSET_JITTER))));
    }

    private static int seconds(Optional<Duration> time) {
        return time.map(d -> (int) d.toSeconds()).orElse(UNSET);
    }

    int size() {
        return routes.size();
    }

    /** A new scheduler has heard nothing. */
    void schedulerJoined() {
        scheduler++;
    }

    /** What has to be said before these. */
    void unheard(List<Plan> plans, Consumer<RouteTimes> then) {
        if (routes.isEmpty()) {
            return;
        }
        for (int i = 0; i < plans.size(); i++) {
            Route route = routes.get(plans.get(i).routeKey());
            if (route != null && route.heardBy != scheduler) {
                route.heardBy = scheduler;
                then.accept(route.times);
            }
        }
    }
}
