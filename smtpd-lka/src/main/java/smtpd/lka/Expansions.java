package smtpd.lka;

import io.netty.channel.EventLoop;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import smtpd.conf.Config;
import smtpd.envelope.Envelope;
import smtpd.envelope.EnvelopeText;
import smtpd.imsg.LkaToQueue;
import smtpd.imsg.LkaToQueue.BounceExpanded;
import smtpd.imsg.LkaToQueue.EnvelopesSubmit;
import smtpd.imsg.LkaToSmtp;
import smtpd.imsg.LkaToSmtp.RecipientRefused;
import smtpd.imsg.Outcome;
import smtpd.imsg.QueueToLka.ExpandBounce;
import smtpd.imsg.Role;
import smtpd.imsg.SmtpToLka.ExpandRecipient;
import smtpd.lka.expand.Expanded;
import smtpd.lka.expand.Expander;
import smtpd.lka.expand.ForwardAnswer;
import smtpd.lka.expand.Recipient;
import smtpd.lka.expand.Sources;
import smtpd.lka.rule.RuleSet;
import smtpd.lka.table.UserAnswer;
import smtpd.lka.table.Userbase;
import smtpd.log.Trace;
import smtpd.proc.Edge;
import smtpd.proc.IdSource;
import smtpd.proc.Pending;
import smtpd.stat.Stat;
import smtpd.stat.Stats;
import smtpd.table.TableRef;

/**
 * The expansions under way. An accepted set goes to the queue, which tells smtp; a refusal goes
 * back to the asker. Belongs to the event loop.
 */
final class Expansions {

    private static final int MAX_OPEN = 4096;
    private static final long TIMEOUT_MILLIS = 30_000;

    /** Elements and bytes of one frame; its cap is 64 KiB. */
    private static final int MAX_PER_FRAME = 256;

    private static final int MAX_BYTES_PER_FRAME = 48 * 1024;

    private final EventLoop loop;
    private final IdSource ids;
    private final Stats stats;
    private final Edge<LkaToSmtp> smtp;
    private final Edge<LkaToQueue> queue;
    private final Userbase users;
    private final Forwards forwards;
    private final Includes includes;
    private final Optional<UserAnswer.Found> onlyUser;
    private final Pending<Expander> open;
    private Runnable whenEmpty = () -> {};

    Expansions(
            EventLoop loop,
            IdSource ids,
            Stats stats,
            Edge<LkaToSmtp> smtp,
            Edge<LkaToQueue> queue,
            Userbase users,
            Forwards forwards,
            Includes includes,
            Optional<UserAnswer.Found> onlyUser) {
        this.loop = loop;
        this.ids = ids;
        this.stats = stats;
        this.smtp = smtp;
        this.queue = queue;
        this.users = users;
        this.forwards = forwards;
        this.includes = includes;
        this.onlyUser = onlyUser;
        this.open = new Pending<>(loop, expander -> timedOut(expander));
    }

    private void timedOut(Expander expander) {
        stats.increment(Stat.IMSG_TIMEOUT);
        expander.giveUp("not done in " + TIMEOUT_MILLIS / 1000 + " s");
    }

    int size() {
        return open.size();
    }

    /** Calls back once no expansion is under way. */
    void drain(Runnable then) {
        whenEmpty = then;
        tellWhenEmpty();
    }

    // ---- of a client's recipient

    void expand(long sid, Site site, ExpandRecipient m) {
        if (open.size() >= MAX_OPEN) {
            refuse(sid, m, Expanded.Refused.noAnswer("too many expansions at once"));
            return;
        }
        run(
                sid,
                Role.SMTP,
                Recipient.of(m),
                site,
                result -> {
                    switch (result) {
                        case Expanded.Refused refused -> refuse(sid, m, refused);
                        case Expanded.Accepted(List<Envelope> envelopes) ->
                                submit(sid, m, envelopes);
                    }
                });
    }

    private void refuse(long sid, ExpandRecipient m, Expanded.Refused refused) {
        stats.increment(Stat.LKA_REFUSED);
        smtp.send(
                sid, new RecipientRefused(m.no(), m.rcptNo(), refused.reason(), refused.outcome()));
    }

    private void submit(long sid, ExpandRecipient m, List<Envelope> envelopes) {
        List<List<byte[]>> parts = parts(envelopes);
        boolean sent = true;
        for (int i = 0; i < parts.size() && sent; i++) {
            EnvelopesSubmit part = new EnvelopesSubmit(m.no(), m.rcptNo(), parts.get(i));
            sent = i < parts.size() - 1 ? queue.sendMore(sid, part) : queue.send(sid, part);
        }
        if (!sent) {
            refuse(sid, m, Expanded.Refused.noAnswer("queue is away"));
        }
    }

    // ---- of a notice

    void expand(long id, Site site, ExpandBounce m) {
        run(
                id,
                Role.QUEUE,
                Recipient.of(m),
                site,
                result -> {
                    switch (result) {
                        case Expanded.Refused refused ->
                                queue.send(id, new BounceExpanded(refused.outcome(), List.of()));
                        case Expanded.Accepted(List<Envelope> envelopes) -> bounce(id, envelopes);
                    }
                });
    }

    private void bounce(long id, List<Envelope> envelopes) {
        List<List<byte[]>> parts = parts(envelopes);
        for (int i = 0; i < parts.size(); i++) {
            BounceExpanded part = new BounceExpanded(Outcome.ok(), parts.get(i));
            if (i < parts.size() - 1) {
                queue.sendMore(id, part);
            } else {
                queue.send(id, part);
            }
        }
    }

    private static List<List<byte[]>> parts(List<Envelope> envelopes) {
        List<List<byte[]>> parts = new ArrayList<>(1);
        List<byte[]> part = new ArrayList<>(Math.min(envelopes.size(), MAX_PER_FRAME));
        int bytes = 0;
        for (Envelope envelope : envelopes) {
            byte[] text = EnvelopeText.dump(envelope);
            if (part.size() == MAX_PER_FRAME || bytes + text.length > MAX_BYTES_PER_FRAME) {
                parts.add(part);
                part = new ArrayList<>();
                bytes = 0;
            }
            part.add(text);
            bytes += text.length;
        }
        parts.add(part);
        return parts;
    }

    // ---- life

    private void run(
            long session, Role asker, Recipient recipient, Site site, Consumer<Expanded> then) {
        long id = ids.next();
        stats.increment(Stat.LKA_SESSION);
        Expander expander =
                new Expander(
                        session,
                        recipient,
                        new SiteSources(session, site),
                        loop,
                        System.currentTimeMillis() / 1000,
                        result -> {
                            open.take(id);
                            stats.decrement(Stat.LKA_SESSION);
                            then.accept(result);
                            tellWhenEmpty();
                        });
        expander.start();
        if (!expander.isDone()) {
            open.add(id, TIMEOUT_MILLIS, EnumSet.of(asker), expander);
        }
    }

    /** The asker died: what it asked is forgotten, answers on their way find nobody. */
    void lost(Role asker) {
        open.lost(asker).forEach(expander -> expander.giveUp(asker.title() + " is lost"));
    }

    private void tellWhenEmpty() {
        if (open.size() == 0) {
            Runnable then = whenEmpty;
            whenEmpty = () -> {};
            then.run();
        }
    }

    private final class SiteSources implements Sources {

        private final long session;
        private final Site site;
        private final RuleSet.Tables tables;

        SiteSources(long session, Site site) {
            this.session = session;
            this.site = site;
            this.tables = site.watched(session);
        }

        @Override
        public Config config() {
            return site.config();
        }

        @Override
        public RuleSet rules() {
            return site.rules();
        }

        @Override
        public RuleSet.Tables tables() {
            return tables;
        }

        @Override
        public void user(Optional<TableRef> userbase, String name, Consumer<UserAnswer> then) {
            stats.increment(Stat.LKA_LOOKUP);
            users.find(tables, userbase, name, traced(userbase, name, then));
        }

        private Consumer<UserAnswer> traced(
                Optional<TableRef> userbase, String name, Consumer<UserAnswer> then) {
            if (!Trace.LOOKUP.isOn() || !Userbase.isSystem(userbase)) {
                return then;
            }
            return answer -> {
                site.watch().user(session, name, answer);
                then.accept(answer);
            };
        }

        @Override
        public void forward(UserAnswer.Found user, Consumer<ForwardAnswer> then) {
            forwards.open(user, then);
        }

        @Override
        public void include(String path, Consumer<byte[]> then) {
            includes.read(path, then);
        }

        @Override
        public Optional<UserAnswer.Found> onlyUser() {
            return onlyUser;
        }
    }
}
