package smtpd.lka;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import smtpd.conf.Config;
import smtpd.imsg.ChildToControl;
import smtpd.imsg.ControlToChild;
import smtpd.imsg.ControlToLka.UpdateTable;
import smtpd.imsg.LkaToMda;
import smtpd.imsg.LkaToMda.UserIs;
import smtpd.imsg.LkaToMta;
import smtpd.imsg.LkaToMta.MxPreferenceIs;
import smtpd.imsg.LkaToParent;
import smtpd.imsg.LkaToQueue;
import smtpd.imsg.LkaToSmtp;
import smtpd.imsg.MdaToLka.UserInfo;
import smtpd.imsg.MtaToLka.HeloName;
import smtpd.imsg.MtaToLka.MxPreference;
import smtpd.imsg.MtaToLka.SmartHost;
import smtpd.imsg.MtaToLka.SourceAddress;
import smtpd.imsg.Outcome;
import smtpd.imsg.ParentToChild;
import smtpd.imsg.ParentToLka.ForwardFile;
import smtpd.imsg.QueueToLka.ExpandBounce;
import smtpd.imsg.Resolve;
import smtpd.imsg.Resolved;
import smtpd.imsg.ReverseLookup;
import smtpd.imsg.Role;
import smtpd.imsg.SmtpToLka.ExpandRecipient;
import smtpd.imsg.ToLka;
import smtpd.lka.table.TableError;
import smtpd.lka.table.Tables;
import smtpd.lka.table.UserAnswer;
import smtpd.lka.table.Userbase;
import smtpd.log.Trace;
import smtpd.proc.ChildContext;
import smtpd.proc.ChildMain;
import smtpd.proc.ChildProcess;
import smtpd.proc.ConfigRefused;
import smtpd.proc.Edge;
import smtpd.proc.Frame;
import smtpd.stat.Stat;
import smtpd.sys.Identity;
import smtpd.sys.SysException;
import smtpd.sys.Users;
import smtpd.table.Table;
import smtpd.table.TableRef;
import smtpd.table.TableSpec;

/** The lookup process: rules, recipients, tables, users and the DNS for all others. */
public final class LkaProcess extends ChildProcess<ToLka> {

    private static final int MAX_EARLY = 4096;

    private final Edge<LkaToSmtp> smtp = edge(Role.SMTP, LkaToSmtp.class);
    private final Edge<LkaToQueue> queue = edge(Role.QUEUE, LkaToQueue.class);
    private final Edge<LkaToMta> mta = edge(Role.MTA, LkaToMta.class);
    private final Edge<LkaToMda> mda = edge(Role.MDA, LkaToMda.class);
    private final Edge<LkaToParent> parent = edge(Role.PARENT, LkaToParent.class);
    private final Edge<ChildToControl> control = edge(Role.CONTROL, ChildToControl.class);
    private final Executors executors = Executors.start();
    private final TableWatch watch = new TableWatch(stats());
    private final Relaying relaying = new Relaying();
    private final Userbase users;
    private final Forwards forwards;
    private final Expansions expansions;

    /** Configurations that sessions may still name, by id. */
    private final Map<Long, Site> sites = new HashMap<>();

    /** Configurations whose tables are being read. */
    private final Set<Long> offered = new HashSet<>();

    private Site active;
    private List<Runnable> early = new ArrayList<>();
    private boolean ended;

    public LkaProcess(ChildContext context) {
        this(context, Users::byName, onlyUser(context));
    }

    /**
     * @param system the system's user database
     * @param onlyUser the only account that may be delivered to; absent: all
     */
    LkaProcess(ChildContext context, Userbase.Source system, Optional<UserAnswer.Found> onlyUser) {
        super(Role.LKA, ToLka.class, context);
        users = new Userbase(system, executors.users(), loop());
        forwards = new Forwards(parent, ids(), executors.disk(), loop());
        expansions =
                new Expansions(
                        loop(),
                        ids(),
                        stats(),
                        smtp,
                        queue,
                        users,
                        forwards,
                        new Includes(executors.disk(), loop()),
                        onlyUser);
    }

    public static void main(String[] args) {
        ChildMain.run(args, LkaProcess::new);
    }

    /** A daemon that a plain user started can become nobody else. */
    private static Optional<UserAnswer.Found> onlyUser(ChildContext context) {
        int uid = Identity.euid();
        if (context.serviceUid() != -1 || uid == 0) {
            return Optional.empty();
        }
        try {
            return Users.byUid(uid)
                    .map(u -> new UserAnswer.Found(u.name(), u.uid(), u.gid(), u.home()));
        } catch (SysException e) {
            String name = Integer.toUnsignedString(uid);
            return Optional.of(new UserAnswer.Found(name, uid, Identity.egid(), "/"));
        }
    }

    @Override
    protected void dispatch(Frame frame, ToLka message) {
        if (active != null) {
            answer(frame, message);
        } else if (early.size() < MAX_EARLY) {
            // After a restart the peers are joined at once, the configuration comes a little later.
            early.add(() -> answer(frame, message));
        }
    }

    private void answer(Frame frame, ToLka message) {
        switch (message) {
            case ExpandRecipient m -> expansions.expand(frame.id(), site(m.configId()), m);
            case ExpandBounce m -> expansions.expand(frame.id(), active, m);
            case ForwardFile m -> forwardOpened(frame, m);
            case ReverseLookup m -> reverse(frame, m);
            case Resolve m -> resolve(frame, m);
            case MxPreference m -> preference(frame, m);
            case SourceAddress m ->
                    mta.send(
                            frame.id(),
                            relaying.sources(frame.id(), site(m.configId()), m.table()));
            case HeloName m ->
                    mta.send(
                            frame.id(),
                            relaying.helo(frame.id(), site(m.configId()), m.table(), m.source()));
            case SmartHost m ->
                    mta.send(
                            frame.id(),
                            relaying.smartHost(
                                    frame.id(), site(m.configId()), m.table(), m.recipient()));
            case UserInfo m -> user(frame, m);
            case UpdateTable m -> update(frame, new TableRef(m.name()));
            // Both are taken out before they come here.
            case ParentToChild _, ControlToChild _ ->
                    throw new IllegalStateException(message.toString());
        }
    }

    // ---- configuration

    /** Table files may be large and far away: they are read off the loop, which goes on. */
    @Override
    protected void configure(Config config, Consumer<String> answer) throws ConfigRefused {
        Names names = Names.of(config.resolvers(), executors, loop(), stats());
        offered.add(config.configId());
        try {
            executors.disk().execute(() -> read(config, names, answer));
        } catch (RejectedExecutionException e) {
            throw new ConfigRefused("too many files to read");
        }
    }

    /** On a thread of the disk. */
    private void read(Config config, Names names, Consumer<String> answer) {
        Runnable then;
        try {
            Site site = Site.of(config, names, watch);
            then = () -> offer(config.configId(), site, answer);
        } catch (TableError e) {
            then = () -> refuse(config.configId(), e.getMessage(), answer);
        } catch (RuntimeException e) {
            then = () -> crash("reading the tables", e);
        }
        // Behind the first reading of resolv.conf and hosts, which the same thread does.
        Runnable last = then;
        executors.watch().execute(() -> loop().execute(last));
    }

    private void refuse(long configId, String why, Consumer<String> answer) {
        if (offered.remove(configId)) {
            answer.accept(why);
        }
    }

    private void offer(long configId, Site site, Consumer<String> answer) {
        if (offered.remove(configId)) {
            sites.put(configId, site);
            answer.accept("");
        }
    }

    @Override
    protected void activate(Config config, Runnable ready) {
        active = sites.get(config.configId());
        users.clear();
        ready.run();
        List<Runnable> waiting = early;
        early = new ArrayList<>();
        waiting.forEach(Runnable::run);
    }

    @Override
    protected void drop(long configId) {
        offered.remove(configId);
        if (active == null || active.config().configId() != configId) {
            sites.remove(configId);
        }
    }

    /** After a restart we know the active one alone, and sessions that began earlier get it too. */
    private Site site(long configId) {
        return sites.getOrDefault(configId, active);
    }

    // ---- answers

    private void forwardOpened(Frame frame, ForwardFile file) {
        if (!forwards.answered(frame, file)) {
            stats().increment(Stat.IMSG_LATE);
        }
    }

    private void reverse(Frame frame, ReverseLookup m) {
        active.names()
                .reverse()
                .name(
                        m.address(),
                        name -> {
                            if (frame.from() == Role.SMTP) {
                                smtp.send(frame.id(), name);
                            } else {
                                mta.send(frame.id(), name);
                            }
                        });
    }

    private void resolve(Frame frame, Resolve m) {
        Consumer<Resolved> then =
                resolved -> {
                    if (frame.from() == Role.MTA) {
                        mta.send(frame.id(), resolved);
                    } else {
                        mda.send(frame.id(), resolved);
                    }
                };
        switch (m.kind()) {
            case MX -> active.names().mail().mx(m.domain(), then);
            case HOST -> active.names().mail().host(m.domain(), then);
        }
    }

    private void preference(Frame frame, MxPreference m) {
        active.names()
                .mail()
                .preference(
                        m.domain(),
                        m.ownName(),
                        (status, number) ->
                                mta.send(frame.id(), new MxPreferenceIs(status, number)));
    }

    private void user(Frame frame, UserInfo m) {
        Optional<TableRef> table = Optional.of(new TableRef(m.table()));
        if (m.table().isEmpty()) {
            table = Optional.empty();
        }
        stats().increment(Stat.LKA_LOOKUP);
        boolean isSystem = Userbase.isSystem(table);
        users.find(
                site(m.configId()).watched(frame.id()),
                table,
                m.user(),
                answer -> {
                    if (isSystem && Trace.LOOKUP.isOn()) {
                        watch.user(frame.id(), m.user(), answer);
                    }
                    mda.send(frame.id(), userIs(m.user(), answer));
                });
    }

    private static UserIs userIs(String name, UserAnswer answer) {
        return switch (answer) {
            case UserAnswer.Found(String found, int uid, int gid, String home) ->
                    new UserIs(Outcome.ok(), found, uid, gid, home);
            case UserAnswer.Missing _ ->
                    new UserIs(
                            new Outcome.Permanent("550 unknown user " + name, "5.1.1"),
                            name,
                            0,
                            0,
                            "");
            case UserAnswer.Failed(String why) ->
                    new UserIs(new Outcome.Temporary("451 " + why, "4.3.0"), name, 0, 0, "");
        };
    }

    // ---- tables

    private void update(Frame frame, TableRef ref) {
        Site site = active;
        TableSpec spec = site.tables().spec(ref);
        users.clear();
        switch (spec) {
            case null -> done(frame, "no table " + ref.name());
            case TableSpec.Inline _ -> done(frame, "");
            case TableSpec.File _ -> {
                try {
                    executors.disk().execute(() -> load(frame, site, spec));
                } catch (RejectedExecutionException e) {
                    done(frame, "too many files to read");
                }
            }
        }
    }

    private void load(Frame frame, Site site, TableSpec spec) {
        try {
            Table table = Tables.load(spec, site.tables().delimiter());
            loop().execute(() -> exchange(frame, site, table));
        } catch (TableError e) {
            loop().execute(() -> done(frame, e.getMessage()));
        }
    }

    private void exchange(Frame frame, Site site, Table table) {
        try {
            site.tables().exchange(table);
            done(frame, "");
        } catch (TableError e) {
            done(frame, e.getMessage());
        }
    }

    private void done(Frame frame, String problem) {
        String text = problem.substring(0, Math.min(problem.length(), 600));
        control.sendTo(
                frame.peer(),
                frame.id(),
                new ChildToControl.ControlDone(
                        problem.isEmpty(), problem.isEmpty() ? 1 : 0, 0, text));
    }

    // ---- life

    @Override
    protected void lost(Role peer) {
        expansions.lost(peer);
    }

    @Override
    protected void stop(long deadlineMillis) {
        loop().schedule(this::end, deadlineMillis, TimeUnit.MILLISECONDS);
        expansions.drain(this::end);
    }

    private void end() {
        if (!ended) {
            ended = true;
            finished();
        }
    }
}
