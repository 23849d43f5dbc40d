package smtpd.mda;

import java.util.Map;
import smtpd.conf.Action;
import smtpd.conf.Delivery;
import smtpd.envelope.Envelope;
import smtpd.envelope.MdaFields;
import smtpd.envelope.Need;
import smtpd.mda.deliver.Account;
import smtpd.mda.deliver.Job;
import smtpd.mda.deliver.Method;

/**
 * Reads from an envelope how it is to be delivered. Version 2 says it itself; version 3 names an
 * action, whose present definition counts.
 */
final class EnvelopeJobs {

    private static final String SYSTEM_USERS = "<getpwnam>";

    private final Map<String, Action> actions;
    private final long startedAt;

    /**
     * @param startedAt Unix seconds: an envelope from before may have been delivered by an earlier
     *     life of this process
     */
    EnvelopeJobs(Map<String, Action> actions, long startedAt) {
        this.actions = actions;
        this.startedAt = startedAt;
    }

    /** Whose rights a delivery needs: the name to look up, and the table. */
    record UserKey(String table, String name) {
        @Override
        public String toString() {
            return table + ":" + name;
        }
    }

    UserKey user(Envelope envelope) {
        MdaFields mda = envelope.mda();
        String name = mda.deliveryUser().isEmpty() ? mda.user() : mda.deliveryUser();
        String table = mda.usertable();
        if (envelope.version() == 3 && action(envelope) instanceof Action.Local local) {
            if (isMailbox(mda) && mda.deliveryUser().isEmpty()) {
                name = local.user().orElse(name);
            }
            if (table.isEmpty()) {
                table = local.userbase().map(t -> t.name()).orElse("");
            }
        }
        return new UserKey(table.isEmpty() ? SYSTEM_USERS : table, name);
    }

    /** Not a file or command from an alias or a forward file. */
    private static boolean isMailbox(MdaFields mda) {
        return mda.method() == null && mda.exec().isEmpty();
    }

    /** Null when the action that the envelope names is not there, or delivers nothing here. */
    Method method(Envelope envelope) {
        MdaFields mda = envelope.mda();
        if (mda.method() != null) {
            Method.Text text = new Method.Text(mda.buffer(), mda.isRaw());
            String rcptTo = mda.rcptTo() == null ? null : mda.rcptTo().toString();
            return switch (mda.method()) {
                case MBOX -> new Method.Mbox();
                case MAILDIR -> new Method.Maildir(text, false);
                case FILENAME -> new Method.Filename(text);
                case MDA -> new Method.Command(text, null);
                case LMTP -> new Method.Lmtp(text, rcptTo);
            };
        }
        if (!mda.exec().isEmpty()) {
            return new Method.Command(Method.Text.raw(mda.exec()), null);
        }
        return action(envelope) instanceof Action.Local local
                ? method(local.delivery(), envelope)
                : null;
    }

    private static Method method(Delivery delivery, Envelope envelope) {
        return switch (delivery) {
            case Delivery.Mbox _ -> new Method.Mbox();
            case Delivery.Maildir m ->
                    new Method.Maildir(
                            m.path().map(Method.Text::raw).orElse(Method.Text.NONE), m.junk());
            case Delivery.Mda m -> new Method.Command(Method.Text.raw(m.command()), null);
            case Delivery.Lmtp m ->
                    new Method.Lmtp(
                            Method.Text.raw(m.destination()),
                            m.rcptTo() ? envelope.dest().toString() : null);
            case Delivery.Filename m -> new Method.Filename(Method.Text.raw(m.path()));
            case Delivery.ForwardOnly _, Delivery.ExpandOnly _ -> null;
        };
    }

    private Action action(Envelope envelope) {
        return actions.get(envelope.action());
    }

    /**
     * @param found answer of the user base for {@link #user}
     */
    Job job(long evpid, Envelope envelope, Method method, Account found) {
        String name = envelope.mda().user().isEmpty() ? found.name() : envelope.mda().user();
        Account account = new Account(name, found.uid(), found.gid(), found.home());
        return new Job(
                evpid,
                envelope.sender(),
                envelope.rcpt(),
                envelope.dest(),
                account,
                found,
                envelope.mda().subaddress(),
                envelope.ctime(),
                envelope.retry() > 0 || envelope.ctime() <= startedAt,
                envelope.version() == 2,
                envelope.needs(Need.EIGHTBITMIME),
                method);
    }
}
