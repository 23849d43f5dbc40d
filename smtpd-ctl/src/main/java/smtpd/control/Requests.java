package smtpd.control;

import io.netty.channel.EventLoop;
import io.netty.util.collection.LongObjectHashMap;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import smtpd.imsg.ChildToControl.ControlDone;
import smtpd.imsg.ChildToControl.ShowRow;
import smtpd.imsg.ControlToChild;
import smtpd.imsg.ControlToCtl;
import smtpd.imsg.ControlToMta;
import smtpd.imsg.Message;
import smtpd.imsg.ParentToControl.ParentAnswer;
import smtpd.imsg.Role;
import smtpd.proc.Frame;

/** The requests under way, by the id of their frames, and the kinds of them. */
final class Requests {

    private static final long PATIENCE_MILLIS = 60_000;
    private static final long SHORT_MILLIS = 2_000;
    private static final long STATS_MILLIS = 1_000;
    private static final int MAX_HOLDS = 10_000;
    private static final int HOLD_PAGE = 256;

    private final EventLoop loop;
    private final Peers peers;
    private final LongSupplier ids;
    private final LongObjectHashMap<Task> open = new LongObjectHashMap<>();

    Requests(EventLoop loop, Peers peers, LongSupplier ids) {
        this.loop = loop;
        this.peers = peers;
        this.ids = ids;
    }

    int size() {
        return open.size();
    }

    // ---- what comes back

    /** A frame that repeats id and client of a request; late ones find nothing. */
    void answered(Frame frame, Message message) {
        Task task = open.get(frame.id());
        if (task == null
                || (frame.from() != Role.PARENT && task.client().number() != frame.peer())
                || !task.awaited().contains(frame.from())) {
            return;
        }
        task.answered(frame, message);
        reap(task);
    }

    void lost(Role role) {
        for (Task task : all()) {
            if (task.awaited().contains(role)) {
                task.lost(role);
                reap(task);
            }
        }
    }

    /** Its client is gone: answers that still come are dropped. */
    void gone(Client client) {
        for (Task task : all()) {
            if (task.client() == client) {
                open.remove(task.key());
            }
        }
    }

    private List<Task> all() {
        return new ArrayList<>(open.values());
    }

    private void reap(Task task) {
        if (task.isEnded()) {
            open.remove(task.key());
        }
    }

    private void begin(Task task, long patienceMillis) {
        open.put(task.key(), task);
        reap(task);
        later(task, patienceMillis);
    }

    private void later(Task task, long millis) {
        if (task.equals(open.get(task.key()))) {
            loop.schedule(
                    () -> {
                        if (task.equals(open.get(task.key()))) {
                            task.expired();
                            reap(task);
                        }
                    },
                    millis,
                    TimeUnit.MILLISECONDS);
        }
    }

    static ControlDone ok(long count, String text) {
        return new ControlDone(true, count, 0, text);
    }

    static ControlDone failed(String text) {
        return new ControlDone(false, 0, 0, text);
    }

    static ControlDone away(Role role) {
        return failed(role.title() + " is being restarted, try again");
    }

    // ---- a request that one process answers

    /** What to note when a change is done. */
    interface Noted {
        void done(ControlDone end);
    }

    /** Sends with the id it is given; false when the process is away. */
    interface Sending {
        boolean send(long key);
    }

    /**
     * Passes a request on, and the answer back.
     *
     * @param to who gets it
     * @param via the other process whose death loses the answer, or null
     */
    void relay(Client client, Role to, Role via, Sending sending, Noted noted) {
        Relay task = new Relay(ids.getAsLong(), client, noted);
        task.await(to);
        if (via != null) {
            task.await(via);
        }
        if (!sending.send(task.key())) {
            task.lost(to);
        }
        begin(task, PATIENCE_MILLIS);
    }

    private final class Relay extends Task {
        private final Noted noted;
        private boolean heard;

        Relay(long key, Client client, Noted noted) {
            super(key, client);
            this.noted = noted;
        }

        @Override
        void answered(Frame frame, Message message) {
            heard = true;
            switch (message) {
                case ControlDone m -> finish(m);
                case ParentAnswer m -> {
                    for (String row : m.rows()) {
                        row(new ShowRow("process", List.of(row.split(" "))));
                    }
                    finish(new ControlDone(m.ok(), m.rows().size(), 0, m.text()));
                }
                case ControlToCtl m -> row(m, frame.more());
                default -> {
                    // not an answer
                }
            }
        }

        private void finish(ControlDone end) {
            noted.done(end);
            end(end);
        }

        @Override
        void lost(Role role) {
            finish(away(role));
        }

        /** A long answer may take as long as it likes, silence may not. */
        @Override
        void expired() {
            if (heard) {
                heard = false;
                later(this, PATIENCE_MILLIS);
            } else {
                finish(failed(awaited().iterator().next().title() + " does not answer"));
            }
        }
    }

    // ---- requests that many answer

    /** Asks all processes for what they have not told yet, then gives {@code rows}. */
    void stats(Client client, Supplier<List<ShowRow>> rows) {
        Task task =
                new Task(ids.getAsLong(), client) {
                    @Override
                    void answered(Frame frame, Message message) {
                        if (satisfied(frame.from())) {
                            expired();
                        }
                    }

                    @Override
                    void lost(Role role) {
                        if (satisfied(role)) {
                            expired();
                        }
                    }

                    @Override
                    void expired() {
                        List<ShowRow> all = rows.get();
                        all.forEach(this::row);
                        end(ok(all.size(), ""));
                    }
                };
        for (Role role : peers.children()) {
            if (peers.tell(role, client.number(), task.key(), new ControlToChild.StatsRequest())) {
                task.await(role);
            }
        }
        if (task.awaited().isEmpty()) {
            task.expired();
        }
        begin(task, STATS_MILLIS);
    }

    /** Rows of every process, as they come. */
    void profile(Client client, ControlToChild.ShowProfile request, List<List<String>> own) {
        Task task =
                new Task(ids.getAsLong(), client) {
                    private long count = own.size();

                    @Override
                    void answered(Frame frame, Message message) {
                        if (message instanceof ShowRow m) {
                            count++;
                            row(m);
                        } else if (message instanceof ControlDone && satisfied(frame.from())) {
                            end(ok(count, ""));
                        }
                    }

                    @Override
                    void lost(Role role) {
                        if (satisfied(role)) {
                            end(ok(count, ""));
                        }
                    }

                    @Override
                    void expired() {
                        end(ok(count, "no answer from " + titles(awaited())));
                    }
                };
        own.forEach(fields -> task.row(new ShowRow("profile", fields)));
        for (Role role : peers.children()) {
            if (peers.tell(role, client.number(), task.key(), request)) {
                task.await(role);
            }
        }
        if (task.awaited().isEmpty()) {
            task.end(ok(own.size(), ""));
        }
        begin(task, SHORT_MILLIS);
    }

    static String titles(Set<Role> roles) {
        StringBuilder text = new StringBuilder();
        for (Role role : roles) {
            text.append(text.isEmpty() ? "" : " ").append(role.title());
        }
        return text.toString();
    }

    // ---- switches

    /**
     * Waits for the processes that were told new switches. {@code TraceApplied} names no request:
     * each process answers in order, so the n-th answer belongs to the n-th state told.
     */
    void applied(Client client, Map<Role, Long> told, Noted noted) {
        Task task =
                new Task(ids.getAsLong(), client) {
                    private final Set<Role> confirmed = EnumSet.of(Role.CONTROL);

                    @Override
                    void answered(Frame frame, Message message) {
                        // comes by confirmed(), never by id
                    }

                    @Override
                    void lost(Role role) {
                        if (satisfied(role)) {
                            finish();
                        }
                    }

                    @Override
                    void confirmed(Role role, long n) {
                        Long wanted = told.get(role);
                        if (wanted != null && n >= wanted && awaited().contains(role)) {
                            confirmed.add(role);
                            if (satisfied(role)) {
                                finish();
                            }
                        }
                    }

                    @Override
                    void expired() {
                        finish();
                    }

                    private void finish() {
                        String silent = awaited().isEmpty() ? "" : "; silent: " + titles(awaited());
                        ControlDone end =
                                ok(confirmed.size(), "applied: " + titles(confirmed) + silent);
                        noted.done(end);
                        end(end);
                    }
                };
        told.keySet().forEach(task::await);
        if (told.isEmpty()) {
            task.expired();
        }
        begin(task, SHORT_MILLIS);
    }

    /** A process has put the n-th state it was told in force. */
    void confirmed(Role role, long n) {
        for (Task task : all()) {
            task.confirmed(role, n);
            reap(task);
        }
    }

    // ---- show holds

    /** The scheduler knows hold queues by number; the agents know what the numbers mean. */
    void holds(Client client) {
        Holds task = new Holds(ids.getAsLong(), client);
        task.await(Role.SCHEDULER);
        if (!peers.showHolds(client.number(), task.key())) {
            task.lost(Role.SCHEDULER);
        }
        begin(task, PATIENCE_MILLIS);
    }

    private final class Holds extends Task {
        private final List<ShowRow> rows = new ArrayList<>();
        private final Map<Role, List<Long>> unnamed = new HashMap<>();
        private final Map<Role, Map<String, String>> names = new HashMap<>();
        private boolean isCut;

        Holds(long key, Client client) {
            super(key, client);
        }

        @Override
        void answered(Frame frame, Message message) {
            if (frame.from() == Role.SCHEDULER) {
                switch (message) {
                    case ShowRow m when rows.size() < MAX_HOLDS -> add(m);
                    case ShowRow _ -> isCut = true;
                    case ControlDone m when !m.ok() -> end(m);
                    case ControlDone _ -> {
                        awaited().remove(Role.SCHEDULER);
                        ask(Role.MTA);
                        ask(Role.MDA);
                        finishIfNamed();
                    }
                    default -> {
                        // not an answer
                    }
                }
            } else if (message instanceof ShowRow m && m.fields().size() > 1) {
                names.computeIfAbsent(frame.from(), _ -> new HashMap<>())
                        .put(m.fields().get(0), m.fields().get(1));
            } else if (message instanceof ControlDone) {
                awaited().remove(frame.from());
                ask(frame.from());
                finishIfNamed();
            }
        }

        private void add(ShowRow row) {
            rows.add(row);
            Role agent = agent(row);
            if (agent != null) {
                unnamed.computeIfAbsent(agent, _ -> new ArrayList<>()).add(key(row));
            }
        }

        private void ask(Role agent) {
            List<Long> left = unnamed.getOrDefault(agent, List.of());
            if (left.isEmpty()) {
                return;
            }
            List<Long> page = List.copyOf(left.subList(0, Math.min(left.size(), HOLD_PAGE)));
            left.subList(0, page.size()).clear();
            if (peers.holdNames(
                    agent, client().number(), key(), new ControlToMta.HoldNames(page))) {
                await(agent);
            }
        }

        private void finishIfNamed() {
            if (awaited().isEmpty()) {
                finish("");
            }
        }

        private void finish(String text) {
            for (ShowRow row : rows) {
                List<String> fields = new ArrayList<>(row.fields());
                fields.add(name(row));
                row(new ShowRow("hold", fields));
            }
            end(ok(rows.size(), isCut ? "more than " + MAX_HOLDS + " hold queues" : text));
        }

        private String name(ShowRow row) {
            Map<String, String> known = names.getOrDefault(agent(row), Map.of());
            long key = key(row);
            String name = known.get(Long.toString(key));
            return name == null ? known.getOrDefault(Long.toHexString(key), "-") : name;
        }

        @Override
        void lost(Role role) {
            if (role == Role.SCHEDULER) {
                end(away(role));
            } else {
                awaited().remove(role);
                unnamed.remove(role);
                finishIfNamed();
            }
        }

        @Override
        void expired() {
            if (awaited().contains(Role.SCHEDULER)) {
                end(failed("scheduler does not answer"));
            } else {
                finish("no answer from " + titles(awaited()));
            }
        }

        private static Role agent(ShowRow row) {
            if (row.fields().size() < 2) {
                return null;
            }
            return switch (row.fields().get(1)) {
                case "mta" -> Role.MTA;
                case "mda" -> Role.MDA;
                default -> null;
            };
        }

        private static long key(ShowRow row) {
            try {
                return Long.parseUnsignedLong(row.fields().get(0), 16);
            } catch (NumberFormatException e) {
                return 0;
            }
        }
    }
}
