package smtpd.queue.bounce;

import java.util.Locale;
import smtpd.envelope.BounceType;
import smtpd.envelope.Envelope;

/** What a notice says to people, by kind and by enhanced status code (RFC 3463). */
final class Wording {

    /**
     * @param sentence what happened
     * @param advice what to do, without full stop
     */
    record Reason(String sentence, String advice) {}

    private static final Reason UNKNOWN =
            new Reason("The other system refused it.", "read its answer, it may say why");

    private Wording() {}

    static String subject(BounceType kind) {
        return switch (kind) {
            case FAILED -> "Mail not delivered";
            case DELAYED -> "Mail delayed, still trying";
            case DELIVERED -> "Mail delivered";
            case RELAYED -> "Mail passed on";
            case EXPANDED -> "Mail passed on to several addresses";
        };
    }

    /** Goes on from "Your mail". */
    static String lead(BounceType kind, Envelope report) {
        return switch (kind) {
            case FAILED -> "was not delivered to:";
            case DELAYED ->
                    "could not be delivered for "
                            + period(report.bounce().delay().toSeconds())
                            + " to:";
            case DELIVERED -> "was put into the mailbox of:";
            case RELAYED ->
                    "was accepted by "
                            + (report.remoteMta().isEmpty()
                                    ? "the next system"
                                    : report.remoteMta())
                            + " for the\nrecipients below. That system does not send reports, so"
                            + " this is the last you hear\nof it unless it fails:";
            case EXPANDED ->
                    "was accepted. The address below stands for several recipients.\nYour mail was"
                            + " sent to all of them; no report on each will follow:";
        };
    }

    static Reason reason(Envelope report) {
        String esc = report.dsn().enhancedStatus();
        return switch (esc) {
            case "5.1.1", "5.1.6", "5.2.1" ->
                    new Reason(
                            "The address does not exist there.",
                            "check the address for typing errors, then send it again");
            case "5.1.2", "5.4.4" ->
                    new Reason(
                            "The domain does not exist or takes no mail.",
                            "check the part after @");
            case "4.2.2", "5.2.2" ->
                    new Reason(
                            "The mailbox is full.", "tell the recipient another way, send later");
            case "5.2.3", "5.3.4" ->
                    new Reason("The mail is too big.", "send it smaller or as a link");
            case "5.6.7", "5.6.9", "5.6.3" ->
                    new Reason(
                            "The other system cannot take these characters.",
                            "use a plain address or subject");
            case "4.4.7" ->
                    new Reason(
                            "It could not be delivered in time.", "check the address; send later");
            case "5.4.6" ->
                    new Reason("The mail goes round in a circle.", "tell your administrator");
            default -> bySubject(esc, report.errorline());
        };
    }

    private static Reason bySubject(String esc, String line) {
        if (line.contains("5.1.10")) {
            return new Reason(
                    "The domain does not exist or takes no mail.", "check the part after @");
        }
        if (line.contains("5.7.10") || line.contains("5.7.30")) {
            return new Reason(
                    "No protected way there, as you required.", "send without that demand");
        }
        if (esc.startsWith("5.7.")) {
            return new Reason(
                    "It was refused by the other side's rules.",
                    "its answer names the rule; your administrator can help");
        }
        return UNKNOWN;
    }

    /** {@code 4 hours}, {@code 1 day}. */
    private static String period(long seconds) {
        long amount = seconds;
        String unit = "second";
        if (seconds >= 2 * 86_400) {
            amount = seconds / 86_400;
            unit = "day";
        } else if (seconds >= 3_600) {
            amount = seconds / 3_600;
            unit = "hour";
        } else if (seconds >= 60) {
            amount = seconds / 60;
            unit = "minute";
        }
        return String.format(Locale.ROOT, "%d %s%s", amount, unit, amount == 1 ? "" : "s");
    }
}
