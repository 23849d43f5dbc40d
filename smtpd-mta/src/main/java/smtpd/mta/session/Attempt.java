package smtpd.mta.session;

import java.util.List;

/** One transaction on the wire: what was sent of it and what was answered. */
final class Attempt {

    final Transaction transaction;

    /** Recipients that were accepted, by index. */
    final boolean[] accepted;

    int acceptedCount;
    int nextRecipient;
    boolean mailSent;
    boolean mailAnswered;
    boolean mailRefused;
    boolean dataSent;

    /** 354 came: the peer waits for content. */
    boolean go;

    /** 354 came although nobody is to get the mail: a lone dot must end it. */
    boolean loneDot;

    /** MAIL goes without optional parameters. */
    boolean plain;

    /** The peer did not understand a parameter of MAIL: once more without. */
    boolean again;

    /** MAIL went out on a connection that had been used, or idle, before. */
    final boolean reused;

    /** Its commands went out in the write that ended the content before. */
    boolean joined;

    /** The first bytes of its file are being read; nothing is sent before. */
    boolean reading;

    /** First bytes of content that lies in a file. */
    byte[] firstPiece;

    Attempt(Transaction transaction, boolean reused) {
        this.transaction = transaction;
        this.reused = reused;
        this.accepted = new boolean[transaction.recipients().size()];
        refuseUnsafe();
    }

    Mail mail() {
        return transaction.mail();
    }

    List<Recipient> recipients() {
        return transaction.recipients();
    }

    /** Moves to the next recipient that wants a RCPT. */
    boolean hasRecipientToSend() {
        while (nextRecipient < accepted.length && transaction.result(nextRecipient) != null) {
            nextRecipient++;
        }
        return nextRecipient < accepted.length;
    }

    /** True when all that was asked has been answered and no content is due. */
    boolean isSettled() {
        return !again
                && !loneDot
                && (mailRefused
                        || (!hasRecipientToSend() && acceptedCount == 0)
                        || (dataSent && !go));
    }

    /** True when somebody has got it. */
    boolean isDelivered() {
        for (int i = 0; i < accepted.length; i++) {
            Result result = transaction.result(i);
            if (result != null && result.kind() == Result.Kind.DELIVERED) {
                return true;
            }
        }
        return false;
    }

    /** MAIL once more, without what the peer refused. */
    void restart() {
        plain = true;
        again = false;
        mailSent = false;
        mailAnswered = false;
        mailRefused = false;
        dataSent = false;
        go = false;
        nextRecipient = 0;
    }

    void refuse(Result result) {
        transaction.setOpen(result);
    }

    /** A stray CR or {@code >} in an address would be a command of its own. */
    private void refuseUnsafe() {
        if (!Commands.isSafe(mail().sender())) {
            refuse(Result.failed("553 5.1.7 Sender address cannot be sent"));
        }
        for (int i = 0; i < accepted.length; i++) {
            if (!Commands.isSafe(recipients().get(i).address())
                    || recipients().get(i).address().isEmpty()) {
                transaction.set(i, Result.failed("553 5.1.3 Recipient address cannot be sent"));
            }
        }
    }
}
