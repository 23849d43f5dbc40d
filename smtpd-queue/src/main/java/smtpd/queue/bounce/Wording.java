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

    /** How the error line of an expiry begins; the last answer follows a colon. */
    static final String EXPIRED = "451 4.4.7 Envelope expired";

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
    static String lead(BounceType kind, Envelope report, String host) {
        return switch (kind) {
            case FAILED -> "was not delivered to:";
            case DELAYED ->
                    "could not be delivered for "
                            + period(report.bounce().delay().toSeconds())
                            + " to:";
            case DELIVERED -> "was put into the mailbox of:";
            case RELAYED ->
                    "was accepted by "
                            + (host.isEmpty() ? "the next system" : host)
                            + " for the\nrecipients below. That system does not send reports, so"
                            + " this is the last you hear\nof it unless it fails:";
            case EXPANDED ->
                    "was accepted. The address below stands for several recipients.\nYour mail was"
                            + " sent to all of them; no report on each will follow:";
        };
    }

    /**
     * The enhanced status code: from the reply itself where it has one, since an envelope's own
     * field cannot hold details above 9; empty when there is none.
     */
    static String status(Envelope report) {
        String noted = report.dsn().enhancedStatus();
        String line = report.errorline();
        int end = line.indexOf(' ', 4);
        String said = line.length() < 9 ? "" : line.substring(4, end < 0 ? line.length() : end);
        boolean isCode = isCode(said) && line.charAt(3) == ' ' && line.charAt(0) == said.charAt(0);
        return isCode && (noted.isEmpty() || noted.charAt(0) == said.charAt(0)) ? said : noted;
    }

    /** {@code N.NNN.NNN}. */
    private static boolean isCode(String word) {
        int dots = 0;
        int digits = 0;
        for (int i = 0; i < word.length(); i++) {
            char c = word.charAt(i);
            if (c == '.' && digits > 0 && digits <= 3) {
                dots++;
                digits = 0;
            } else if (c >= '0' && c <= '9') {
                digits++;
            } else {
                return false;
            }
        }
        return dots == 2 && digits > 0 && digits <= 3 && word.charAt(1) == '.';
    }

    /**
     * What the other side, or the delivery, said last: without our word on an expiry, and without
     * codes of 1xx and 6xx, which are ours and no reply.
     */
    static String answer(Envelope report) {
        String line = report.errorline();
        if (line.startsWith(EXPIRED)) {
            int from = EXPIRED.length();
            return line.startsWith(": ", from) ? line.substring(from + 2) : "";
        }
        boolean ours = line.length() > 4 && (line.charAt(0) == '1' || line.charAt(0) == '6');
        return ours ? line.substring(4) : line;
    }

    static Reason reason(Envelope report) {
        String code = status(report);
        return switch (code) {
            case "5.1.1", "5.1.6", "5.2.1" ->
                    new Reason(
                            "The address does not exist there.",
                            "check the address for typing errors, then send it again");
            case "5.1.2", "5.1.10", "5.4.4" ->
                    new Reason(
                            "The domain does not exist or takes no mail.",
                            "check the part after @");
            case "4.2.2", "5.2.2" ->
                    new Reason(
                            "The mailbox is full.", "tell the recipient another way, send later");
            case "5.2.3", "5.3.4" ->
                    new Reason(
                            report.content() == null
                                    ? "The mail is too big."
                                    : "The mail is too big ("
                                            + report.content().size()
                                            + " bytes).",
                            "send it smaller or as a link");
            case "5.6.7", "5.6.9", "5.6.3" ->
                    new Reason(
                            "The other system cannot take these characters.",
                            "use a plain address or subject");
            case "5.7.10", "5.7.30" ->
                    new Reason(
                            "No protected way there, as you required.", "send without that demand");
            case "4.4.7" -> {
                long life = report.bounce().expire().toSeconds();
                yield new Reason(
                        life == 0
                                ? "It could not be delivered in time."
                                : "It could not be delivered for " + period(life) + ".",
                        "check the address; send later");
            }
            case "5.4.6" ->
                    new Reason("The mail goes round in a circle.", "tell your administrator");
            default ->
                    code.startsWith("5.7.")
                            ? new Reason(
                                    "It was refused by the other side's rules.",
                                    "its answer names the rule; your administrator can help")
                            : UNKNOWN;
        };
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
