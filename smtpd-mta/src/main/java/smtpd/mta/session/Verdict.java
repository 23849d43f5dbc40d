package smtpd.mta.session;

import java.util.Locale;

/** From a refusing reply to the outcome of a recipient: what the code and its words mean. */
final class Verdict {

    private Verdict() {}

    /** The outcome of a 4yz or 5yz reply at or after MAIL. */
    static Result of(Reply reply, Phase phase) {
        if (reply.isPermanent()) {
            return new Result(Result.Kind.FAILED, Reason.NONE, reply.status(), reply.text(), false);
        }
        return new Result(
                Result.Kind.DEFERRED, reason(reply, phase), reply.status(), reply.text(), false);
    }

    /** Why a 4yz reply refused us. */
    static Reason reason(Reply reply, Phase phase) {
        String text = reply.text().toLowerCase(Locale.ROOT);
        if (isGreylisting(reply, phase, text)) {
            return Reason.GREYLISTED;
        }
        switch (reply.esc()) {
            case "4.7.28", "4.7.650" -> {
                return Reason.RATE_LIMITED;
            }
            case "4.2.2" -> {
                return Reason.MAILBOX_FULL;
            }
            case "4.7.0" -> {
                if (reply.code() == 421) {
                    return Reason.RATE_LIMITED;
                }
            }
            default -> {}
        }
        if (text.contains("rate limit")
                || text.contains("too many")
                || text.contains("throttl")
                || text.contains("exceeded")) {
            return Reason.RATE_LIMITED;
        }
        return Reason.REMOTE_4XX;
    }

    private static boolean isGreylisting(Reply reply, Phase phase, String text) {
        if ((reply.code() != 450 && reply.code() != 451)
                || (phase != Phase.RCPT && phase != Phase.DATA && phase != Phase.EOM)) {
            return false;
        }
        boolean named = text.contains("grey") || text.contains("graylist");
        return switch (reply.esc()) {
            case "4.7.1" -> named || text.contains("try again");
            case "4.2.0" -> named;
            default -> false;
        };
    }
}
