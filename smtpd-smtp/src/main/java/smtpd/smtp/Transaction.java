package smtpd.smtp;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import smtpd.envelope.Msgid;
import smtpd.mail.MailAddress;

/**
 * One mail of a session from MAIL to the answer to its end (RFC 5321 4.1.4). Recipients are asked
 * about several at a time; their replies wait here for their turn.
 */
final class Transaction {

    /** One RCPT whose reply is not given yet. */
    static final class Recipient {
        final int rcptNo;
        final MailAddress address;
        final String command;
        Reply reply;
        String reason = "";
        List<Integer> lows = List.of();

        Recipient(int rcptNo, MailAddress address, String command) {
            this.rcptNo = rcptNo;
            this.address = address;
            this.command = command;
        }
    }

    /** One RCPT that got its 250. */
    record Accepted(MailAddress address, List<Integer> lows) {}

    private final int no;
    private final MailAddress sender;
    private final boolean senderNonAscii;
    private final MailParameters parameters;
    private final long startedAt;
    private final ArrayDeque<Recipient> waiting = new ArrayDeque<>();
    private final List<Accepted> accepted = new ArrayList<>(1);
    private byte[] acceptedBits = new byte[1];
    private int recipients;
    private int unanswered;
    private int expansionsOut;
    private boolean nonAsciiRecipient;
    private boolean knownToQueue;
    private boolean lost;
    private Msgid msgid = Msgid.NONE;

    Transaction(
            int no,
            MailAddress sender,
            boolean senderNonAscii,
            MailParameters parameters,
            long startedAt) {
        this.no = no;
        this.sender = sender;
        this.senderNonAscii = senderNonAscii;
        this.parameters = parameters;
        this.startedAt = startedAt;
    }

    int no() {
        return no;
    }

    MailAddress sender() {
        return sender;
    }

    boolean isSenderNonAscii() {
        return senderNonAscii;
    }

    MailParameters parameters() {
        return parameters;
    }

    long startedAt() {
        return startedAt;
    }

    // ---- recipients

    /** A RCPT begins; replies are given in this order. */
    Recipient begin(MailAddress address, String command) {
        Recipient recipient = new Recipient(++recipients, address, command);
        waiting.add(recipient);
        unanswered++;
        return recipient;
    }

    /** RCPT commands so far, refused ones included. */
    int recipients() {
        return recipients;
    }

    /** lka was asked about one. */
    void asked() {
        expansionsOut++;
        knownToQueue = true;
    }

    void nonAsciiRecipient() {
        nonAsciiRecipient = true;
    }

    boolean hasNonAsciiRecipient() {
        return nonAsciiRecipient;
    }

    /** An answer of lka or of the queue for this number came, in time or late. */
    Recipient answered(int rcptNo) {
        if (expansionsOut > 0) {
            expansionsOut--;
        }
        for (Recipient recipient : waiting) {
            if (recipient.rcptNo == rcptNo) {
                return recipient.reply == null ? recipient : null;
            }
        }
        return null;
    }

    /** Decides one RCPT; its reply leaves when those before it have left. */
    void decide(Recipient recipient, Reply reply, String reason) {
        recipient.reply = reply;
        recipient.reason = reason;
        unanswered--;
    }

    /** All that wait for an answer get this one. */
    void decideAll(Reply reply, String reason) {
        for (Recipient recipient : waiting) {
            if (recipient.reply == null) {
                decide(
                        recipient,
                        Reply.of(
                                reply.code(),
                                reply.esc(),
                                reply.text() + ": <" + recipient.address + ">"),
                        reason);
            }
        }
    }

    /** The RCPT whose reply is the next to be given; null when that is not decided. */
    Recipient firstDecided() {
        Recipient first = waiting.peek();
        return first == null || first.reply == null ? null : first;
    }

    /** Its reply is being given. */
    void takeFirst() {
        waiting.remove();
    }

    /** RCPT commands without reply, decided or not. */
    int pending() {
        return waiting.size();
    }

    /** RCPT commands nobody has answered. */
    int unanswered() {
        return unanswered;
    }

    void accept(Recipient recipient) {
        accepted.add(new Accepted(recipient.address, recipient.lows));
        int index = recipient.rcptNo >> 3;
        if (index >= acceptedBits.length) {
            acceptedBits = Arrays.copyOf(acceptedBits, Math.max(index + 1, index * 2));
        }
        acceptedBits[index] |= (byte) (1 << (recipient.rcptNo & 7));
    }

    List<Accepted> accepted() {
        return accepted;
    }

    byte[] acceptedBits() {
        return acceptedBits;
    }

    // ---- the queue's side

    /** Expansions asked for and not answered: the queue waits for so many late sets. */
    int expansionsOut() {
        return expansionsOut;
    }

    /** lka died: nothing of what was asked can come any more. */
    void expansionsLost() {
        expansionsOut = 0;
    }

    void opened() {
        knownToQueue = true;
    }

    /** The queue may have heard of it, so an end without commit must be told. */
    boolean isKnownToQueue() {
        return knownToQueue;
    }

    /** The queue died: what it knew of this mail is gone. */
    void lose() {
        lost = true;
        knownToQueue = false;
        expansionsOut = 0;
    }

    boolean isLost() {
        return lost;
    }

    void msgid(Msgid id) {
        msgid = id;
    }

    Msgid msgid() {
        return msgid;
    }
}
