package smtpd.mta.session;

import java.util.List;

/**
 * One MAIL, its recipients and what became of each. Made by the relay, filled by the session: a
 * recipient without result was not judged and goes into the next transaction.
 */
public final class Transaction {

    private final Mail mail;
    private final List<Recipient> recipients;
    private final Result[] results;
    private final Object owner;
    private final boolean returnable;

    /**
     * @param returnable it may come back unjudged when a used connection turns out to be dead;
     *     false the second time
     * @param owner what the relay wants back with the results; not looked at by the session
     */
    public Transaction(Mail mail, List<Recipient> recipients, Object owner, boolean returnable) {
        this.mail = mail;
        this.recipients = recipients;
        this.results = new Result[recipients.size()];
        this.owner = owner;
        this.returnable = returnable;
    }

    boolean isReturnable() {
        return returnable;
    }

    public Mail mail() {
        return mail;
    }

    public List<Recipient> recipients() {
        return recipients;
    }

    public Object owner() {
        return owner;
    }

    /** The outcome of a recipient; null when it was not judged. */
    public Result result(int index) {
        return results[index];
    }

    void set(int index, Result result) {
        if (results[index] == null) {
            results[index] = result;
        }
    }

    void setOpen(Result result) {
        for (int i = 0; i < results.length; i++) {
            set(i, result);
        }
    }
}
