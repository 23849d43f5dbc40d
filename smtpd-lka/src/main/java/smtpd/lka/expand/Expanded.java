package smtpd.lka.expand;

import java.util.List;
import smtpd.envelope.Envelope;
import smtpd.imsg.LkaToSmtp.Refusal;
import smtpd.imsg.Outcome;

/** How an expansion ended: all or nothing. */
public sealed interface Expanded {

    /**
     * @param envelopes at least one, in the order of the texts they come from
     */
    record Accepted(List<Envelope> envelopes) implements Expanded {
        public Accepted {
            envelopes = List.copyOf(envelopes);
        }
    }

    /**
     * @param why for the log
     */
    record Refused(Refusal reason, Outcome outcome, String why) implements Expanded {

        /** Nobody here would take or relay it. */
        static Refused relayDenied() {
            return permanent(Refusal.RELAY_DENIED, "550 Invalid recipient", "5.7.1", "no rule");
        }

        static Refused unknownUser(String name) {
            return permanent(
                    Refusal.UNKNOWN_USER, "550 Invalid recipient", "5.1.1", "no user " + name);
        }

        /** The lists themselves lead nowhere, for good. */
        static Refused deadEnd(String why) {
            return permanent(Refusal.EXPANSION, "524 Mailing list expansion problem", "5.2.4", why);
        }

        /** A list cannot be read for now. */
        static Refused unreadable(String why) {
            return temporary(Refusal.EXPANSION, "424 Mailing list expansion problem", "4.2.4", why);
        }

        /** A rule, a user database or a peer cannot answer for now. */
        public static Refused noAnswer(String why) {
            return temporary(Refusal.TABLE, "451 Temporary failure", "4.3.0", why);
        }

        /** An administrator has to change something first. */
        static Refused misconfigured(String why) {
            return temporary(Refusal.CONFIG, "451 Temporary failure", "4.3.5", why);
        }

        /** With a text of our own, which the client reads as it is. */
        static Refused text(String reply, String why) {
            Outcome outcome =
                    reply.charAt(0) == '4'
                            ? new Outcome.Temporary(reply, "")
                            : new Outcome.Permanent(reply, "");
            return new Refused(Refusal.ERROR, outcome, why);
        }

        private static Refused permanent(Refusal reason, String reply, String esc, String why) {
            return new Refused(reason, new Outcome.Permanent(reply, esc), why);
        }

        private static Refused temporary(Refusal reason, String reply, String esc, String why) {
            return new Refused(reason, new Outcome.Temporary(reply, esc), why);
        }
    }
}
