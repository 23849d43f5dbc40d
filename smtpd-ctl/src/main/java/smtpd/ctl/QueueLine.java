package smtpd.ctl;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import smtpd.envelope.Envelope;
import smtpd.envelope.EnvelopeFlag;
import smtpd.envelope.EnvelopeText;
import smtpd.envelope.EnvelopeType;
import smtpd.envelope.Evpid;
import smtpd.envelope.Verdict;
import smtpd.imsg.EnvelopeState;
import smtpd.imsg.QueueToControl.EnvelopeRow;
import smtpd.mail.MailAddress;

/**
 * One envelope of {@code show queue}: fourteen fields joined by {@code |}, or a JSON object.
 *
 * @param envelope null when its text cannot be read
 * @param state bits of EnvelopeState
 * @param time next try, or since when, Unix seconds
 * @param isOffline read from the spool: nobody knows when it will be tried
 */
record QueueLine(
        Evpid evpid, Envelope envelope, int state, long time, int retry, boolean isOffline) {

    static QueueLine of(EnvelopeRow row) {
        Envelope envelope =
                EnvelopeText.parse(row.text()) instanceof Verdict.Usable usable
                        ? usable.envelope()
                        : null;
        return new QueueLine(row.evpid(), envelope, row.state(), row.time(), row.retry(), false);
    }

    static QueueLine offline(Evpid evpid, Envelope envelope) {
        int state = envelope.hold() == null ? 0 : EnvelopeState.SUSPENDED;
        return new QueueLine(evpid, envelope, state, 0, envelope.retry(), true);
    }

    private boolean is(int bit) {
        return (state & bit) != 0;
    }

    private String runState() {
        if (isOffline) {
            return "offline";
        }
        if (is(EnvelopeState.IN_FLIGHT)) {
            return "inflight";
        }
        return is(EnvelopeState.PENDING | EnvelopeState.HELD) ? "pending" : "invalid";
    }

    private String seconds(long now) {
        return switch (runState()) {
            case "pending" -> Long.toString(time - now);
            case "inflight" -> Long.toString(now - time);
            default -> "";
        };
    }

    private String family() {
        String address = envelope.sockaddr();
        if (address.equals("local")) {
            return "local";
        }
        return address.indexOf(':') >= 0 ? "inet6" : address.indexOf('.') >= 0 ? "inet4" : "?";
    }

    private List<String> flags() {
        List<String> flags = new ArrayList<>(2);
        if (envelope.has(EnvelopeFlag.BOUNCE)) {
            flags.add("bounce");
        }
        if (envelope.has(EnvelopeFlag.AUTHENTICATED)) {
            flags.add("auth");
        }
        if (envelope.has(EnvelopeFlag.INTERNAL)) {
            flags.add("internal");
        }
        if (is(EnvelopeState.SUSPENDED)) {
            flags.add("suspend");
        }
        if (is(EnvelopeState.HELD)) {
            flags.add("hold");
        }
        return flags;
    }

    /** The null sender is a lone {@code @}. */
    private static String classic(MailAddress address) {
        return field(address.local() + "@" + address.domain());
    }

    /** Only the last field may hold the separator: its readers split thirteen times. */
    private static String field(String text) {
        return Printable.of(text).replace("|", "\\x7c");
    }

    /** The line of the classic format. */
    String text(long now) {
        if (envelope == null) {
            return evpid + "|?|?||@|@|@|0|0|0|" + retry + "|invalid||unreadable envelope";
        }
        return String.join(
                "|",
                evpid.toString(),
                family(),
                envelope.type().text(),
                String.join(",", flags()),
                classic(envelope.sender()),
                classic(envelope.rcpt()),
                classic(envelope.dest()),
                Long.toString(envelope.ctime()),
                Long.toString(envelope.expiresAt()),
                Long.toString(envelope.lastTry()),
                Integer.toString(retry),
                runState(),
                seconds(now),
                Printable.of(envelope.errorline()));
    }

    /** The same and more as JSON. */
    Json json(long now) {
        Json json = new Json().put("evpid", evpid.toString());
        json.put("msgid", evpid.msgid().toString());
        if (envelope == null) {
            return json.put("state", "invalid").put("error", "unreadable envelope");
        }
        json.put("agent", envelope.type().text())
                .put("flags", flags())
                .put("sender", envelope.sender().toString())
                .put("rcpt", envelope.rcpt().toString())
                .put("dest", envelope.dest().toString())
                .put("domain", domain());
        time(json, "created", envelope.ctime());
        time(json, "expires", envelope.expiresAt());
        time(json, "last_try", envelope.lastTry());
        if (runState().equals("pending")) {
            time(json, "next_try", time);
        }
        json.put("attempts", retry).put("state", runState());
        if (!seconds(now).isEmpty()) {
            json.put("seconds", Long.parseLong(seconds(now)));
        }
        json.put("error", envelope.errorline());
        json.put("dsn", envelope.dsn().enhancedStatus());
        if (envelope.content() != null) {
            json.put("size", envelope.content().size());
        }
        return json.put("source", family())
                .put("address", envelope.sockaddr())
                .put("tag", envelope.tag())
                .put("action", envelope.action());
    }

    private String domain() {
        return envelope.type() == EnvelopeType.BOUNCE
                ? envelope.sender().domain()
                : envelope.dest().domain();
    }

    /** As a number for programs and as RFC 3339 for people. */
    private static void time(Json json, String name, long seconds) {
        json.put(name, seconds);
        if (seconds > 0 && seconds < Integer.MAX_VALUE * 4L) {
            json.put(name + "_at", Instant.ofEpochSecond(seconds).toString());
        }
    }
}
