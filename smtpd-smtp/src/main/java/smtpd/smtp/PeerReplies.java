package smtpd.smtp;

import smtpd.imsg.LkaToSmtp.RecipientRefused;
import smtpd.imsg.Outcome;
import smtpd.imsg.QueueToSmtp.RecipientStored;

/**
 * What lka and the queue say, as replies to a client: 5yz only for what they know, one line,
 * nothing a table could have put in.
 */
final class PeerReplies {

    private static final Reply STORAGE = Reply.of(451, "4.3.1", "Temporary failure");
    private static final Reply CONFIGURATION = Reply.of(451, "4.3.5", "Temporary failure");
    private static final Reply EXPANSION_LATER =
            Reply.of(424, "4.2.4", "Mailing list expansion problem");
    private static final Reply EXPANSION = Reply.of(524, "5.2.4", "Mailing list expansion problem");

    private PeerReplies() {}

    private static String replyOf(Outcome outcome) {
        return switch (outcome) {
            case Outcome.Ok _ -> "";
            case Outcome.Temporary t -> t.reply();
            case Outcome.Permanent p -> p.reply();
        };
    }

    private static String escOf(Outcome outcome) {
        return switch (outcome) {
            case Outcome.Ok _ -> "";
            case Outcome.Temporary t -> t.esc();
            case Outcome.Permanent p -> p.esc();
        };
    }

    static Reply refusal(RecipientRefused answer, Transaction.Recipient recipient) {
        boolean permanent = answer.outcome() instanceof Outcome.Permanent;
        Reply temporary = forRecipient(Reply.TEMPORARY, recipient);
        return switch (answer.reason()) {
            case RELAY_DENIED ->
                    permanent
                            ? Reply.of(
                                    550,
                                    "5.7.1",
                                    "Invalid recipient: <"
                                            + recipient.address
                                            + "> (relaying denied)")
                            : temporary;
            case UNKNOWN_USER ->
                    permanent
                            ? Reply.of(
                                    550, "5.1.1", "Invalid recipient: <" + recipient.address + ">")
                            : temporary;
            case EXPANSION -> forRecipient(permanent ? EXPANSION : EXPANSION_LATER, recipient);
            case TABLE -> temporary;
            case CONFIG -> forRecipient(CONFIGURATION, recipient);
            case ERROR ->
                    Reply.foreign(replyOf(answer.outcome()), escOf(answer.outcome()), temporary);
        };
    }

    /** The queue could not stage the envelopes of one RCPT. */
    static Reply notStored(RecipientStored answer, Transaction.Recipient recipient) {
        return isFull(answer.outcome()) ? Reply.FULL : forRecipient(STORAGE, recipient);
    }

    /** The storage says that it has no room. */
    static boolean isFull(Outcome outcome) {
        return replyOf(outcome).startsWith("452");
    }

    /** The reason word of the log. */
    static String reason(RecipientRefused answer) {
        return switch (answer.reason()) {
            case RELAY_DENIED -> "relay-denied";
            case UNKNOWN_USER -> "unknown-user";
            case EXPANSION -> "expansion";
            case TABLE -> "table";
            case CONFIG -> "config";
            case ERROR -> "error";
        };
    }

    /** The reply with the address it is about. */
    static Reply forRecipient(Reply reply, Transaction.Recipient recipient) {
        return Reply.of(reply.code(), reply.esc(), reply.text() + ": <" + recipient.address + ">");
    }
}
