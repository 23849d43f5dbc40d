package smtpd.mta.route;

import java.util.LinkedHashSet;
import java.util.Set;
import smtpd.mta.session.Reason;
import smtpd.mta.session.Reply;
import smtpd.mta.session.Result;

/** In what words a relay fails when none of its connectors has a way, and for how long. */
final class NoRoute {

    private static final int MAX_CAUSES = 3;

    private NoRoute() {}

    static Result result(Relay relay, Book book) {
        if (has(relay, Connector.Flag.ERROR_ROUTE_SMTP)) {
            return refused(relay, book);
        }
        if (has(relay, Connector.Flag.ERROR_ROUTE_NET)) {
            return deferred("451 4.4.1 Network error on destination MXs", relay, book);
        }
        if (has(relay, Connector.Flag.ERROR_MX)) {
            return Result.deferred(Reason.NO_ROUTE, "451 4.4.4 No MX found for destination");
        }
        if (has(relay, Connector.Flag.ERROR_FAMILY)) {
            return Result.deferred(
                    Reason.NO_ROUTE, "451 4.4.4 Address family mismatch on destination MXs");
        }
        if (has(relay, Connector.Flag.ERROR_SOURCE)) {
            return Result.deferred(Reason.NO_ROUTE, "451 4.3.5 No valid route to destination");
        }
        return Result.deferred(Reason.NO_ROUTE, "451 4.4.1 No valid route to destination");
    }

    /** True when another try is worth it as soon as a host of the destination is heard again. */
    static boolean isForWantOfHost(Result result) {
        return result.kind() == Result.Kind.DEFERRED
                && (result.reason() == Reason.BANNER_REJECT
                        || (result.reason() == Reason.NO_ROUTE && result.esc().equals("4.4.1")));
    }

    /** Every host said something: RFC 7504 makes two codes final, the rest is put off. */
    private static Result refused(Relay relay, Book book) {
        Reply last = null;
        boolean same = !relay.domain.incomplete;
        for (Connector connector : relay.connectors) {
            for (Domain.Mx mx : relay.domain.hosts) {
                Reply reply = book.route(connector.source, mx.host()).lastRefusal;
                same &= reply != null && (last == null || last.code() == reply.code());
                last = reply == null ? last : reply;
            }
        }
        if (last != null && same && !relay.key.asHost()) {
            if (last.code() == 521) {
                return Result.failed(withStatus(last, "5.3.2"));
            }
            if (last.code() == 556) {
                return Result.failed(withStatus(last, "5.1.10"));
            }
        }
        if (last != null) {
            Reply put = last.asTemporary();
            return new Result(
                    Result.Kind.DEFERRED, Reason.BANNER_REJECT, put.status(), put.text(), false);
        }
        return deferred("451 4.3.2 Destination seem to reject all mails", relay, book);
    }

    private static String withStatus(Reply reply, String status) {
        String rest = reply.text().substring(3).strip();
        if (!reply.esc().isEmpty() && rest.startsWith("5.")) {
            return reply.text();
        }
        return reply.code() + " " + status + " " + rest;
    }

    private static Result deferred(String text, Relay relay, Book book) {
        Set<String> causes = new LinkedHashSet<>();
        for (Connector connector : relay.connectors) {
            for (Domain.Mx mx : relay.domain.hosts) {
                Route route = book.route(connector.source, mx.host());
                if (!route.lastText.isEmpty() && causes.size() < MAX_CAUSES) {
                    causes.add(route.host.address.getHostAddress() + " " + cause(route.lastText));
                }
            }
        }
        return Result.deferred(
                Reason.NO_ROUTE, causes.isEmpty() ? text : text + ": " + String.join("; ", causes));
    }

    /** The words behind the codes. */
    private static String cause(String text) {
        int second = text.indexOf(' ', 4);
        return second < 0 ? text : text.substring(second + 1);
    }

    private static boolean has(Relay relay, Connector.Flag flag) {
        for (Connector connector : relay.connectors) {
            if (connector.has(flag)) {
                return true;
            }
        }
        return false;
    }

    /** Until the first of its routes is enabled again, 5 to 60 s. */
    static long rest(Relay relay, Book book, long now) {
        long first = now + 60_000;
        boolean down = false;
        for (Connector connector : relay.connectors) {
            for (Domain.Mx mx : relay.domain.hosts) {
                Route route = book.route(connector.source, mx.host());
                if (route.disabled) {
                    down = true;
                    first = Math.min(first, route.timerAt);
                }
            }
        }
        return down ? Math.max(5_000, first - now) : 5_000;
    }
}
