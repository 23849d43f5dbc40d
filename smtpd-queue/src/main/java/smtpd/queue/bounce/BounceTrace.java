package smtpd.queue.bounce;

import java.util.List;
import smtpd.envelope.Envelope;
import smtpd.envelope.Evpid;
import smtpd.envelope.Msgid;
import smtpd.imsg.Outcome;
import smtpd.log.Trace;
import smtpd.queue.backend.QueueBackend.Stored;

/**
 * What {@code trace bounce} shows: the steps from reports that are due to a notice in the queue. No
 * SMTP session injects it, so there is no dialogue; the lines stand under the id of the message
 * that could not be delivered.
 */
final class BounceTrace {

    private BounceTrace() {}

    static void gathered(Evpid id, Envelope envelope, int waiting) {
        if (Trace.BOUNCE.isOn()) {
            line(
                    id.msgid(),
                    "gather "
                            + id
                            + " kind="
                            + envelope.bounce().type().text(3)
                            + " rcpt=<"
                            + envelope.dest()
                            + "> stat=\""
                            + envelope.errorline()
                            + "\" waiting="
                            + waiting);
        }
    }

    static void asked(Msgid msgid, Envelope any, int reports) {
        if (Trace.BOUNCE.isOn()) {
            line(msgid, "lka is asked where <" + any.sender() + "> is, reports=" + reports);
        }
    }

    static void answered(Msgid msgid, Outcome outcome, int envelopes) {
        if (Trace.BOUNCE.isOn()) {
            String result =
                    switch (outcome) {
                        case Outcome.Ok _ -> "envelopes=" + envelopes;
                        case Outcome.Temporary t -> t.reply();
                        case Outcome.Permanent p -> p.reply();
                    };
            line(msgid, "lka answers: " + result);
        }
    }

    static void written(Msgid msgid, Msgid notice, int bytes) {
        if (Trace.BOUNCE.isOn()) {
            line(msgid, "notice " + notice + " is written, bytes=" + bytes);
        }
    }

    static void committed(Msgid msgid, Msgid notice, List<Evpid> done, Stored stored) {
        if (Trace.BOUNCE.isOn()) {
            String result =
                    switch (stored) {
                        case Stored.Ok _ -> "ok";
                        case Stored.Absent _ -> "absent";
                        case Stored.Temporary t -> "temporary: " + t.cause();
                    };
            line(msgid, "commit(" + notice + ", -" + done + ") -> " + result);
        }
    }

    /**
     * An envelope is answered for.
     *
     * @param how what the scheduler is told
     */
    static void ended(Evpid id, String how) {
        if (Trace.BOUNCE.isOn()) {
            line(id.msgid(), "end " + id + " -> " + how);
        }
    }

    private static void line(Msgid msgid, String text) {
        Trace.BOUNCE.line(Evpid.ofMessage(msgid).value(), "", text);
    }
}
