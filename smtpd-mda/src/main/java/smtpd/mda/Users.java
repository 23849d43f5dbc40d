package smtpd.mda;

import io.netty.channel.EventLoop;
import java.util.Collection;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import smtpd.imsg.LkaToMda;
import smtpd.imsg.MdaToLka;
import smtpd.imsg.Outcome;
import smtpd.imsg.Role;
import smtpd.mda.deliver.Account;
import smtpd.mda.deliver.Verdict;
import smtpd.proc.Edge;
import smtpd.proc.IdSource;
import smtpd.proc.Pending;
import smtpd.stat.Stat;
import smtpd.stat.Stats;

/** The users with mail here, and what lka says of them: asked once, known for a minute. */
final class Users {

    private static final long LOOKUP_MILLIS = 60_000;
    private static final long USER_KEPT_NANOS = TimeUnit.SECONDS.toNanos(60);
    private static final int USER_SWEEP_SECONDS = 30;

    private static final Verdict NO_USER =
            new Verdict.Permanent("5.1.1", "Permanent failure in user lookup");
    private static final Verdict USER_UNKNOWN_NOW =
            Verdict.temporary("4.3.0", "Temporary failure in user lookup");

    /** Who is told how a question to lka ended. */
    interface Events {
        void known(UserQueue user);

        /** The user is forgotten; its mail gets this verdict. */
        void unknown(UserQueue user, Verdict verdict);
    }

    private final EventLoop loop;
    private final IdSource ids;
    private final Stats stats;
    private final Edge<MdaToLka> lka;
    private final Events events;
    private final Map<EnvelopeJobs.UserKey, UserQueue> users = new HashMap<>();
    private final Set<UserQueue> waitingForLka = new LinkedHashSet<>();
    private final Pending<UserQueue> lookups;
    private long configId;
    private boolean sweepingUsers;

    Users(EventLoop loop, IdSource ids, Stats stats, Edge<MdaToLka> lka, Events events) {
        this.loop = loop;
        this.ids = ids;
        this.stats = stats;
        this.lka = lka;
        this.events = events;
        this.lookups = new Pending<>(loop, this::lookupTimedOut);
    }

    /** Questions are about the tables of this configuration now. */
    void configured(long id) {
        configId = id;
    }

    /** The one with this key, looked up when it is new or long ago. */
    UserQueue of(EnvelopeJobs.UserKey key) {
        UserQueue user = users.get(key);
        if (user == null) {
            user = new UserQueue(key, ids.next());
            users.put(key, user);
            lookUp(user);
            sweepUsers();
        } else if (user.isIdle() && user.isStale(System.nanoTime())) {
            user.forget();
            lookUp(user);
        }
        return user;
    }

    int size() {
        return users.size();
    }

    Collection<UserQueue> all() {
        return users.values();
    }

    void lkaJoined() {
        List<UserQueue> again = List.copyOf(waitingForLka);
        waitingForLka.clear();
        again.forEach(this::lookUp);
    }

    void lkaLost() {
        lookups.lost(Role.LKA).forEach(this::waitForLka);
    }

    private void lookUp(UserQueue user) {
        long id = ids.next();
        var question = new MdaToLka.UserInfo(configId, user.key.table(), user.key.name());
        if (lka.send(id, question)) {
            lookups.add(id, LOOKUP_MILLIS, EnumSet.of(Role.LKA), user);
        } else {
            waitForLka(user);
        }
    }

    private void waitForLka(UserQueue user) {
        waitingForLka.add(user);
        loop.schedule(
                () -> {
                    if (waitingForLka.remove(user)) {
                        lookupTimedOut(user);
                    }
                },
                LOOKUP_MILLIS,
                TimeUnit.MILLISECONDS);
    }

    private void lookupTimedOut(UserQueue user) {
        stats.increment(Stat.IMSG_TIMEOUT);
        noUser(user, USER_UNKNOWN_NOW);
    }

    void answered(long id, LkaToMda.UserIs m) {
        UserQueue user = lookups.take(id);
        if (user == null) {
            stats.increment(Stat.IMSG_LATE);
            return;
        }
        switch (m.outcome()) {
            case Outcome.Ok _ -> {
                user.known(
                        new Account(m.name(), m.uid(), m.gid(), m.home()),
                        System.nanoTime() + USER_KEPT_NANOS);
                events.known(user);
            }
            case Outcome.Temporary _ -> noUser(user, USER_UNKNOWN_NOW);
            case Outcome.Permanent _ -> noUser(user, NO_USER);
        }
    }

    private void noUser(UserQueue user, Verdict verdict) {
        users.remove(user.key, user);
        events.unknown(user, verdict);
    }

    private void sweepUsers() {
        if (!sweepingUsers) {
            sweepingUsers = true;
            loop.schedule(this::forgetIdleUsers, USER_SWEEP_SECONDS, TimeUnit.SECONDS);
        }
    }

    private void forgetIdleUsers() {
        sweepingUsers = false;
        long now = System.nanoTime();
        users.values().removeIf(user -> user.isIdle() && user.isStale(now));
        if (!users.isEmpty()) {
            sweepUsers();
        }
    }
}
